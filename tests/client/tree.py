# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes trees of kernel modules that no kernel would load, but whose files say what depmod(8) and modinfo(8) read."""

import os
import subprocess

RELEASE = "9.8.7-made"


def entries(name, info):
    lines = ["license=GPL", f"name={name}", f"vermagic={RELEASE} SMP "]
    return lines + [f"{key}={value}" for key, values in info.items() for value in values]


def quoted(text):
    """A string of C's; each byte by its number, so that none runs into the next."""
    return '"' + "".join(f"\\{byte:03o}" for byte in text.encode("utf-8", "surrogateescape")) + '"'


def make(directory, name, needs=(), **info):
    """Makes the module's file NAME.ko, which uses a symbol of each that it @needs; returns its path."""
    path = os.path.join(directory, name + ".ko")
    symbol = name.replace("-", "_") + "_value"
    if "depends" not in info:
        info["depends"] = [",".join(needs)]
    source = []
    for number, entry in enumerate(entries(name.replace("-", "_"), info)):
        source.append(f'static const char info{number}[] __attribute__((used, section(".modinfo"), aligned(1)))'
                      f" = {quoted(entry)};")
    source.append(f'static const char exported[] __attribute__((used, section("__ksymtab_strings"))) = "{symbol}";')
    used = [need.replace("-", "_") + "_value" for need in needs]
    source += [f"int {other}(void);" for other in used]
    source.append(f"int {symbol}(void) {{ return {' + '.join(other + '()' for other in used) or 0}; }}")
    os.makedirs(directory, exist_ok=True)
    command = ["gcc", "-x", "c", "-c", "-O0", "-fno-pic", "-w", "-o", path, "-"]
    subprocess.run(command, input="\n".join(source), encoding="ascii", check=True)
    os.chmod(path, 0o644)
    return path


def finish(root):
    """Has depmod(8) make the lists of what stands in @root/lib/modules/RELEASE."""
    directory = os.path.join(root, "lib/modules", RELEASE)
    for name in ["modules.order", "modules.builtin"]:
        path = os.path.join(directory, name)
        if not os.path.exists(path):
            with open(path, "w", encoding="ascii"):
                pass
    subprocess.run(["/sbin/depmod", "-b", root, RELEASE], check=True)
