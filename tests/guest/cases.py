# SPDX-License-Identifier: LGPL-2.1-or-later
"""The suites that guests are made of, the cases, and which suite runs which.

A case is a shell script in cases/FOLDER, attacks or ../bench/guest; its name is its path there, such as
"common/10-load" or "attacks/20-fuse". What it wants of the guest stands in comments at its head:

    # timeout: SECONDS        in place of 300
    # cmdline: WORDS          more for the kernel's command line; cases with the same words share a guest
    # processors: 2           in place of 1, for what races; two that are emulated take more time than one
    # needs: test-modules     the modules of modules/
    # alone                   in a guest of its own, after all others: it may take the guest with it
"""

import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
# Where the cases of a suite are: what needs something newer than Debian 12 has is in cases/trixie.
SUITES = {
    "bookworm": ("common",),
    "trixie": ("common", "trixie"),
    "forky": ("common", "trixie"),
    "bookworm-backports": ("common",),
}

# What is run of a suite when nobody names it: of what differs from the others in the kernel, the bus, systemd or polkit,
# the cases that would notice.
SHORT = {
    "forky": """
        common/00-harness common/10-load trixie/10-busctl common/25-chain common/27-life common/30-privilege
        common/55-modprobe common/56-agent common/57-rules common/58-chain-prompt common/60-kernel-errors
        attacks/10-descriptors attacks/20-fuse attacks/21-linger attacks/30-collide attacks/40-dressed attacks/50-inside
        attacks/60-time
        """.split(),
    "bookworm-backports": "common/10-load attacks/10-descriptors attacks/60-time".split(),
}

# These move: today's may not be to be had tomorrow, which is no failure of ours.
MOVING = "forky", "bookworm-backports"


class Case:
    def __init__(self, name):
        self.name, self.path = name, path_of(name)
        head = re.match(r"(#.*\n)*", self.path.read_text())[0]
        self.timeout = int(said("timeout", head) or 300)
        self.cmdline = said("cmdline", head) or ""
        self.processors = int(said("processors", head) or 1)
        self.needs_modules = said("needs", head) == "test-modules"
        self.alone = re.search(r"^# alone$", head, re.MULTILINE) is not None


def said(key, head):
    found = re.search(rf"^# {key}: *(.*)$", head, re.MULTILINE)
    return found and found[1].strip()


def path_of(name):
    folder, _, stem = name.partition("/")
    parent = {"attacks": HERE / "attacks", "bench": HERE.parent / "bench/guest"}.get(folder, HERE / "cases" / folder)
    return parent / f"{stem}.sh"


def names(suite):
    """All cases of a suite, in order; what is measured runs only if it is named."""
    folders = [HERE / "cases" / folder for folder in SUITES[suite]] + [HERE / "attacks"]
    return [f"{folder.name}/{path.stem}" for folder in folders for path in sorted(folder.glob("*.sh"))]


def select(suite, wanted, whole):
    """The cases of a suite that a run is about: those named as somebody names them, else all or the short list."""
    found = names(suite)
    if not wanted:
        return [Case(name) for name in found if whole or name in SHORT.get(suite, found)]
    wanted = [re.sub(r"^.*/(?=[^/]+/[^/]+$)", "", word.removesuffix(".sh")) for word in wanted]
    found = [name for name in found if name in wanted or name.split("/")[1] in wanted]
    found += [name for name in wanted if name.startswith("bench/") and path_of(name).exists()]
    return [Case(name) for name in found]
