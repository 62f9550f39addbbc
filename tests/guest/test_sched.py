# SPDX-License-Identifier: MIT
"""Shares of spinning tasks on four CPUs where time is counted in instructions, so that they do not
depend on the host; and the suite t_smp on four CPUs that run at once."""
import re

import programs
import pytest
import vm


def figures(*argv):
    result = vm.run(["/p_smp", *argv], "slub", add=[programs.prog("p_smp")], timeout=280,
                    options=["--smp", 4, "--icount"])
    return [[int(word) for word in line.split()] for line in result.text.splitlines()]


@pytest.mark.parametrize("tasks, ms", [(5, 5000), (32, 5000), (33, 5000)])
def test_spinning_tasks_get_equal_shares(tasks, ms):
    (least, mean, most), = figures("fair", tasks, ms)
    assert 0.9 * mean <= least <= most <= 1.1 * mean, f"{least} .. {mean} .. {most} us"


def test_suite_on_four_cpus(image):
    result = vm.run(["/t_smp"], image, add=[programs.prog("t_smp")], expect=None, timeout=240,
                    options=["--smp", 4])
    passed = re.findall(r"^ok (\w+)$", result.text, re.M)
    assert result.status == 0 and passed == programs.tests_of("t_smp"), str(result)
