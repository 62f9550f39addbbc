#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the kernel's symbol table as a C source, from the first link of an image.

    tools/ksym.py [--nm NM] ELF OUT.c

The second link adds OUT.c behind the text, so the addresses stay as they were. Text symbols
only, ascending, as offsets from the image's base at -2 GiB.
"""
from __future__ import annotations

import argparse
import subprocess
import sys

BASE = 0xFFFFFFFF80000000


def parse_nm(text: str) -> list[tuple[int, str]]:
    """(offset, name) of each text symbol at or above BASE, one per address, ascending."""
    best: dict[int, tuple[bool, str]] = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) != 3 or fields[1] not in "tTwW":
            continue
        address, name = int(fields[0], 16), fields[2]
        if address < BASE or name.startswith(".L"):
            continue
        # A global name tells more than a local label at the same address.
        rank = (fields[1] not in "TW", name)
        if address - BASE not in best or rank < best[address - BASE]:
            best[address - BASE] = rank
    return [(offset, best[offset][1]) for offset in sorted(best)]


def numbers(values: list[int]) -> str:
    lines = [", ".join(f"{value:#x}" for value in values[i:i + 8])
             for i in range(0, len(values), 8)]
    return ",\n\t".join(lines) or "0"


def c_source(symbols: list[tuple[int, str]]) -> str:
    """The table in C: one string holds all names, an array says where each begins."""
    starts, position = [], 0
    for _, name in symbols:
        starts.append(position)
        position += len(name) + 1
    names = "\n\t".join(f'"{name}\\0"' for _, name in symbols) or '""'
    return ("/* SPDX-License-Identifier: MIT */\n"
            "/* Made by tools/ksym.py from the linked image. */\n"
            "extern const unsigned ksym_count, ksym_offsets[], ksym_name_offs[];\n"
            "extern const char ksym_names[];\n"
            f"const unsigned ksym_count = {len(symbols)};\n"
            f"const unsigned ksym_offsets[] = {{\n\t{numbers([o for o, _ in symbols])}\n}};\n"
            f"const unsigned ksym_name_offs[] = {{\n\t{numbers(starts)}\n}};\n"
            f"const char ksym_names[] =\n\t{names};\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nm", default="nm")
    parser.add_argument("elf")
    parser.add_argument("output")
    args = parser.parse_args()
    run = subprocess.run([args.nm, "-n", args.elf], capture_output=True, text=True)
    if run.returncode:
        print(f"ksym: {args.nm} {args.elf}: {run.stderr.strip()}", file=sys.stderr)
        return 1
    with open(args.output, "w", encoding="ascii") as file:
        file.write(c_source(parse_nm(run.stdout)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
