# SPDX-License-Identifier: MIT
"""The program cg, several commands in one boot (p_seq runs them one after the other)."""
import re

import programs


def seq(run, *commands, expect=0):
    """Run the command lines in order. Returns (status, output) of each."""
    words = ["/p_seq"]
    for command in commands:
        words += [*command.split(), ";"]
    result = run(words, add=[programs.prog("p_seq"), programs.prog("p_misc", "/bin/p_misc")],
                 expect=expect)
    parts = re.split(r"^= (\d+)\n", result.text, flags=re.M)
    return [(int(status), text) for text, status in zip(parts[::2], parts[1::2])], result


def test_life_of_a_group(run):
    steps, _ = seq(run, "cg create /a", "cg set /a memory.kmem.limit_in_bytes 8M",
                   "cg get /a memory.kmem.limit_in_bytes", "cg list /", "cg list",
                   "cg exec /a -- cg get /a cgroup.procs", "cg rm /a", "cg list /", "cg audit")
    assert [status for status, _ in steps] == [0] * 9
    assert steps[2][1] == f"{8 << 20}\n"
    assert steps[3][1] == steps[4][1] == "a\n" and steps[7][1] == ""
    assert re.fullmatch(r"\d+\n", steps[5][1])
    assert "clean" in steps[8][1]


def test_exit_status_through_exec(run):
    steps, _ = seq(run, "cg create /a", "cg exec /a p_misc exit 9",
                   "cg exec /a -- p_misc signal 9", "cg exec /a no-such", "cg rm /a")
    assert [status for status, _ in steps] == [0, 9, 137, 127, 0]


def test_errors_are_words(run):
    steps, result = seq(run, "cg rm /none", "cg create /a/b", "cg get / no.such",
                        "cg set / memory.kmem.limit_in_bytes 1M", "cg create /a",
                        "cg create /a", "cg set /a memory.kmem.limit_in_bytes junk",
                        "cg attach /a 99999", "cg attach /a x", "cg exec /none cg list",
                        "cg rm /", "cg bogus", "cg rm /a")
    assert [status for status, _ in steps] == [1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 2, 0]
    for words in ("No such file", "File exists", "Invalid argument", "No such process",
                  "usage: cg"):
        assert words in result.errors, words


def test_kill_and_busy(run):
    steps, result = seq(run, "cg create /a", "cg set /a memory.kmem.limit_in_bytes 4M",
                        "&cg exec /a -- forkbomb", "sleep 2",   # to its end
                        "cg rm /a", "cg show -r /", "cg kill /a",
                        "victim --count 40 /tmp", "cg get /a cgroup.procs",
                        "sleep 1",              # pid 1 reaps what was killed
                        "cg set /a memory.force_empty 1",
                        "cg get /a memory.kmem.usage_in_bytes", "cg rm /a", "cg audit")
    assert [status for status, _ in steps] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert "busy" in result.errors
    show = next(text for _, text in steps if "K usage" in text)
    line = next(line for line in show.splitlines() if line.startswith("/a "))
    assert int(line.split()[1]) > 40, show      # tasks
    assert line.split()[3] == "4096K" and int(line.split()[5]) >= 1, show
    assert steps[10][1] == "0\n", "all given back"


def test_slabinfo_names(run):
    steps, _ = seq(run, "cg create /box", "cg set /box memory.kmem.limit_in_bytes 8M",
                   "cg exec /box -- mkdirloop --exit /tmp 50", "cg slabinfo",
                   "cg slabinfo /box", "cg rm /box", "cg slabinfo", "rmdeep /tmp/x", "cg audit")
    assert all(status == 0 for status, _ in steps), steps
    assert re.search(r"^dentry\(\d+:box\) +50 ", steps[3][1], re.M), steps[3][1]
    assert re.search(r"^dentry +50 ", steps[4][1], re.M)
    assert steps[3][1].startswith("slabinfo - version: 2.1\n")
    assert re.search(r"^dentry\(\d+:box\)dead +50 ", steps[6][1], re.M)


def test_show_tree(run):
    steps, _ = seq(run, "cg create /a", "cg create /a/b", "cg create /a/b/c", "cg create /d",
                   "cg show -r /", "cg show /a")
    names = [line.split()[0] for line in steps[4][1].splitlines()[1:]]
    assert sorted(names) == ["/", "/a", "/a/b", "/a/b/c", "/d"]
    assert len(steps[5][1].splitlines()) == 2
