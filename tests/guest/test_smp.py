# SPDX-License-Identifier: MIT
"""Many CPUs: they start, share work fairly, take kills at once, contain a fork bomb exactly, and
stand the torture. Every test runs on 1, 2 and 4 CPUs; on 16 and 32 with --slow."""
import re
import statistics

import programs
import pytest
import vm

TICK_US = 10_000
CPUS = [1, 2, 4, pytest.param(16, marks=pytest.mark.slow), pytest.param(32, marks=pytest.mark.slow)]


@pytest.fixture(params=CPUS)
def cpus(request):
    return request.param


def p_smp(image, cpus, *words, options=(), **more):
    """Run p_smp on that many CPUs; its output as numbers where it is numbers."""
    result = vm.run(["/p_smp", *words], image, add=[programs.prog("p_smp")],
                    options=["--smp", cpus, *options], **more)
    return [[int(word) if word.lstrip("-").isdigit() else word for word in line.split()]
            for line in result.text.splitlines()]


def wide(cpus, seconds):
    """A bound for the harness: many virtual CPUs share few real ones."""
    return seconds * max(1, cpus // 2)


def test_all_cpus_are_seen(image, cpus):
    assert p_smp(image, cpus, "cpus") == [[cpus]]


def test_maxcpus_cuts(image):
    assert p_smp(image, 4, "cpus", options=["--append", "maxcpus=3"]) == [[3]]
    assert p_smp(image, 4, "cpus", options=["--append", "maxcpus=1"]) == [[1]]


def test_a_task_moves_over_all_cpus(image, cpus):
    assert p_smp(image, cpus, "move", 20 * cpus, timeout=wide(cpus, 60)) == [["moved"]]


def test_threads_come_to_the_right_answer(image, cpus):
    """16 threads, a mutex and two condition variables, a hundred times."""
    rows = p_smp(image, cpus, "threads", 100, timeout=wide(cpus, 180))
    assert rows == [[100, "of", 100, "right"]]


def unfair(rows, cpus, tasks, ms):
    """What is not fair about least, mean and most CPU time, or nothing."""
    (least, mean, most), = rows
    if mean < 0.8 * ms * 1000 * cpus / tasks:
        return f"CPUs stood idle: {mean} us of {ms * 1000 * cpus / tasks}"
    return "" if least >= 0.9 * mean and most <= 1.1 * mean else f"{least} .. {mean} .. {most} us"


@pytest.mark.slow
def test_spinners_share_fairly(image):
    """32 tasks that spin on 4 CPUs each get within 10 % of the mean over 5 s, by the host's time
    (test_sched.py counts instructions). What the host takes from a virtual CPU counts as its
    task's time, so a busy host gets more than one try."""
    words = []
    for _ in range(4):
        words.append(unfair(p_smp(image, 4, "fair", 32, 5000), 4, 32, 5000))
        if not words[-1]:
            return
    pytest.fail("; ".join(words))


def test_spinners_share_fairly_icount(image):
    assert not unfair(p_smp(image, 1, "fair", 8, 5000, options=["--icount"], timeout=240), 1, 8,
                      5000)


@pytest.mark.parametrize("what", ["threads", "loop", "pipe"])
def test_kill_takes_effect_within_two_ticks(image, what):
    """Guest time, counted in instructions: every single one."""
    rows = p_smp(image, 1, "kill", what, 5, options=["--icount"], timeout=400)
    assert len(rows) == 5 and all(us <= 2 * TICK_US for us, in rows), rows


@pytest.mark.slow
@pytest.mark.parametrize("what", ["threads", "loop", "pipe"])
def test_kill_on_many_cpus(image, what):
    """The host may hold a virtual CPU back, so here the median counts."""
    rows = p_smp(image, 4, "kill", what, 15)
    assert len(rows) == 15
    assert statistics.median(us for us, in rows) <= 2 * TICK_US, rows


def demo(image, cpus, limit="8M"):
    return vm.run(["demo", "forkbomb", "--limited", "--limit", limit, "--span", "300"], image,
                  options=["--smp", cpus], expect=(0, 1), timeout=wide(cpus, 120))


def check_contained(result, cpus):
    def cell(label):
        return re.search(rf"^  {re.escape(label)} .*?(\S.*)$", result.text, re.M)[1] \
            .split("  ")[-1].strip()

    predicted, reached = int(cell("processes predicted")), int(cell("processes reached"))
    usage, limit = map(int, cell("K usage, pages").split(" of "))
    assert usage <= limit and 0 < reached <= predicted, str(result)
    assert cell("refused") == "fork: ENOMEM" and cell("victim's failures") == "0"
    assert cell("audit") == "clean" and cell("all given back") == "yes", str(result)
    if cpus == 1:
        assert reached == predicted
        return
    short, bound = map(int, cell("short of predicted").split(" of at most "))
    left, needs = map(int, cell("pages left, for one more").split(", needs "))
    assert short == predicted - reached and short <= bound, str(result)
    assert left == limit - usage and left < needs, "refused although one more fits"


@pytest.mark.parametrize("limit", ["4M", "8M"])
@pytest.mark.parametrize("cpus", [1, 2, 4, 8])
def test_forkbomb_is_contained(image, cpus, limit):
    check_contained(demo(image, cpus, limit), cpus)


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(10))
@pytest.mark.parametrize("image", ["slub", "slab", "slub-debug", "slab-debug"])
def test_forkbomb_on_eight_cpus_again_and_again(image, turn):
    check_contained(demo(image, 8, "8M"), 8)


def test_torture_short(image, cpus):
    """More, with a new seed each time, by tools/torture."""
    result = vm.run(["torture", "--seed", cpus, "--rounds", 1], image, expect=None,
                    options=["--smp", cpus], timeout=wide(cpus, 240))
    assert result.status == 0 and result.text.endswith("torture: passed\n"), str(result)


@pytest.mark.parametrize("cpus", [2, 4])
def test_selftests_on_many_cpus(image, cpus):
    """The kernel's own tests, its torture included."""
    status, lines = vm.ktap(image, options=["--smp", cpus], timeout=300)
    bad = [line for line in lines if line.startswith("not ok")]
    assert status == 0 and not bad and lines[-1].startswith("1.."), "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("cpus, rounds", [(1, 50), (4, 20), (16, 5), (32, 2)])
def test_selftests_long(image, cpus, rounds):
    status, lines = vm.ktap(image, options=["--smp", cpus, "--append", f"torture={rounds}"],
                            timeout=rounds * wide(cpus, 120) + 300)
    assert status == 0 and not [line for line in lines if line.startswith("not ok")], \
        "\n".join(lines)
