# SPDX-License-Identifier: MIT
"""The demos are contained, and their ends are where they were computed to be. The prediction is
made here again, from the listings the demo prints, the stack size the kernel was told, and the
layout of page tables over the bomb's ELF file; never from the demo's own arithmetic."""
import re
import struct

import pytest
import vm

PAGE = 4096
IMAGES = ["slub", "slab", "slub-debug", "slab-debug"]
STACK_TOP = 0x7FFFFFFFF000


def listings(text):
    """Title -> {cache: (active, slabs, objects per slab, pages per slab)}."""
    found = {}
    for title, body in re.findall(r"^listing (.*?)\n(.*?)^end\n", text, re.M | re.S):
        found[title] = {
            name: (int(active), int(slabs), int(per_slab), int(pages))
            for name, active, per_slab, pages, slabs in re.findall(
                r"^([\w-]+) +(\d+) +\d+ +\d+ +(\d+) +(\d+) : .*: slabdata +\d+ +(\d+)", body, re.M)}
    return found


def table_pages(path):
    """Page tables of a process with the file's segments and a stack, four levels."""
    data = path.read_bytes()
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    ranges = [(STACK_TOP - PAGE, STACK_TOP)]
    for i in range(count):
        kind, _, _, address, _, _, bytes_ = struct.unpack_from("<IIQQQQQ", data, offset + i * size)
        if kind == 1:
            ranges.append((address, address + bytes_))
    return 1 + sum(len({region for low, high in ranges
                        for region in range(low >> shift, ((high - 1) >> shift) + 1)})
                   for shift in (39, 30, 21))


def step_of(before, after, steps):
    return {name: (new[0] - before.get(name, (0,))[0]) / steps for name, new in after.items()
            if new[0] > before.get(name, (0,))[0]}


def pages_after(step, shapes, start, usage, per_step, n):
    pages = usage + n * per_step
    for name, objects in step.items():
        active, slabs = start.get(name, (0, 0))[:2]
        _, _, per_slab, slab_pages = shapes[name]
        needed = -(-int(active + n * objects) // per_slab)
        pages += max(0, needed - slabs) * slab_pages
    return pages


def predict(text, steps, per_step, reserve=0):
    found = listings(text)
    before, after, start = found["trial, before"], found[f"trial, after {steps}"], found["start"]
    usage, limit = map(int, re.search(r"at the start (\d+) of (\d+) pages", text).groups())
    step = step_of(before, after, steps)
    n = 0
    while pages_after(step, after, start, usage, per_step, n + 1) <= limit - reserve:
        n += 1
    return n


def cell(text, label):
    """The last column of a row of the table."""
    return re.search(rf"^  {re.escape(label)} .*?(\S.*)$", text, re.M)[1].split("  ")[-1].strip()


def forkbomb(image, limit, *, stack=4, span=300, expect=(0, 1)):
    options = ["--append", f"kstack={stack}"] if stack != 4 else []
    result = vm.run(["demo", "forkbomb", "--limited", "--limit", limit, "--span", span,
                     "--tries", 1, "--verbose"], image, expect=expect, options=options)
    tables = table_pages(vm.BUILD / "user" / "forkbomb")
    return result, predict(result.text, 8, stack + tables)


@pytest.mark.parametrize("limit", ["4M", "8M", "32M", "100M"])
@pytest.mark.parametrize("image", IMAGES)
def test_forkbomb_ends_where_computed(image, limit):
    result, mine = forkbomb(image, limit)
    assert cell(result.text, "processes predicted") == str(mine), str(result)
    assert cell(result.text, "processes reached") == str(mine), str(result)
    assert cell(result.text, "refused") == "fork: ENOMEM"
    assert cell(result.text, "audit") == "clean" and cell(result.text, "all given back") == "yes"
    assert cell(result.text, "victim's failures") == "0"


@pytest.mark.parametrize("stack", [2, 8])
def test_stack_size_moves_the_end(image, stack):
    usual, mine_usual = forkbomb(image, "8M")
    other, mine_other = forkbomb(image, "8M", stack=stack)
    assert (mine_other < mine_usual) == (stack > 4)
    assert cell(other.text, "processes reached") == str(mine_other), str(other)
    assert cell(usual.text, "processes reached") == str(mine_usual), str(usual)


@pytest.mark.parametrize("limit", ["1M", "4M", "8M", "20M"])
@pytest.mark.parametrize("image", IMAGES)
def test_mkdirloop_stops_within_a_slab(image, limit):
    result = vm.run(["demo", "mkdirloop", "--limited", "--limit", limit, "--span", 300,
                     "--tries", 1, "--verbose"], image, expect=(0, 1))
    usage, bound = map(int, cell(result.text, "K usage, pages").split(" of "))
    shapes = listings(result.text)["trial, after 64"]
    slab = max(shapes[name][3] for name in ("dentry", "inode"))
    running = re.search(r"and (\d+) pages while a call runs", result.text)
    assert usage <= bound and bound - usage < slab + int(running[1] if running else 0)
    assert cell(result.text, "refused") == "mkdir: ENOMEM"
    assert cell(result.text, "victim's failures") == "0"
    assert cell(result.text, "audit") == "clean" and cell(result.text, "all given back") == "yes"
    mine = predict(result.text, 64, 0, int(running[1] if running else 0))
    assert cell(result.text, "depth predicted") == str(mine)


@pytest.mark.parametrize("image", ["slub", "slab"])
def test_the_victim_keeps_its_rate(image):
    """In guest time alone, where the host's load plays no part: at the first try."""
    result = vm.run(["demo", "all", "--limited", "--span", 200, "--tries", 1], image,
                    options=["--icount"])
    shares = re.findall(r"victim's operations .*\((\d+) %\)", result.text)
    assert len(shares) == 2 and all(int(share) >= 80 for share in shares), str(result)


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
def test_both_demos_are_contained(image, cpu):
    words = ["--room", 8] if cpu == "max" else []
    result = vm.run(["demo", "all", *words], image, options=["--cpu", cpu], timeout=300)
    assert result.text.rstrip().endswith("demo: contained"), str(result)
    assert max(map(len, result.text.splitlines())) <= 80
    for kind in ("forkbomb", "mkdirloop"):
        table = result.text[result.text.index(f"  {kind} "):]
        without = re.search(r"^  victim's failures +(\S+)", table, re.M)[1]
        assert int(without) > 0, "without a limit the victim must be seen to fail"
        share = int(re.search(r"victim's operations .*\((\d+) %\)", table)[1])
        assert share >= 80


def test_bad_words(run):
    assert "usage" in run(["demo", "--limit", "x"], expect=2).errors
    assert "usage" in run(["demo", "bogus"], expect=2).errors
