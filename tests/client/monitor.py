# SPDX-License-Identifier: LGPL-2.1-or-later
"""A modctl monitor that runs beside a test."""

import os
import signal
import subprocess
import time

from harness import program


class Monitor(subprocess.Popen):
    def __init__(self, bus, *arguments):
        environment = {"PATH": "/usr/bin:/bin", "TZ": "UTC-1", **bus.environment}
        command = [program, "monitor", *arguments]
        super().__init__(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __exit__(self, *arguments):
        self.kill()
        super().__exit__(*arguments)

    def until_line(self, act):
        """Acts until there is something to say, for when it begins to listen is not to be seen."""
        os.set_blocking(self.stdout.fileno(), False)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            act()
            time.sleep(0.1)
            line = self.stdout.readline()
            if line:
                os.set_blocking(self.stdout.fileno(), True)
                return line
        raise AssertionError("no line")

    def end(self, number=signal.SIGINT):
        self.send_signal(number)
        _, errors = self.communicate(timeout=20)
        assert errors == "", errors
        return self.returncode
