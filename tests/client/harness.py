# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of modctl share: buses of their own with a stand-in for the service, terminals, and TAP.

A test is a program with the arguments MODCTL XML_DIR VERSION that imports this, marks functions with @test, and ends
with main().
"""

import atexit
import contextlib
import fcntl
import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))

# As root modctl starts no agent, so those tests run as somebody else.
NOBODY = 65534

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={directory}/bus</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{directory}/services</servicedir>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true"/>
    <allow receive_type="method_call"/>
    <allow receive_type="signal"/>
    <allow receive_requested_reply="true"/>
  </policy>
  <policy context="mandatory">{deny}</policy>
</busconfig>
"""

tests = []


def test(function):
    tests.append(function)
    return function


class Bus:
    """A message bus of our own, with or without the stand-in on it."""

    def __init__(self, name, fake=(), deny="", service=None):
        self.directory = os.path.join(scratch, name)
        self.log = os.path.join(self.directory, "log")
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.directory}/bus"}
        self.fake_arguments = fake
        self.processes = []
        os.makedirs(os.path.join(self.directory, "services"))
        with open(os.path.join(self.directory, "bus.conf"), "w", encoding="utf-8") as out:
            out.write(BUS_CONFIG.format(directory=self.directory, deny=deny))
        if service:
            with open(os.path.join(self.directory, "services/org.moduled1.service"), "w", encoding="utf-8") as out:
                out.write(f"[D-BUS Service]\nName=org.moduled1\nExec={service}\nUser=root\n")

    def __enter__(self):
        config = f"--config-file={self.directory}/bus.conf"
        self.start(["dbus-daemon", config, "--nofork", "--nopidfile", "--nosyslog", "--print-address"])
        if self.fake_arguments is not None:
            self.start([os.path.join(HERE, "fake-moduled"), xml_dir, self.log, *self.fake_arguments])
        return self

    def start(self, command):
        """Starts a program and waits for its first line."""
        environment = {**os.environ, **self.environment}
        # dbus-daemon complains of what the tests provoke.
        quiet = subprocess.DEVNULL if command[0] == "dbus-daemon" else None
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, env=environment)
        self.processes.append(process)
        assert process.stdout.readline(), command

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
            process.stdout.close()

    def calls(self):
        """What the stand-in was called with since the last time."""
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as log:
            calls = [json.loads(line) for line in log]
        os.remove(self.log)
        return calls


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit code {self.code}\nstdout: {self.out}\nstderr: {self.err}"


def modctl(*arguments, bus=None, **environment):
    environment = {
        "PATH": "/usr/bin:/bin",
        "TZ": "UTC-1",
        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={scratch}/no-bus",
        **(bus.environment if bus else {}),
        **environment,
    }
    run = subprocess.run(
        [program, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    return Result(run.returncode, run.stdout.decode("ascii"), run.stderr.decode("ascii"))


def check(result, code, out="", err=""):
    """Compares a result; @out and @err are regular expressions for the whole of it."""
    assert result.code == code, (code, result)
    assert re.fullmatch(out, result.out, re.DOTALL), (out, result)
    assert re.fullmatch(err, result.err, re.DOTALL), (err, result)
    assert not re.search(r"org\.freedesktop|org\.moduled1|errno|DBus|sd-bus", result.err), result


def a_file(name="file.ko"):
    path = os.path.join(scratch, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write("no module\n")
    os.chmod(path, 0o644)
    return path


def broken_library(soname):
    """A directory for LD_LIBRARY_PATH where this library is not what it should be."""
    directory = os.path.join(scratch, "without-" + soname)
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, soname), "w", encoding="ascii") as out:
        out.write("no library\n")
    return directory


class Terminal:
    """A terminal with modctl on it; as an ordinary user, for root needs no agent."""

    def __init__(self, arguments, bus=None, agent=True, mode="", size=(24, 80), **environment):
        self.agent_log = tempfile.mktemp(dir=writable)
        self.output = b""
        environment = {
            "PATH": os.path.join(scratch, "bin") if agent else "/nonexistent",
            "TZ": "UTC-1",
            "FAKE_AGENT_LOG": self.agent_log,
            "FAKE_AGENT_MODE": mode,
            **(bus.environment if bus else {}),
            **environment,
        }
        self.fd, self.inner = os.openpty()
        fcntl.ioctl(self.inner, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.pid = os.fork()
        if self.pid == 0:
            # A shell has what it runs in the background ignore some, and modctl would inherit that.
            for number in signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM:
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            fcntl.ioctl(self.inner, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.inner, fd)
            os.closerange(3, 1024)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            os.execve(program, [program, *arguments], environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.inner)
        os.close(self.fd)

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def agent_lines(self):
        with contextlib.suppress(FileNotFoundError), open(self.agent_log, encoding="utf-8") as log:
            return log.read().splitlines()
        return []

    def wait_for(self, condition):
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, self.agent_lines()
            time.sleep(0.02)

    def agent_is_gone(self):
        return not os.path.exists(f"/proc/{self.agent_lines()[0].split()[1]}")

    def read(self):
        """All that was written to it so far."""
        while select.select([self.fd], [], [], 0)[0]:
            self.output += os.read(self.fd, 4096)
        return self.output.decode("ascii").replace("\r\n", "\n")

    def has(self, pattern):
        return re.search(pattern, self.read(), re.DOTALL)

    def finish(self):
        """Waits for the end; returns a Result with all the output in its out, but for lines that came and went."""
        ended = []

        def has_ended():
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            ended.extend([status] if pid else [])
            return ended

        self.wait_for(has_ended)
        lasting = re.sub(r"\rWaiting[^\r\n]*\r(?=\r)|\r +\r", "", self.read())
        return Result(os.waitstatus_to_exitcode(ended[0]), lasting, "")


def on_terminal(arguments, **options):
    with Terminal(arguments, **options) as terminal:
        return terminal.finish()


def prepare():
    """Puts what an ordinary user must be able to run where such a user can get at it."""
    os.chmod(scratch, 0o755)
    os.mkdir(writable)
    os.chmod(writable, 0o1777)
    os.mkdir(os.path.join(scratch, "bin"))
    shutil.copy(os.path.join(HERE, "fake-pkttyagent"), os.path.join(scratch, "bin/pkttyagent"))
    shutil.copy(built, program)
    for path in [program, os.path.join(scratch, "bin/pkttyagent")]:
        os.chmod(path, 0o755)


def main():
    """Runs the tests and ends with a status for meson."""
    failures = 0
    print(f"1..{len(tests)}", flush=True)
    for number, function in enumerate(tests, 1):
        name = function.__name__
        try:
            function()
            print(f"ok {number} {name}", flush=True)
        except Exception:
            failures += 1
            print(f"not ok {number} {name}", flush=True)
            print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
    sys.exit(failures > 0)


built, xml_dir, version = sys.argv[1:4]
scratch = tempfile.mkdtemp(prefix="modctl-")
atexit.register(shutil.rmtree, scratch, ignore_errors=True)
writable = os.path.join(scratch, "writable")
program = os.path.join(scratch, "modctl")
prepare()
