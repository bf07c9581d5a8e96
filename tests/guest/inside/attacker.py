# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the programs of the attacks share: calls with any descriptor, namespaces, and system calls that Python lacks.

An attempt prints one line, `KIND OUTCOME MESSAGE`. OUTCOME is the error's name, or

    done          it succeeded
    unsendable    the kernel or the bus did not let the descriptor pass
    unavailable   this kernel or this user cannot have such a descriptor
"""

import ctypes
import os
import socket
import sys

from gi.repository import Gio, GLib

NAME, PATH, MANAGER = "org.moduled1", "/org/moduled1", "org.moduled1.Manager"
RELEASE = os.uname().release
TREE = f"/usr/lib/modules/{RELEASE}"
DUMMY = next(path for path in (f"{TREE}/kernel/drivers/net/dummy.ko", f"{TREE}/kernel/drivers/net/dummy.ko.xz")
             if os.path.exists(path))

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
AT_FDCWD = -100

LIBC = ctypes.CDLL(None, use_errno=True)


def libc(name, *arguments):
    """Calls a function of the C library's; None, bytes, str and int are what they are in C. Raises OSError."""
    converted = [argument.encode() if isinstance(argument, str) else argument for argument in arguments]
    result = getattr(LIBC, name)(*[ctypes.c_long(argument) if isinstance(argument, int) else argument
                                   for argument in converted])
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    return result


def syscall(number, *arguments):
    """For what the C library of Debian 12 has no function for. The guests are x86-64."""
    return libc("syscall", number, *arguments)


def mount(source, target, kind=None, flags=0, options=None):
    libc("mount", source, target, kind, flags, options)


def unshare(flags):
    """A user becomes root of a user namespace of its own; root needs none."""
    uid, gid = os.getuid(), os.getgid()
    libc("unshare", flags)
    if flags & CLONE_NEWUSER:
        for name, text in ("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1"):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    if flags & CLONE_NEWNS:
        mount(None, "/", None, MS_REC | MS_PRIVATE)


class Elsewhere:
    """A child in namespaces of its own, where a function makes a descriptor. The namespaces last until leave()."""

    def __init__(self, function, flags=CLONE_NEWUSER | CLONE_NEWNS):
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            self._child(theirs, function, flags)
        theirs.close()
        self.socket = ours
        text, fds, _, _ = socket.recv_fds(ours, 4096, 1)
        if not fds:
            os.waitpid(self.pid, 0)
            raise OSError(text.decode())
        self.fd = fds[0]

    @staticmethod
    def _child(theirs, function, flags):
        try:
            unshare(flags)
            fd = function()
            socket.send_fds(theirs, [b"here"], [fd])
            os.close(fd)
            theirs.recv(1)
        except OSError as error:
            theirs.send(str(error).encode())
        finally:
            os._exit(0)

    def leave(self):
        self.socket.close()
        os.waitpid(self.pid, 0)


class Caller:
    """A connection to the system bus of its own."""

    def __init__(self):
        self.connect()

    def connect(self):
        address = Gio.dbus_address_get_for_bus_sync(Gio.BusType.SYSTEM)
        self.bus = Gio.DBusConnection.new_for_address_sync(
            address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT |
            Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)

    def message(self, member, body, fds=(), interface=MANAGER, path=PATH):
        """A call with these descriptors, whether the body mentions them or not. They are duplicated."""
        message = Gio.DBusMessage.new_method_call(NAME, path, interface, member)
        if body is not None:
            message.set_body(body)
        if fds:
            fd_list = Gio.UnixFDList()
            for fd in fds:
                fd_list.append(fd)
            message.set_unix_fd_list(fd_list)
        return message

    def call(self, message, timeout=25000):
        """Returns the outcome and the message, or the body of the answer."""
        try:
            reply, _ = self.bus.send_message_with_reply_sync(
                message, Gio.DBusSendMessageFlags.NONE, timeout, None)
            reply.to_gerror()
        except GLib.Error as error:
            return outcome_of(error)
        return "done", reply.get_body().unpack() if reply.get_body() else ()

    def load(self, fd, parameters="", flags=0):
        return self.call(self.message("Load", GLib.Variant("(hst)", (0, parameters, flags)), [fd]))

    def unload(self, name):
        return self.call(self.message("Unload", GLib.Variant("(st)", (name, 0))))


def outcome_of(error):
    name = Gio.DBusError.get_remote_error(error)
    if not name:
        return "unsendable", error.message
    return name, error.message.removeprefix(f"GDBus.Error:{name}: ")


def tell(kind, outcome, message=""):
    """What comes from moduled must be safe to print."""
    text = str(message)
    if not all(" " <= character <= "~" for character in text):
        outcome, text = "unprintable", ascii(text)
    print(kind, outcome, text, flush=True)


def attempt(caller, kind, make):
    """Calls Load with the descriptor that a function makes. Returns the outcome."""
    try:
        fd = make()
    except OSError as error:
        tell(kind, "unavailable", error)
        return "unavailable"
    outcome, message = caller.load(fd)
    tell(kind, outcome, message)
    os.close(fd)
    # What cannot be sent costs the connection.
    if caller.bus.is_closed():
        caller.connect()
    return outcome


def copy(source, target, mode=0o644):
    with open(source, "rb") as module, open(target, "wb") as out:
        out.write(module.read())
    os.chmod(target, mode)
    return target


def main(kinds):
    """Tries all of them, or those named on the command line."""
    caller = Caller()
    for kind, make in kinds.items():
        if len(sys.argv) == 1 or kind in sys.argv[1:]:
            attempt(caller, kind, make)
