#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that each kernel header compiles alone.

    tools/headers.py [--root DIR] [--self-test] [-- COMPILER FLAGS...]

Contract halves (asm/*.h) are reached through their contract header, so those are left out.
Exit 1 when one does not compile.
"""
from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile

DEFAULT = ["gcc", "-std=gnu11", "-ffreestanding", "-Wall", "-Wextra", "-I.", "-Iarch/x86_64"]


def headers(root: str) -> list[str]:
    """Headers below root, root-relative; of the ports, only those of x86_64."""
    found = []
    for top in ("arch", "boot", "kernel", "mm"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            found += [os.path.relpath(os.path.join(folder, name), root) for name in names
                      if name.endswith(".h")]
    return sorted(path for path in found
                  if "/asm/" not in path and not path.startswith("arch/host/"))


def check(root: str, compiler: list[str], verbose: bool = True) -> list[str]:
    """The headers that do not compile, with the compiler's messages on stderr if verbose."""
    broken = []
    for path in headers(root):
        run = subprocess.run([*compiler, "-Wno-unused-function", "-Werror", "-fsyntax-only",
                              "-include", path, "-x", "c", os.devnull], cwd=root, check=False,
                             stderr=subprocess.PIPE, text=True)
        if run.returncode:
            print(run.stderr if verbose else "", file=sys.stderr, end="")
            broken.append(path)
    return broken


def self_test(compiler: list[str]) -> int:
    """One header that leans on another's include must be found, one that does not must pass."""
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(os.path.join(root, "mm"))
        for name, text in (("good.h", "#include <stdint.h>\nuint32_t good(void);\n"),
                           ("bad.h", "uint32_t bad(void);\n")):
            with open(os.path.join(root, "mm", name), "w", encoding="utf-8") as file:
                file.write("#pragma once\n" + text)
        found = check(root, compiler, verbose=False)
    print(f"headers: self-test: planted mm/bad.h, found {', '.join(found) or 'nothing'}")
    return 0 if found == ["mm/bad.h"] else 1


def main() -> int:
    argv, compiler = sys.argv[1:], DEFAULT
    if "--" in argv:
        at = argv.index("--")
        argv, compiler = argv[:at], argv[at + 1:] or DEFAULT
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    parser.add_argument("--root", default=here)
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args(argv)
    if args.self_test:
        return self_test(compiler)
    broken = check(args.root, compiler)
    for path in broken:
        print(f"{path} does not compile alone")
    print(f"headers: {len(headers(args.root)) - len(broken)} compile alone, {len(broken)} do not")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
