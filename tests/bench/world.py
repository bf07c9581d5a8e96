# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bus of its own with the real dbus-daemon, polkitd, broker and loader on it, and clients that take times.

Only the kernel is not real (fake-kernel.c). The broker runs as a user without privileges, as it does as a service, and the
callers as others. To be made in a mount namespace of one's own: polkit's actions and rules are mounted over the machine's.
"""

import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from gi.repository import Gio, GLib

BROKER_USER = "daemon"
CALLER, FLOODER = (pwd.getpwnam(name).pw_uid for name in ("nobody", "games"))
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_RDONLY, MS_REMOUNT, MS_BIND, MNT_DETACH = 0x20000, 1, 32, 4096, 2
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={top}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  <include>{top}/org.moduled1.conf</include>
</busconfig>
"""
# As a rule of an administrator's would be.
RULE = """polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.moduled1.") == 0 && subject.user == "nobody")
        return polkit.Result.YES;
});
"""


def mount(source, target, kind, flags=0, data=None):
    if LIBC.mount(source.encode(), str(target).encode(), kind.encode(), flags, data and data.encode()) < 0:
        raise OSError(ctypes.get_errno(), f"mount on {target}")


def wait(condition, what, seconds=60):
    for _ in range(seconds * 50):
        if condition():
            return
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not happen in {seconds} seconds")


def cpu_time(pid):
    """Processor time of all threads of a process, in seconds; see clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


def pss(pid):
    """In KiB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def stop(pid):
    os.kill(pid, signal.SIGTERM)
    for _ in range(250):
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def anonymous(pid):
    """What is nobody else's and of no file, in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))


class Client:
    """bench-client, and what it says."""

    def __init__(self, path, address, uid):
        self.process = subprocess.Popen([path, str(uid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=address))

    def begin(self, rounds, operations, callers=1, each=False):
        self.process.stdin.write(f"{'each ' if each else ''}{rounds} {callers} {' '.join(operations)}\n")
        self.process.stdin.flush()

    def read_times(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the client has ended")
        return [float(word) for word in line.split()]

    def end_run(self, operations):
        """Return: the times of each operation, and of all together, in µs."""
        return [self.read_times() for _ in operations], self.read_times()[0]

    def run(self, rounds, operations, callers=1, each=False):
        self.begin(rounds, operations, callers, each)
        return self.end_run(operations)

    def end(self):
        self.process.kill()
        self.process.wait()


class World:
    """All of it, on a filesystem like /run's, in a directory that nobody but root can write to."""

    def __init__(self, programs, source, mounts=0, config=None):
        self.programs, self.source, self.mounts = programs, source, mounts
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="moduled-bench.", dir="/run"))
        mount("none", self.top, "tmpfs", 0, "mode=0755")
        self.modules = self.top / "modules"
        for directory in "etc", "modules", "kernel", "kernel/modules", "state", "mounts":
            (self.top / directory).mkdir()
        mount("none", self.modules, "tmpfs", 0, "mode=0755")
        broker = pwd.getpwnam(BROKER_USER)
        os.chown(self.top / "state", broker.pw_uid, broker.pw_gid)
        self.user = broker
        self.children, self.clients = [], []
        self.address = f"unix:path={self.top}/bus"
        self.environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address, TEST_KERNEL=f"{self.top}/kernel")
        self.config = self.top / "etc/moduled.conf"
        self.config.write_text(config or self.config_text(1))
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(self.top / "loader"))
        self.listener.listen(128)
        os.chown(self.top / "loader", broker.pw_uid, broker.pw_gid)
        self.start_bus()
        self.start_services()

    def config_text(self, origins, require=""):
        """The origin that accepts is the last."""
        text = "".join(f"[Origin other{i}]\nDirectory={self.top}/mounts\n" for i in range(origins - 1))
        text += f"[Origin modules]\nDirectory={self.modules}\n{require}"
        return text + "[Limits]\nRequestsPerUser=400\nRequestsInAll=400\nIdleSec=3600\n"

    def spawn(self, command, user=None, mounts=0, fds=None, quiet=False, more=None):
        pid = os.fork()
        if pid:
            self.children.append(pid)
            return pid
        try:
            if mounts:
                self.add_mounts(mounts)
            environment = dict(self.environment, **(more or {}))
            if quiet:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            if fds is not None:
                os.dup2(fds, 3)
                os.set_inheritable(3, True)
                environment.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
            if user:
                os.setgroups([])
                os.setgid(user.pw_gid)
                os.setuid(user.pw_uid)
            os.execve(command[0], command, environment)
        finally:
            os._exit(127)

    def add_mounts(self, mounts):
        """In a namespace of this process's own."""
        if LIBC.unshare(CLONE_NEWNS) < 0:
            raise OSError(ctypes.get_errno(), "unshare")
        with open("/proc/self/mountinfo", encoding="ascii") as file:
            present = sum(1 for _ in file)
        for i in range(max(0, mounts - present)):
            place = self.top / f"mounts/{i}"
            place.mkdir(exist_ok=True)
            mount(str(place), place, "none", MS_BIND)

    def start_bus(self):
        policy = pathlib.Path(self.source, "dbus/org.moduled1.conf.in").read_text().replace("@USER@", BROKER_USER)
        (self.top / "org.moduled1.conf").write_text(policy)
        (self.top / "bus.conf").write_text(BUS_CONFIG.format(top=self.top))
        self.spawn([shutil.which("dbus-daemon"), "--nofork", f"--config-file={self.top}/bus.conf"], quiet=True)
        wait((self.top / "bus").exists, "the bus")
        self.bus = Gio.DBusConnection.new_for_address_sync(
            self.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT |
            Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        self.polkitd = self.spawn(["/usr/lib/polkit-1/polkitd", "--no-debug"])
        wait(lambda: self.has_owner("org.freedesktop.PolicyKit1"), "polkit")

    def start_loader(self):
        self.loader = self.spawn([self.programs.loader, f"--config-root={self.top}", f"--user={BROKER_USER}"],
                                 mounts=self.mounts, fds=self.listener.fileno())

    def keep_loader(self):
        """It leaves when it is idle for a minute, and the service manager would start it anew."""
        if os.waitpid(self.loader, os.WNOHANG)[0]:
            self.children.remove(self.loader)
            self.start_loader()

    def start_services(self):
        self.start_loader()
        self.broker = self.spawn([self.programs.moduled, f"--config-root={self.top}",
                                  f"--loader-socket={self.top}/loader", f"--state-directory={self.top}/state"],
                                 self.user, self.mounts, more=unit_environment(self.source))
        wait(lambda: self.has_owner("org.moduled1"), "the broker")

    def has_owner(self, name):
        return self.bus.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "NameHasOwner",
                                  GLib.Variant("(s)", (name,)), None, 0, 5000, None).unpack()[0]

    def client(self, uid=CALLER):
        self.clients.append(Client(self.programs.client, self.address, uid))
        return self.clients[-1]

    def make_modules(self, template, count):
        """bench__0000.ko and so on, which differ in their names."""
        image = pathlib.Path(template).read_bytes()
        for i in range(count):
            name = f"bench__{i:04}"
            (self.modules / f"{name}.ko").write_bytes(image.replace(b"the_example", name.encode()))

    def seal_modules(self):
        """Make the modules' filesystem read-only, in all namespaces."""
        mount("none", self.modules, "tmpfs", MS_REMOUNT | MS_RDONLY)

    def reconfigure(self, text):
        """Until both know it: they say nothing, but they have read the file once it has been read."""
        first = next(line for line in text.splitlines() if line.startswith("[Origin")).split()[1].rstrip("]")
        count = text.count("[Origin")
        self.config.write_text(text)
        self.keep_loader()
        for pid in self.broker, self.loader:
            os.kill(pid, signal.SIGHUP)

        def origins():
            return self.bus.call_sync("org.moduled1", "/org/moduled1", "org.moduled1.Manager", "ListOrigins", None,
                                      None, 0, 20000, None).unpack()[0]
        wait(lambda: [len(origins()), origins()[0]["Name"]] == [count, first], "the new configuration")

    def family(self):
        """The broker, its inspector, and the loader."""
        found = [self.broker, self.loader]
        with open(f"/proc/{self.broker}/task/{self.broker}/children", encoding="ascii") as file:
            return found + [int(word) for word in file.read().split()]

    def cpu(self):
        return sum(cpu_time(pid) for pid in self.family())

    def pss(self):
        return sum(pss(pid) for pid in self.family())

    def anonymous(self):
        return sum(anonymous(pid) for pid in self.family())

    def end(self):
        for client in self.clients:
            client.end()
        self.bus.close_sync(None)
        self.listener.close()
        for pid in reversed(self.children):
            stop(pid)
        for place in self.modules, self.top:
            LIBC.umount2(str(place).encode(), MNT_DETACH)
        self.top.rmdir()


def unit_environment(source):
    """What the service manager gives the broker."""
    unit = pathlib.Path(source, "systemd/moduled.service.in").read_text()
    return dict(line.removeprefix("Environment=").split("=", 1) for line in unit.splitlines()
                if line.startswith("Environment="))


def prepare(source):
    """polkit's action files and a rule, for this mount namespace alone."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="moduled-bench.polkit.", dir="/run"))
    top.chmod(0o755)
    mount("none", top, "tmpfs")
    for name in "actions", "rules":
        (top / name).mkdir()
    policy = pathlib.Path(source, "polkit/org.moduled1.policy.in").read_text().replace("@USER@", BROKER_USER)
    (top / "actions/org.moduled1.policy").write_text(policy)
    (top / "rules/50-bench.rules").write_text(RULE)
    mount(str(top / "actions"), "/usr/share/polkit-1/actions", "none", MS_BIND)
    mount(str(top / "rules"), "/etc/polkit-1/rules.d", "none", MS_BIND)
    return top


def forget(top):
    """What prepare() has made outside the namespace."""
    for place in "/etc/polkit-1/rules.d", "/usr/share/polkit-1/actions", top:
        LIBC.umount2(str(place).encode(), MNT_DETACH)
    top.rmdir()
