# SPDX-License-Identifier: MIT
"""The guest test programs: building them, and running a suite of sub-tests once per image."""
from __future__ import annotations

import functools
import re
import subprocess

import vm

PROGS = vm.ROOT / "tests" / "guest" / "progs"
BUILT = vm.BUILD / "guest"


@functools.lru_cache(maxsize=None)
def build() -> None:
    done = subprocess.run(["make", "-s", f"BUILD={vm.BUILD}", "guest-progs"], cwd=vm.ROOT, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def prog(name: str, guest: str | None = None) -> tuple[str, str]:
    """An `add` pair that puts a test program at /NAME (or elsewhere)."""
    build()
    return str(BUILT / name), guest or f"/{name}"


def suites() -> list[str]:
    return sorted(path.stem for path in PROGS.glob("t_*.c"))


def tests_of(suite: str) -> list[str]:
    """Names of a suite's sub-tests, in order, from its source."""
    return re.findall(r"^TEST\((\w+)\)", (PROGS / f"{suite}.c").read_text(), re.M)


@functools.lru_cache(maxsize=None)
def run_suite(suite: str, image: str) -> tuple[dict[str, str], vm.Result]:
    """One boot for all sub-tests. name -> "" (passed) or why not."""
    result = vm.run([f"/{suite}"], image, add=[prog(suite)], expect=None, timeout=240)
    verdicts: dict[str, str] = {}
    for line in result.text.splitlines():
        match = re.match(r"(ok|not ok) (\w+) ?(.*)", line)
        if match and not verdicts.get(match[2]):
            verdicts[match[2]] = "" if match[1] == "ok" else match[3] or "failed"
    return verdicts, result
