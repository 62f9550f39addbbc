# SPDX-License-Identifier: MIT
"""Fixtures of the guest tests.

    image    each test that uses it (or run, or console) runs once for each debug image
    run      run(argv, add=[...], stdin=b"", expect=0, timeout=120, options=[...]) -> Result
    console  console(...) -> pexpect child on the interactive console, ended after the test

A test marked `slow` runs with --slow only (make check-long). --smp N: guests have N CPUs,
unless the test names a number, or counts instructions.
"""
import functools
import sys

sys.dont_write_bytecode = True
import pytest       # noqa: E402
import vm           # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--smp", type=int, default=1, help="CPUs of each guest (default 1)")
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too")


def pytest_configure(config):
    vm.default_smp = config.getoption("--smp")
    config.addinivalue_line("markers", "slow: minutes long; runs with --slow only")


def pytest_collection_modifyitems(config, items):
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow and not config.getoption("--slow"):
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


@pytest.fixture(params=vm.IMAGES)
def image(request):
    return request.param


@pytest.fixture
def run(image):
    return functools.partial(vm.run, image=image)


@pytest.fixture
def console(image):
    children = []

    def start(**options):
        children.append(vm.console(options.pop("image", image), **options))
        return children[-1]
    yield start
    for child in children:
        child.close(force=True)
