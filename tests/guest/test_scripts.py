# SPDX-License-Identifier: MIT
"""Shell scripts print on Tally what they print on Debian's Linux with the same busybox.

Each scripts/NAME.sh has its recorded output beside it (tests/oracle/record). One boot runs all
of them, for each image and number of CPUs."""
import difflib
import functools
import sys

import pytest
import vm

ORACLE = vm.ROOT / "tests" / "oracle"
SCRIPTS = vm.ROOT / "tests" / "guest" / "scripts"
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.sh"))
SECONDS = 60                    # for each script

sys.path.insert(0, str(ORACLE))
import linux        # noqa: E402


@functools.lru_cache(maxsize=None)
def run_all(image, smp):
    """name -> (status, output) of every script, and what tools/vm said."""
    result = vm.run(["/run-scripts", "/scripts", SECONDS], image, expect=None, timeout=1200,
                    add=[(SCRIPTS, "/scripts"),
                         (ORACLE / "guest" / "run-scripts", "/run-scripts")],
                    options=["--smp", smp])
    return linux.split_output(result.stdout), result


def test_there_are_enough_scripts():
    assert len(NAMES) >= 60
    assert all((SCRIPTS / f"{name}.out").exists() for name in NAMES), "tests/oracle/record"


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("name", NAMES)
def test_script(name, image, smp):
    found, result = run_all(image, smp)
    assert name in found, f"{name} did not end; {result}"
    status, output = found[name]
    output += b"[status %d]\n" % status if status else b""
    recorded = (SCRIPTS / f"{name}.out").read_bytes()
    lines = [data.decode("utf-8", "replace").splitlines() for data in (recorded, output)]
    assert output == recorded, "\n" + "\n".join(
        difflib.unified_diff(*lines, "Linux", "Tally", lineterm=""))


@pytest.mark.parametrize("smp", [1, 4])
def test_the_machine_is_sound_after_them(image, smp):
    _, result = run_all(image, smp)
    assert result.status == 0 and "audit: clean" in result.text, str(result)
