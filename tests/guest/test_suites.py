# SPDX-License-Identifier: MIT
"""Every sub-test of the C suites in progs/, on each image. A suite is booted once."""
import programs
import pytest

CASES = [(suite, name) for suite in programs.suites() for name in programs.tests_of(suite)]


@pytest.mark.parametrize("suite, name", CASES, ids=[f"{s}-{n}" for s, n in CASES])
def test_suite(suite, name, image):
    verdicts, result = programs.run_suite(suite, image)
    assert name in verdicts, f"{name} gave no verdict; {result}"
    assert not verdicts[name], f"{verdicts[name]}\n{result.errors[-3000:]}"
