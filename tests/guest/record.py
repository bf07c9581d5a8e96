# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long each case took: a file of lines `WHEN SUITE CASE SECONDS OUTCOME`, separated by tabs, the newest last.

What is expected of a case is the median of its last runs; where nothing is known, a guess.
"""

import collections
import datetime
import os
import statistics
import sys

GUESS = 30
# Of so many runs the expectation is made, and so many lines the file may have: a line is 60 bytes.
LAST, LINES_MAX = 5, 20000


class Times:
    def __init__(self, path):
        self.path, self.known = path, collections.defaultdict(list)
        self.lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        for line in self.lines:
            try:
                _, suite, case, seconds, outcome = line.split("\t")
                self.known[suite, case].append((float(seconds), outcome))
            except ValueError:
                pass

    def expected(self, suite, case):
        """In s."""
        found = self.known[suite, case] or self.known["bookworm", case]
        return statistics.median(seconds for seconds, _ in found[-LAST:]) if found else GUESS

    def add(self, suite, case, seconds, outcome):
        try:
            if len(self.lines) > LINES_MAX:
                self.lines = self.lines[-LINES_MAX // 2:]
                new = self.path.with_suffix(f".{os.getpid()}")
                new.write_text("".join(f"{line}\n" for line in self.lines))
                new.replace(self.path)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "a") as file:
                file.write(f"{datetime.datetime.now():%Y-%m-%dT%H:%M:%S}\t{suite}\t{case}\t{seconds:.1f}\t{outcome}\n")
        except OSError as error:
            print(f"run: how long cases take is not kept: {error}", file=sys.stderr)

    def show(self):
        """The slowest first; what was other than well in the last runs, too."""
        rows = []
        for (suite, case), runs in self.known.items():
            seconds = [each for each, _ in runs]
            odd = sorted({outcome for _, outcome in runs if outcome != "ok"})
            rows.append((statistics.median(seconds[-LAST:]), min(seconds), max(seconds), len(seconds), suite, case, odd))
        print(f"{'median s':>8} {'min':>7} {'max':>7} {'runs':>5}  case", file=sys.stdout)
        for median, low, high, count, suite, case, odd in sorted(rows, reverse=True):
            print(f"{median:8.1f} {low:7.1f} {high:7.1f} {count:5}  {suite} {case}{'  ' + ', '.join(odd) if odd else ''}")
