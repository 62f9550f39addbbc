# SPDX-License-Identifier: MIT
"""The system call fuzzer: the machine stays sound, and so does what comes after it."""
import re

import pytest
import vm

LISTED = vm.ROOT / "kernel" / "sys" / "abi.h"
TABLE = vm.ROOT / "user" / "callfuzz_calls.c"


def fuzz(run, calls, *, threads, smp, seed, timeout):
    result = run(["/bin/sh", "-c", f"callfuzz --calls {calls} --threads {threads} --seed {seed};"
                  "echo status $?; cg audit; echo one | sed s/one/usable/"],
                 timeout=timeout, options=["--smp", smp])
    assert "callfuzz: sound\nstatus 0\n" in result.text, str(result)
    assert "clean" in result.text and "usable" in result.text, str(result)
    done = re.search(r"^calls (\d+), .* \((\d+) %\)", result.text, re.M)
    assert int(done[1]) == calls and int(done[2]) >= 30, done[0]
    return result


def numbers(text, pattern):
    return {(int(nr), name) for nr, name in re.findall(pattern, text)}


def test_every_call_is_known():
    """The fuzzer's table and the kernel's list name the same calls."""
    kernel = LISTED.read_text()
    named = {name: int(nr) for name, nr in re.findall(r"#define (SYS_\w+)\s+(\d+)", kernel)}
    listed = numbers(kernel, r"X\((\d+), (\w+)\)")
    listed |= {(named[macro], name) for macro, name in re.findall(r"X\((SYS_\w+), (\w+)\)", kernel)}
    table = numbers(TABLE.read_text(), r"(?:CALL|RUN)\((\d+), (\w+)")
    assert listed == table, listed ^ table


@pytest.mark.parametrize("smp, threads, seed", [(1, 2, 1), (4, 4, 2)])
def test_callfuzz(run, smp, threads, seed):
    fuzz(run, 10_000, threads=threads, smp=smp, seed=seed, timeout=240)


@pytest.mark.slow
def test_a_million_calls(run):
    """Each call has succeeded and failed at least 20 times, or callfuzz says TOO FEW and fails."""
    fuzz(run, 1_000_000, threads=4, smp=4, seed=3, timeout=5400)
