# SPDX-License-Identifier: LGPL-2.1-or-later
"""One guest: QEMU, booted from a cached image, with a plain tar as its second disk.

The image (made by `image`) knows nothing of moduled and is attached with snapshot=on: nothing that happens in a guest
lasts. The initramfs unpacks the tar over the image's root: what `meson install` would install, inside/ and the cases. The
guest reports over its second serial line (inside/main says how), here QEMU's standard output; the first one is its
console, kept in a file.
"""

import asyncio
import fcntl
import os
import pathlib
import signal
import subprocess
import tarfile
import time

HERE = pathlib.Path(__file__).resolve().parent
QEMU = "qemu-system-x86_64"
# It ends with us, however we end.
MACHINE = ["setpriv", "--pdeathsig", "KILL", QEMU, "-nodefaults", "-display", "none", "-nic", "none", "-no-reboot"]
# QEMU 7.2 leaves garbage in the flags when an interrupt follows cmpxchg16b, which the kernel's allocator uses where there
# is such an instruction: sooner or later a guest dies of it.
EMULATED = ["-accel", "tcg,thread=multi", "-cpu", "max,la57=off,-cx16"]
# Without norandmaps each process has its libraries at other addresses, and QEMU translates them anew for it: starting one
# takes three times as long. To clear each page as it is given out would cost a tenth of all time.
KERNEL = "console=ttyS0 quiet panic=-1 mitigations=off norandmaps init_on_alloc=0 random.trust_cpu=on no_timer_check \
systemd.show_status=auto"
# In s: until the first case begins, on a machine that does much else; and beyond a case's own limit, which the guest keeps.
BOOT_LIMIT, CASE_SLACK = 400, 120


class Image:
    """What `image` has made of a suite; no other run removes it as outdated while we are there."""

    def __init__(self, directory, modules=None):
        self.directory, self.modules = pathlib.Path(directory), modules and pathlib.Path(modules)
        self.locks = [lock(path) for path in (directory, modules) if path]


def lock(directory):
    held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(held, fcntl.LOCK_SH)
    return held


def accelerator(image, cache):
    """KVM may be there and not work: the firmware runs and no kernel ever prints a line. So it is tried with a kernel that
    finds no root and ends, once for each boot of this machine."""
    known = cache / f"kvm-{pathlib.Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
    works = known.exists() and known.read_text() == "yes"
    if not known.exists():
        if os.access("/dev/kvm", os.W_OK):
            probe = [*MACHINE, "-accel", "kvm", "-cpu", "host", "-m", "512", "-kernel", image.directory / "vmlinuz",
                     "-append", "console=ttyS0 earlyprintk=ttyS0 panic=-1", "-serial", "stdio"]
            with subprocess.Popen(probe, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL) as process:
                try:
                    works = b"Linux version" in process.communicate(timeout=6)[0]
                except subprocess.TimeoutExpired as late:
                    works = b"Linux version" in (late.stdout or b"")
                    process.kill()
        for old in cache.glob("kvm-*"):
            old.unlink(missing_ok=True)
        known.with_suffix(f".{os.getpid()}").write_text("yes" if works else "no")
        known.with_suffix(f".{os.getpid()}").rename(known)
    return ["-accel", "kvm", "-cpu", "host"] if works else EMULATED


class Disk:
    """The tar that is laid over the root. Directories only where they are the point: the guest's own keep their owners and
    modes."""

    def __init__(self, path):
        self.path, self.tar = path, tarfile.open(path, "w", format=tarfile.GNU_FORMAT)

    def add(self, source, target, modes=None):
        """A file, or all that is below a directory; with modes=None readable by all, whatever the checkout's umask."""
        source = pathlib.Path(source)
        files = [source] if not source.is_dir() else sorted(source.rglob("*"))
        for file in files:
            if file.is_dir() and not file.is_symlink() and (modes is None or any(file.iterdir())) or \
                    "__pycache__" in file.parts:
                continue
            name = target if file == source else f"{target}/{file.relative_to(source)}".removeprefix("/")
            # Where / is merged with /usr, an archive with a directory /lib would put one in the link's place.
            if name.split("/")[0] in ("bin", "sbin", "lib", "lib64"):
                name = f"usr/{name}"
            info = self.tar.gettarinfo(file, name)
            info.uid = info.gid = 0
            info.uname = info.gname = "root"
            if modes is None and info.isfile():
                info.mode = 0o755 if info.mode & 0o111 else 0o644
            if info.isfile():
                with open(file, "rb") as content:
                    self.tar.addfile(info, content)
            else:
                self.tar.addfile(info)

    def close(self):
        self.tar.close()
        size = self.path.stat().st_size
        os.truncate(self.path, size + -size % (1 << 20))


def pack(path, image, cases, options):
    plan = path.with_suffix(".plan")
    plan.write_text("".join(f"{case.name}\n" for case in cases))
    disk = Disk(path)
    for file in sorted((HERE / "inside").iterdir()):
        disk.add(file, f"etc/systemd/system/{file.name}" if file.name.startswith("moduled-guest") else f"guest/{file.name}")
    disk.add(HERE / "cases", "guest/cases")
    disk.add(HERE / "attacks", "guest/cases/attacks")
    disk.add(HERE.parent.parent / "polkit", "guest/polkit")
    disk.add(HERE.parent / "bench/guest", "guest/cases/bench")
    for name in ("inside", "table.py"):
        disk.add(HERE.parent / "bench" / name, f"guest/bench/{name}")
    disk.add(plan, "guest/plan")
    if image.modules:
        disk.add(image.modules, "guest/modules")
    if options.build:
        client = options.build / "tests/bench/bench-client"
        if client.exists():
            disk.add(client, "guest/bench/bench-client")
        disk.add(options.examples, "guest/examples")
    if options.stage:
        disk.add(options.stage, "", modes="as they are")
    disk.close()
    plan.unlink()


def command(image, disk, unit, accel, cmdline, processors=1):
    root = image.directory
    return [*MACHINE, *accel, "-smp", f"{processors}", "-m", "1024", "-kernel", root / "vmlinuz", "-initrd", root / "initrd",
            "-append", f"{KERNEL} systemd.unit={unit} {cmdline}",
            "-drive", f"file={root / 'root.ext4'},format=raw,if=virtio,snapshot=on,cache=unsafe",
            "-drive", f"file={disk},format=raw,if=virtio,readonly=on"]


class Guest:
    """A guest that runs cases. `lines()` is what it reports; after that, `end` says how it ended, `hung` whether it had to be
    ended, and last_words() more."""

    def __init__(self, image, disk, accel, batch):
        self.console = disk.with_suffix(".console")
        self.command = command(image, disk, "moduled-guest.target", accel, batch.cmdline, batch.processors)
        self.end, self.said, self.hung = None, "", False
        self.allow(BOOT_LIMIT)

    def allow(self, seconds):
        """From now on; then it is ended."""
        self.limit, self.deadline = seconds, time.monotonic() + seconds

    async def lines(self):
        """Until it ends."""
        process = await asyncio.create_subprocess_exec(
            *self.command, "-serial", f"file:{self.console}", "-serial", "stdio", stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=1 << 20)
        try:
            while line := await asyncio.wait_for(process.stdout.readline(), max(0, self.deadline - time.monotonic())):
                yield line.decode(errors="replace").rstrip("\r\n")
            status = await process.wait()
            self.end = f"QEMU was killed by signal {-status}" if status < 0 else f"QEMU ended with {status}" if status else \
                "it went off"
        except asyncio.TimeoutError:
            self.end, self.hung = f"it was not ready after {self.limit} s", True
        except ValueError:
            self.end = "it printed a line that does not end"
        finally:
            if process.returncode is None:
                process.kill()
            self.said = (await process.stderr.read()).decode(errors="replace")
            await process.wait()

    def last_words(self):
        """What QEMU said, and the end of the console, without what could upset a terminal."""
        console = self.console.read_text(errors="replace") if self.console.exists() else ""
        lines = [f"qemu: {line}" for line in self.said.splitlines()]
        lines += [f"console: {line}" for line in console.splitlines()[-40:]]
        return ["".join(char for char in line if char.isprintable()) for line in lines]


def shell(image, disk, accel, terminal):
    """A guest whose console is this terminal."""
    saved = subprocess.run(["stty", "-g"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    size = os.get_terminal_size()
    # ^C is for the guest.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(
            [*command(image, disk, "moduled-guest-shell.service", accel, "loglevel=3 systemd.show_status=no "
                      f"guest.term={terminal} guest.size={size.lines}x{size.columns}"),
             "-chardev", "stdio,id=console,mux=on,signal=off", "-serial", "chardev:console",
             "-mon", "chardev=console"], check=False).returncode
    finally:
        subprocess.run(["stty", saved], check=False)
