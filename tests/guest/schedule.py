# SPDX-License-Identifier: LGPL-2.1-or-later
"""The order in which cases run, in which guests, and what becomes of a guest that dies.

A batch is what one guest runs: cases of one suite that want the same of the kernel. The longest goes first; what is alone
goes last. A guest that dies is booted again for what it has not done, beginning with the case that was running. If it dies of
that once more, that case has failed, and the rest goes on.
"""

import asyncio
import collections
import itertools
import math
import os
import sys
import time

import guest

# Each has one processor, and waits a third of its time: for time-outs, and for what is to happen next. And a GiB.
GUESTS = max(1, min(2 * len(os.sched_getaffinity(0)), os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // (5 << 28)))
# In s, what is expected of a batch at most: a boot takes as much as a case, but the last ones are to end together.
BATCH = 450


class Batch:
    def __init__(self, suite, cases):
        self.suite, self.cases = suite, cases
        self.cmdline, self.processors, self.alone = cases[0].cmdline, cases[0].processors, cases[0].alone


def batches(wanted, expected):
    """`wanted` has the cases of each suite, `expected` says how long one takes."""
    found = []
    for suite, cases in wanted.items():
        groups = collections.defaultdict(list)
        for case in cases:
            groups[case.cmdline, case.processors, case.name if case.alone else None].append(case)
        found += [Batch(suite, part) for group in groups.values() for part in
                  parts(group, lambda case, suite=suite: expected(suite, case.name))]

    def weight(batch):
        return batch.alone, -sum(expected(batch.suite, case.name) for case in batch.cases)
    return sorted(found, key=weight)


def parts(group, expected):
    """Divides cases into runs of about the same length, each no more than about a BATCH."""
    total = sum(map(expected, group))
    count, found, spent = max(1, math.ceil(total / BATCH)), [[]], 0
    for case in group:
        # Where the middle of it lies decides.
        if found[-1] and spent + expected(case) / 2 >= total / count * len(found):
            found.append([])
        found[-1].append(case)
        spent += expected(case)
    return found


class Report:
    """What a case has reported so far; it is told when the case has ended."""

    def __init__(self, suite, case):
        self.suite, self.case, self.began = suite, case, time.monotonic()
        self.lines, self.plan, self.count, self.bad = [], None, 0, 0

    def line(self, text):
        for kind in "ok", "not ok":
            if text.startswith(f"{kind} - "):
                self.count += 1
                self.bad += kind == "not ok"
                text = f"{kind} - {self.suite} {self.case.name}: {text[len(kind) + 3:]}"
                break
        else:
            if text.startswith("1.."):
                self.plan = text[3:]
                return
            if not text.startswith("#"):
                text = f"# {text}"
        self.lines.append(text)

    def end(self, status):
        """Accounts for a case that reported other than what it planned."""
        name = f"not ok - {self.suite} {self.case.name}"
        if self.plan != str(self.count) or not self.count:
            self.bad += 1
            self.lines.append(f"{name}: ran to its end ({self.plan or 'no'} results planned, {self.count} seen)")
        elif not self.bad and status != "0":
            self.bad += 1
            self.lines.append(f"{name}: ended well (exit status {status})")


class Run:
    """A run of all that is wanted. `tap` takes the lines."""

    def __init__(self, options, work, images, accel, times, tap):
        self.options, self.work, self.images, self.accel = options, work, images, accel
        self.times, self.tap, self.numbers = times, tap, itertools.count()
        self.running, self.waiting, self.total, self.done = {}, [], 0, 0

    async def all(self, wanted):
        queue = collections.deque(batches(wanted, self.times.expected))
        self.waiting = [(batch.suite, case) for batch in queue for case in batch.cases]
        self.total = len(self.waiting)

        async def lane():
            while queue:
                await self.batch(queue.popleft())
        async with asyncio.TaskGroup() as group:
            for _ in range(max(1, self.options.guests)):
                group.create_task(lane())

    async def batch(self, batch):
        left, deaths = list(batch.cases), collections.Counter()
        while left:
            number, before = next(self.numbers), len(left)
            disk = self.work / f"{number}.disk"
            await asyncio.to_thread(guest.pack, disk, self.images[batch.suite], left, self.options)
            this = guest.Guest(self.images[batch.suite], disk, self.accel, batch)
            why = await self.boot(number, batch.suite, this, left)
            disk.unlink()
            report = self.running.pop(number, None)
            if left and not why:
                case = report and report.case
                # Between two cases it may die as often as there are some that it has run.
                deaths[None] *= len(left) == before
                deaths[case] += case is not None or len(left) == before
                # What has failed stays so; and who hangs has been held up, which is what some cases are about.
                again = deaths[case] < 2 and not this.hung and not (report and report.bad)
                self.died(batch.suite, this, report, again)
                if again:
                    continue
                why = this.end if this.hung else "the guest died"
                if case:
                    self.give_up(batch.suite, [case], why)
                    left.remove(case)
                    continue
            elif why:
                self.tell_end(this)
            self.give_up(batch.suite, left, why)
            return

    async def boot(self, number, suite, this, left):
        """Runs what is left until the guest ends, and takes from it what has been run; returns why it cannot go on."""
        why = None
        async for line in this.lines():
            report = self.running.get(number)
            word, _, rest = line.partition(" ")
            begun = next((case for case in left if case.name == rest), None) if word == "#>" else None
            if begun:
                self.running[number] = Report(suite, begun)
                this.allow(begun.timeout + guest.CASE_SLACK)
                self.progress()
            elif word == "#<" and report and rest.startswith(f"{report.case.name} "):
                report.end(rest.split()[-1])
                del self.running[number]
                self.finish(suite, report.case, report.lines, time.monotonic() - report.began, "not ok" if report.bad else "ok")
                left.remove(report.case)
                this.allow(guest.BOOT_LIMIT)
            elif line.startswith("#!"):
                why = line[2:].strip()
            elif line.startswith("#|"):
                self.tap.line(line)
            elif report:
                report.line(line)
            elif line.startswith("not ok - "):
                self.tap.line(f"not ok - {suite}: after a case: {line[9:]}")
            elif line != "#.":
                self.tap.line(line if line.startswith("#") else f"# {line}")
        return why

    def finish(self, suite, case, lines, seconds=None, outcome=None):
        for line in lines:
            self.tap.line(line)
        if seconds is not None:
            self.times.add(suite, case.name, seconds, outcome)
        self.waiting.remove((suite, case))
        self.done += 1

    def died(self, suite, this, report, again):
        name = report.case.name if report else "no case"
        self.tap.line(f"# died: the guest of {suite}, while {name} ran: {this.end}{'; that runs again' if again else ''}")
        for line in report.lines if report else []:
            self.tap.line(f"#   {line}")
        self.tell_end(this)
        if report:
            self.times.add(suite, report.case.name, time.monotonic() - report.began, "died")

    def tell_end(self, this):
        for line in this.last_words():
            self.tap.line(f"#   {line}")

    def give_up(self, suite, cases, why):
        for case in cases:
            self.finish(suite, case, [f"not ok - {suite} {case.name}: ran ({why})"])

    def left(self):
        """In s, an estimate."""
        now, spent = time.monotonic(), {(each.suite, each.case): each.began for each in self.running.values()}
        each = [max(0, self.times.expected(suite, case.name) - (now - spent.get((suite, case), now)))
                for suite, case in self.waiting]
        return max([sum(each) / max(1, self.options.guests), *each])

    def progress(self):
        if self.options.transcript:
            return
        names = ", ".join(f"{each.suite} {each.case.name}" for each in self.running.values())
        text = f"guests: {self.done} of {self.total} cases, about {self.left() / 60:.0f} min left; running {names}"
        if sys.stderr.isatty():
            # On one line, which what is printed next takes the place of.
            text = f"\r\033[K{text[:os.get_terminal_size(2).columns - 1]}\r"
        print(text, end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
