#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check the floors: a file includes only its own folder and lower floors.

    tools/floors.py [--root DIR] [--self-test]

Also: includes are root-relative, name a file that exists, reach a port only through its
contract (arch/*.h), and use no system header but the four freestanding ones (arch/host, a
program of the host, may use its libc). *_impl.h stays inside its folder. Exit 1 on a violation.
"""
from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile

FLOORS = {"kernel/lib": 0, "arch": 1, "boot": 1, "kernel/sync": 2, "mm": 3, "kernel/sched": 4,
          "kernel/vm": 5, "kernel/cgroup": 5, "kernel/ipc": 5, "kernel/fs": 6,
          "kernel/proc": 7, "kernel/sys": 8}
ROOF = 9
PORTS = ("arch/x86_64", "arch/host")
ONE_FLOOR = {"arch", "boot"}       # two folders, one floor, open to each other
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h"}
INCLUDE = re.compile(r'^\s*[#%]\s*include\s*([<"])([^>"]+)[>"]')


def house_of(path: str) -> str | None:
    """The floor's folder a root-relative path belongs to; "kernel" is the roof."""
    folder = os.path.dirname(path)
    if folder.split("/")[0] == "arch":
        return "arch"
    if folder in FLOORS:
        return folder
    return "kernel" if folder == "kernel" else None


def floor_of(house: str) -> int:
    return FLOORS.get(house, ROOF)


def port_of(path: str) -> str | None:
    return next((port for port in PORTS if path.startswith(port + "/")), None)


def sources(root: str) -> list[str]:
    """Every kernel source below root, root-relative, sorted."""
    found = []
    for top in ("arch", "boot", "kernel", "mm"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            found += [os.path.relpath(os.path.join(folder, name), root) for name in names
                      if name.endswith((".c", ".h", ".asm"))]
    return sorted(found)


def includes(root: str, path: str) -> list[tuple[int, bool, str]]:
    """(line number, is angled, name) for each include of a file."""
    found = []
    with open(os.path.join(root, path), encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            match = INCLUDE.match(line)
            if match:
                found.append((number, match[1] == "<", match[2]))
    return found


def resolve(root: str, path: str, name: str) -> str | None:
    """Root-relative path an include means, or None. asm/ is the port's include root."""
    if name.startswith("asm/"):
        own = port_of(path)
        for port in (own,) if own else PORTS:
            if os.path.exists(os.path.join(root, port, name)):
                return f"{port}/{name}"
        return None
    return name if os.path.isfile(os.path.join(root, name)) else None


def judge_angled(path: str, name: str) -> str | None:
    if name in FREESTANDING or port_of(path) == "arch/host":
        return None
    return f"<{name}> is not a freestanding header"


def judge(root: str, path: str, name: str) -> str | None:
    """Why this quoted include is wrong, or None. An upward one starts with 'upward'."""
    target = resolve(root, path, name)
    if target is None:
        return f'"{name}": no such file under the root (includes are root-relative)'
    mine, theirs = house_of(path), house_of(target)
    if mine is None or theirs is None:
        return f'"{name}": outside the floors'
    if floor_of(theirs) > floor_of(mine):
        return f'upward: {mine} (floor {floor_of(mine)}) includes "{name}" ' \
               f"(floor {floor_of(theirs)})"
    beside = mine != theirs and floor_of(theirs) == floor_of(mine)
    if beside and {mine, theirs} != ONE_FLOOR:
        return f'upward: {mine} includes its neighbour on the same floor, "{name}"'
    port = port_of(target)
    if port and not name.startswith("asm/") and port_of(path) != port and mine != "boot":
        return f'"{name}": a port is reached only through its contract, arch/*.h'
    if name.endswith("_impl.h") and os.path.dirname(target) != os.path.dirname(path):
        return f'"{name}" is private to its folder'
    return None


def check(root: str) -> list[str]:
    """All violations below root, as file:line: reason."""
    found = []
    for path in sources(root):
        for number, angled, name in includes(root, path):
            why = judge_angled(path, name) if angled else judge(root, path, name)
            if why:
                found.append(f"{path}:{number}: {why}")
    return found


PLANTED = {     # file -> (its text, part of the complaint it must cause or None)
    "mm/page.h": ('#include "kernel/lib/types.h"\n#include <stdint.h>\n', None),
    "mm/slab_impl.h": ("", None),
    "kernel/lib/types.h": ("", None),
    "kernel/fs/vfs.h": ("", None),
    "kernel/vm/vm.h": ("", None),
    "arch/cpu.h": ('#include "asm/cpu.h"\n', None),
    "arch/x86_64/asm/cpu.h": ("", None),
    "arch/host/host.c": ("#include <pthread.h>\n", None),
    "boot/bootinfo.c": ('#include "arch/cpu.h"\n', None),
    "kernel/main.c": ('#include "kernel/fs/vfs.h"\n', None),
    "mm/bad_up.c": ('#include "kernel/fs/vfs.h"\n', "upward: mm (floor 3)"),
    "kernel/lib/bad.c": ('# include "mm/page.h"\n', "upward: kernel/lib"),
    "kernel/cgroup/bad.c": ('#include "kernel/vm/vm.h"\n', "neighbour"),
    "mm/bad_libc.c": ("#include <stdio.h>\n", "freestanding"),
    "mm/bad_relative.c": ('#include "page.h"\n', "no such file"),
    "mm/bad_port.c": ('#include "arch/x86_64/asm/cpu.h"\n', "contract"),
    "kernel/sched/bad.c": ('#include "mm/slab_impl.h"\n', "private"),
    "arch/x86_64/bad.asm": ('%include "mm/page.h"\n', "upward: arch"),
}


def self_test() -> int:
    """Plant each kind of violation in a tree of its own; all must be found, nothing else."""
    with tempfile.TemporaryDirectory() as root:
        for path, (text, _) in PLANTED.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        found = check(root)
    wanted = {path: part for path, (_, part) in PLANTED.items() if part}
    missed = [path for path, part in wanted.items()
              if not any(line.startswith(path + ":") and part in line for line in found)]
    extra = [line for line in found if line.split(":")[0] not in wanted]
    for line in missed + extra:
        print(f"floors: self-test: {line}", file=sys.stderr)
    print(f"floors: self-test: {len(wanted) - len(missed)} of {len(wanted)} planted "
          f"violations found, {len(extra)} false")
    return 1 if missed or extra else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    parser.add_argument("--root", default=here)
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    found = check(args.root)
    for line in found:
        print(line)
    upward = sum(": upward: " in line for line in found)
    print(f"floors: {len(sources(args.root))} files, {upward} upward includes, "
          f"{len(found) - upward} other violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
