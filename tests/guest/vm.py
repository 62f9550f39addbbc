# SPDX-License-Identifier: MIT
"""Run a command in a guest through tools/vm, for tests."""
from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pexpect

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / (os.environ.get("BUILD") or "build")
VM = ROOT / "tools" / "vm"
IMAGES = ("slub-debug", "slab-debug")
default_smp = 1         # CPUs of a guest whose options do not say: pytest --smp N
PANIC, HANG, TIMEOUT, HARNESS, NOTRUN = 250, 251, 252, 253, 254


@dataclass
class Result:
    """What came back from one run. stderr ends with tools/vm's verdict if that was not the
    command's own; log is the kernel's."""
    status: int
    stdout: bytes
    stderr: bytes
    log: str

    @property
    def text(self) -> str:
        return self.stdout.decode("utf-8", "replace")

    @property
    def errors(self) -> str:
        return self.stderr.decode("utf-8", "replace")

    def __str__(self) -> str:
        tail = "\n".join(self.log.splitlines()[-15:])
        return (f"status {self.status}\n--- stdout\n{self.text}\n--- stderr\n{self.errors}\n"
                f"--- end of the log\n{tail}")


def vm_args(image: str, add=(), timeout: float | None = None, options=()) -> list[str]:
    """The tools/vm command up to its `--`. add: host paths, or (host, guest) pairs."""
    args = [str(VM), "--image", image]
    for item in add:
        pair = item if isinstance(item, tuple) else (item,)
        args += ["--add", ":".join(str(part) for part in pair)]
    if timeout is not None:
        args += ["--timeout", str(timeout)]
    words = [str(option) for option in options]
    if default_smp > 1 and not {"--smp", "--icount"} & set(words):
        args += ["--smp", str(default_smp)]
    return args + words


def run(argv, image: str = IMAGES[0], *, add=(), stdin: bytes | None = b"", expect=0,
        timeout: float = 120, options=()) -> Result:
    """Run argv as the guest's command. Fails the test unless the exit status is `expect` (a
    number, several, or None for any). options: more words for tools/vm. Many CPUs on few real
    ones take longer, so they get more time."""
    timeout *= max(1, default_smp // 4)
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        words = vm_args(image, add, timeout, options) + ["--log", log, "--", *map(str, argv)]
        done = subprocess.run(words, input=stdin, capture_output=True, check=False,
                              timeout=timeout + 60)
        text = Path(log).read_text(errors="replace") if os.path.exists(log) else ""
    result = Result(done.returncode, done.stdout, done.stderr, text)
    wanted = (expect,) if isinstance(expect, int) else expect
    assert wanted is None or result.status in wanted, f"wanted {wanted}, got {result}"
    return result


def ktap(image: str, *, timeout: float = 300, options=()) -> tuple[int, list[str]]:
    """Run the kernel's own tests: exit status and KTAP lines (what went wrong at the end)."""
    words = vm_args(image, (), timeout, [*options, "--ktap"])
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=timeout + 60)
    lines = done.stdout.splitlines()
    return done.returncode, lines + (done.stderr.splitlines()[-30:] if done.returncode else [])


def console(image: str = IMAGES[0], *, add=(), timeout: float = 120, options=()):
    """An interactive guest under pexpect; close it with .close(force=True)."""
    words = vm_args(image, add, timeout, options)
    return pexpect.spawn(words[0], words[1:], timeout=60, encoding="utf-8",
                         codec_errors="replace", dimensions=(25, 100))
