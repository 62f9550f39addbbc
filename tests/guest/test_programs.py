# SPDX-License-Identifier: MIT
"""Outside programs: exit status, standard streams, start-up contract, kinds of ELF file."""
import hashlib
import random
import re

import programs
import pytest
import vm

MISC = "/p_misc"


def misc(run, *words, **options):
    return run([MISC, *words], add=[programs.prog("p_misc")], **options)


@pytest.mark.parametrize("status", [0, 1, 7, 77, 255])
def test_exit_status(run, status):
    misc(run, "exit", status, expect=status)


@pytest.mark.parametrize("signal", [4, 6, 8, 9, 11, 15])
def test_signal_status(run, signal):
    misc(run, "signal", signal, expect=128 + signal)


def test_segv_and_abort(run):
    misc(run, "segv", expect=139)
    misc(run, "abort", expect=134)


def test_tiny(run):
    result = run(["/tiny"], add=[programs.prog("tiny")], expect=7)
    assert result.stdout == b"" and result.stderr == b""


def test_nothing_else_is_printed(run):
    result = misc(run)
    assert result.stdout == b"" and result.stderr == b""


def test_not_found(run):
    result = run(["no-such-command"], expect=127)
    assert "not found" in result.errors
    run(["/no/such/command"], expect=127)


def test_not_executable(run, tmp_path):
    text = tmp_path / "text"
    text.write_text("not a program\n")
    run(["/text"], add=[text], expect=126)
    text.chmod(0o755)
    run(["/text"], add=[text], expect=126)
    run(["/bin"], expect=126)


def test_dynamic_program_lacks_its_interpreter(run):
    result = run(["/p_misc_dynamic"], add=[programs.prog("p_misc_dynamic")], expect=127)
    assert "ld-musl" in result.log, "the log names the interpreter"


def test_streams_are_binary_safe(run):
    data = random.Random(1).randbytes(200_000) + bytes(range(256)) + b"no newline at the end"
    result = misc(run, "cat", stdin=data)
    assert hashlib.sha256(result.stdout).digest() == hashlib.sha256(data).digest()
    assert result.stderr == b""
    result = misc(run, "cat2", stdin=data[:50_000])
    assert result.stderr == data[:50_000] and result.stdout == b""


def test_empty_input(run):
    assert misc(run, "cat", stdin=b"").stdout == b""


def test_both_streams(run):
    result = misc(run, "both", expect=3)
    assert result.text == "".join(f"out {i}\n" for i in range(100))
    assert result.errors == "".join(f"err {i}\n" for i in range(100))


def test_flood(run):
    result = misc(run, "flood")
    assert len(result.stdout) == 64 * 65536
    assert all(result.stdout[i * 65536] == ord("a") + i % 26 for i in range(64))


def test_arguments(run):
    words = ["", "a b", "*", "\u00fcml\u00e4ut", "x" * 900, "--", "-v", "=", "\n"]
    result = misc(run, "args", *words)
    assert [f"[{w}]" for w in [MISC, "args", *words]] == \
        re.findall(r"^\[.*?\]$", result.text, re.M | re.S)
    assert "{PATH=/bin:/sbin:/usr/bin:/usr/sbin}" in result.text


@pytest.mark.parametrize("name", ["p_misc", "p_misc_pie"])
def test_auxiliary_vector(run, name):
    result = run([f"/{name}", "auxv"], add=[programs.prog(name)])
    lines = result.text.splitlines()
    assert lines[:9] == ["random 1", "pagesz 4096", "phdr 1", "phent 1", "entry 1",
                         "ids 0000", "secure 0", "execfn self", "vdso 0"]


def test_random_bytes_differ_by_seed(run):
    first = misc(run, "auxv", options=["--seed", 1]).text.splitlines()[-1]
    second = misc(run, "auxv", options=["--seed", 2]).text.splitlines()[-1]
    assert first != second


@pytest.mark.parametrize("name", ["p_misc", "p_misc_pie"])
def test_tls_and_floating_point(run, name):
    result = run([f"/{name}", "tls"], add=[programs.prog(name)])
    assert result.text == "5 0.667\n"


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
def test_foreign_program(run, cpu):
    """-nostdlib, raw system calls, exit status 42 when all it found was right."""
    result = run(["/foreign", "b", "b"], add=[programs.prog("foreign")], expect=42,
                 options=["--cpu", cpu])
    assert "not ok" not in result.text and result.text.count("ok ") == 10


@pytest.mark.parametrize("suite", ["t_proc", "t_mem"])
def test_suite_on_the_largest_cpu(run, image, suite):
    """SMEP, SMAP, UMIP and the rest switched on."""
    result = run([f"/{suite}"], add=[programs.prog(suite)], expect=None,
                 options=["--cpu", "max"], timeout=240)
    bad = [line for line in result.text.splitlines() if not line.startswith(("ok ", "done "))]
    assert result.status == 0 and not bad, "\n".join(bad) + str(result)


@pytest.mark.parametrize("size", [1, 63, 64, 200, 4096, 20000])
def test_truncated_program(run, tmp_path, size):
    whole = (programs.BUILT / "p_misc").read_bytes() if programs.build() is None else b""
    cut = tmp_path / "cut"
    cut.write_bytes(whole[:size])
    cut.chmod(0o755)
    result = run(["/cut"], add=[cut], expect=None)
    assert result.status == 126 or 128 < result.status < 160, str(result)


def test_icount_runs_are_identical(image):
    runs = [vm.run([MISC, "auxv"], image, add=[programs.prog("p_misc")],
                   options=["--icount"]) for _ in range(3)]
    assert len({run.log for run in runs}) == 1 and len({run.stdout for run in runs}) == 1
