# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was measured, as one table."""

import statistics


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def in_unit(value):
    for unit, size in ("s", 1e6), ("ms", 1e3):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} µs"


def spread(values):
    """The median, and between what half of them lie; in µs."""
    text = in_unit(statistics.median(values))
    if len(values) < 4:
        return text
    return f"{text} ({in_unit(percentile(values, 0.25))} – {in_unit(percentile(values, 0.75))})"


class Table:
    """Rows of: what, where, ours, the alternative, the floor, their ratio and what it should be."""

    HEAD = ("", "where", "ours", "alternative", "floor", "ratio", "target")

    def __init__(self, where):
        self.where = where

    def add(self, what, ours, alternative="", floor="", ratio=None, target=None, unit=""):
        """A target is the most that the ratio may be."""
        verdict = ""
        if target is not None:
            verdict = f"≤ {target:g}{unit}: {'met' if ratio <= target else '**missed**'}"
        shown = "" if ratio is None else f"{ratio:.3g}{unit}"
        row = (what, self.where, ours, alternative, floor, shown, verdict)
        print("| " + " | ".join(row) + " |", flush=True)

    def begin(self):
        print("| " + " | ".join(self.HEAD) + " |")
        print("| --- " * len(self.HEAD) + "|", flush=True)
