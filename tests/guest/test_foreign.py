# SPDX-License-Identifier: MIT
"""Programs that were made for Linux run unmodified and print the same lines: static ones of glibc
and musl with threads and signals, C++ with exceptions, and the static shells of Debian's mksh."""
import os
import subprocess
import sys

import programs
import pytest
import vm

FOREIGN = vm.ROOT / "tests" / "guest" / "foreign"
OURS = ("f_threads_glibc", "f_threads_musl", "f_threads_pie", "f_exceptions")
SHELLS = ("usr/lib/klibc/bin/mksh", "usr/lib/x86_64-linux-musl/bin/mksh", "bin/lksh")

linux = pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64",
                           reason="the same program must run here to compare with")


def native(argv, folder):
    """What Linux makes of it: status and standard output."""
    done = subprocess.run(argv, cwd=folder, capture_output=True, stdin=subprocess.DEVNULL,
                          env={"PATH": "/bin:/usr/bin"}, timeout=60, check=False)
    return done.returncode, done.stdout.decode()


@linux
@pytest.mark.parametrize("name", OURS)
def test_program(name, run, tmp_path):
    host, guest = programs.prog(name)
    status, lines = native([host], tmp_path)
    assert status == 0 and lines
    result = run([guest], add=[(host, guest)], expect=None, options=["--smp", "4"])
    assert (result.status, result.text) == (status, lines), result


@pytest.fixture(scope="module")
def mksh():
    """The unpacked package."""
    done = subprocess.run([str(vm.ROOT / "tools" / "deb"), "--build", str(vm.BUILD), "mksh"],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("no mksh from Debian: " + done.stderr.strip())
    return vm.BUILD / "debian" / "mksh"


@linux
@pytest.mark.parametrize("shell", SHELLS)
def test_mksh(shell, mksh, run, tmp_path):
    script = FOREIGN / "shell.sh"
    expected = native([str(mksh / shell), str(script)], tmp_path)
    assert expected[0] == 9, expected
    result = run(["/mksh", "/shell.sh"], add=[(mksh / shell, "/mksh"), (script, "/shell.sh")],
                 expect=None)
    assert (result.status, result.text) == expected, result
