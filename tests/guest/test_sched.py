# SPDX-License-Identifier: MIT
"""Shares of spinning tasks where time is counted in instructions, so that they do not depend on the
host; and the suite t_smp on four CPUs that run at once."""
import re

import programs
import pytest
import vm


def figures(cpus, *argv):
    result = vm.run(["/p_smp", *argv], "slub", add=[programs.prog("p_smp")], timeout=280,
                    options=["--smp", cpus, "--icount"])
    return [[int(word) for word in line.split()] for line in result.text.splitlines()]


@pytest.mark.parametrize("cpus, tasks, ms, part", [
    (1, 8, 1400, 0.1),          # three and a half rounds, if slices were long
    (4, 5, 5000, 0.04),         # one CPU has two
    (4, 32, 5000, 0.1), (4, 33, 5000, 0.1)])
def test_spinning_tasks_get_equal_shares(cpus, tasks, ms, part):
    (least, mean, most), = figures(cpus, "fair", tasks, ms)
    assert (1 - part) * mean <= least <= most <= (1 + part) * mean, f"{least} .. {mean} .. {most}"


def test_suite_on_four_cpus(image):
    result = vm.run(["/t_smp"], image, add=[programs.prog("t_smp")], expect=None, timeout=240,
                    options=["--smp", 4])
    passed = re.findall(r"^ok (\w+)$", result.text, re.M)
    assert result.status == 0 and passed == programs.tests_of("t_smp"), str(result)
