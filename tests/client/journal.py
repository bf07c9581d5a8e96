# SPDX-License-Identifier: LGPL-2.1-or-later
"""A journal for tests, which systemd-journal-remote(8) writes with the fields that only journald could give an entry."""

import os
import subprocess

WRITER = "/lib/systemd/systemd-journal-remote"
# 2023-11-14 22:13:20 UTC
EPOCH = 1700000000

LOADED = "c27afa63badf458bb67ff05d8f192ef5"
REFUSED = "a5296f9c60fb4d918dd11e3a0ce70312"
UNLOADED = "4d7966bc4e074379b748adbb9f35cc4d"
SUPPRESSED = "6a1fc0b6531d47e29db7887e7752a0b0"


def entry(second, **fields):
    """In the journal's export format, as moduled would have written it unless @fields say otherwise."""
    fields = {
        "__REALTIME_TIMESTAMP": (EPOCH + second) * 1000000,
        "__MONOTONIC_TIMESTAMP": (1 + second) * 1000000,
        "_BOOT_ID": "0123456789abcdef0123456789abcdef",
        "_SYSTEMD_UNIT": "moduled.service",
        "_UID": 997,
        "_COMM": "moduled",
        **fields,
    }
    return "".join(f"{key}={value}\n" for key, value in fields.items()) + "\n"


def write(root):
    """Writes it where a system mounted on @root would have it."""
    directory = os.path.join(root, "var/log/journal/0123456789abcdef0123456789abcdef")
    os.makedirs(directory)
    loaded = {
        "MESSAGE_ID": LOADED,
        "MESSAGE": "Loaded module dummy for uid 0.",
        "MODULED_MODULE": "dummy",
        "MODULED_PATH": "/usr/lib/modules/x/dummy.ko",
        "MODULED_ORIGIN": "modules",
        "MODULED_PARAMETERS": "numdummies=1",
        "MODULED_CALLER_UID": 0,
        "MODULED_CALLER_PID": 123,
        "MODULED_CALLER_UNIT": "session-1.scope",
        "MODULED_RESULT": "done",
    }
    refused = {
        "MESSAGE_ID": REFUSED,
        "MESSAGE": "The file /home/\\x1b.ko is nowhere good.",
        "MODULED_PATH": "/home/\x1b[31m.ko",
        "MODULED_CALLER_UID": 4000000000,
        "MODULED_RESULT": "org.moduled1.Error.OriginRefused",
        "MODULED_LOST_ENTRIES": 7,
    }
    entries = [
        entry(0, **loaded),
        # A user's own unit of that name, and somebody who only says so.
        entry(1, **{**loaded, "_SYSTEMD_UNIT": "user@1000.service", "_SYSTEMD_USER_UNIT": "moduled.service"}),
        entry(2, **{**loaded, "_SYSTEMD_UNIT": "session-3.scope", "SYSTEMD_UNIT": "moduled.service"}),
        # What systemd says of the unit, and what the unit says of other things.
        entry(3, MESSAGE="Started moduled.", UNIT="moduled.service", _SYSTEMD_UNIT="init.scope"),
        entry(4, MESSAGE="The configuration is read."),
        entry(3600, **refused),
        entry(7200, **{**loaded, "MESSAGE_ID": UNLOADED, "MODULED_MODULE": "snd_dummy"}),
        entry(7201, MESSAGE_ID=SUPPRESSED, MESSAGE="9 further requests of uid 5 were refused or failed."),
    ]
    command = [WRITER, "--output", os.path.join(directory, "system.journal"), "-"]
    subprocess.run(command, input="".join(entries).encode(), check=True, stderr=subprocess.DEVNULL)
    for path, directories, files in os.walk(root):
        for name in directories + files:
            os.chmod(os.path.join(path, name), 0o755)
