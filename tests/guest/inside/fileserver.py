# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file server of the attacker's, over the kernel's own protocol (linux/fuse.h): it lies, and stops answering on demand.

It has one file, which claims to be the trusted one: its inode number, mode, owner, size and times. It runs in a process
of its own, so that it can be killed without whoever has its file open being in the way.
"""

import os
import select
import signal
import socket
import stat
import struct
import subprocess

from attacker import DUMMY, mount

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE = 1, 2, 3, 14, 15, 17, 18
FLUSH, INIT, OPENDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = 25, 26, 27, 29, 36, 42
NAMES = {LOOKUP: "LOOKUP", GETATTR: "GETATTR", OPEN: "OPEN", READ: "READ", STATFS: "STATFS", FLUSH: "FLUSH"}
OPCODES = {name: opcode for opcode, name in NAMES.items()}
ROOT, FILE = 1, 2
ENOSYS = 38
FOREVER = 1 << 30
SERVICES = ("moduled", "moduled-loader")

# Read now: the server may be mounted over it later.
LIE = os.stat(DUMMY)
with open(DUMMY, "rb") as module:
    BYTES = module.read()


class Protocol:
    """Answers what the kernel asks, but for what it is told to hold."""

    def __init__(self, device, control):
        self.device, self.control = device, control
        self.hold = set()
        # Held from these alone; from all if empty.
        self.hold_from = ()
        # What the services asked.
        self.asked = set()

    def attributes(self, node):
        if node == ROOT:
            return struct.pack("<6Q10I", ROOT, 0, 0, 0, 0, 0, 0, 0, 0, stat.S_IFDIR | 0o755, 2, 0, 0, 0, 4096, 0)
        times = (LIE.st_atime_ns, LIE.st_mtime_ns, LIE.st_ctime_ns)
        return struct.pack("<6Q10I", LIE.st_ino, LIE.st_size, LIE.st_blocks, *(ns // 10**9 for ns in times),
                           *(ns % 10**9 for ns in times), LIE.st_mode, 1, LIE.st_uid, LIE.st_gid, 0, 4096, 0)

    def body(self, opcode, node, argument):
        """Returns the answer, or an errno."""
        if opcode == INIT:
            return struct.pack("<4I2H2I2H8I", 7, 31, 4096, 0, 0, 0, 4096, 1, 0, 0, *[0] * 8)
        if opcode == LOOKUP:
            return struct.pack("<4Q2I", FILE, 0, FOREVER, 0, 0, 0) + self.attributes(FILE)
        if opcode == GETATTR:
            return struct.pack("<Q2I", 0, 0, 0) + self.attributes(node)
        if opcode in (OPEN, OPENDIR):
            return struct.pack("<Q2I", 0, 0, 0)
        if opcode == READ:
            _, offset, size = struct.unpack_from("<2QI", argument)
            return BYTES[offset:offset + size]
        if opcode == STATFS:
            return struct.pack("<5Q4I6I", 0, 0, 0, 0, 0, 4096, 255, 4096, 0, *[0] * 6)
        if opcode in (FLUSH, RELEASE, RELEASEDIR):
            return b""
        return ENOSYS

    def is_held(self, opcode, pid):
        name = ""
        try:
            # A thread has the name of its process.
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                name = file.read().strip()
        except OSError:
            pass
        if name in SERVICES:
            self.asked.add(NAMES.get(opcode, str(opcode)))
        return opcode in self.hold and (not self.hold_from or name in self.hold_from)

    def serve_one(self):
        request = os.read(self.device, 1 << 17)
        _, opcode, unique, node, _, _, pid, _ = struct.unpack_from("<2I2Q4I", request)
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT) or self.is_held(opcode, pid):
            return
        body = self.body(opcode, node, request[40:])
        error, body = (-body, b"") if isinstance(body, int) else (0, body)
        try:
            os.write(self.device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)
        except OSError:
            # Nobody waits for it any more.
            pass

    def obey(self):
        """Orders: `hold FROM NAME…`, where FROM is services or all; `asked`."""
        order = self.control.recv(4096).decode().split()
        if not order:
            os._exit(0)
        if order[0] == "hold":
            self.hold_from = SERVICES if order[1] == "services" else ()
            self.hold = {OPCODES[name] for name in order[2:]}
        self.control.send("+".join(sorted(self.asked)).encode() or b"nothing")

    def run(self):
        while True:
            ready, _, _ = select.select([self.device, self.control], [], [])
            if self.control in ready:
                self.obey()
            if self.device in ready:
                self.serve_one()


class FileServer:
    """The server's process, as its owner sees it. Closing `control`, or kill(), ends it."""

    def __init__(self, device, control=None):
        self.control, theirs = control or socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            self.control.close()
            try:
                Protocol(device, theirs).run()
            finally:
                os._exit(0)
        theirs.close()
        os.close(device)

    def order(self, text):
        self.control.send(text.encode())
        return self.control.recv(4096).decode()

    def hold(self, *names, of="all"):
        self.order(f"hold {of} {' '.join(names)}")

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.control.close()


def mount_as_user(directory):
    """As any user may, by the setuid fusermount3. Returns the device."""
    os.makedirs(directory, exist_ok=True)
    ours, theirs = socket.socketpair()
    subprocess.run(["fusermount3", "-o", "allow_other,fsname=attack", "--", directory], check=True,
                   env=dict(os.environ, _FUSE_COMMFD=str(theirs.fileno())), pass_fds=[theirs.fileno()])
    _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    return fds[0]


def unmount_as_user(directory):
    subprocess.run(["fusermount3", "-u", "-z", "--", directory], check=True)


def mount_in_namespace(directory):
    """As root of a namespace of one's own may, anywhere. Returns the device."""
    device = os.open("/dev/fuse", os.O_RDWR)
    mount("attack", directory, "fuse", 0, f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other")
    return device
