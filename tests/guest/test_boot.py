# SPDX-License-Identifier: MIT
"""Boots that cannot succeed say why in one clear line; small machines and odd words."""
import os
import re
import select
import subprocess
import sys
import time

import pexpect
import programs
import pytest
import vm

sys.path.insert(0, str(vm.ROOT / "tools"))
import mkinitrd     # noqa: E402


def raw_boot(image, *, initrd=None, mem=512, append="", want, seconds=40):
    """Boot without tools/vm's help. The console's text once `want` matched, or at the end."""
    words = ["qemu-system-x86_64", "-machine", "pc", "-m", str(mem), "-display", "none",
             "-no-reboot", "-nic", "none", "-serial", "stdio", "-monitor", "none",
             "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
             "-kernel", str(vm.BUILD / f"tally-{image}.elf"), "-append", append]
    if initrd:
        words += ["-initrd", str(initrd)]
    text = ""
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as qemu:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not re.search(want, text):
            if not select.select([qemu.stdout], [], [], 0.2)[0]:
                continue
            got = os.read(qemu.stdout.fileno(), 65536)
            if not got:
                break
            text += got.decode("utf-8", "replace")
        qemu.kill()
    return text


def refused(image, want=r"\n.*(init|initrd|memory|archive|cpio).*\n", **options):
    text = raw_boot(image, want=want, **options)
    assert re.search(want, text), text
    assert "panic" not in text.lower() and "fault" not in text.lower(), text
    return text


@pytest.fixture
def archive():
    return (vm.BUILD / "initrd.cpio").read_bytes()


def test_no_initrd(image):
    refused(image, want=r"(?i)(no initrd|no init\b|cannot start /init|no module|/init).*\n")


def test_not_an_archive(image, tmp_path):
    path = tmp_path / "initrd"
    path.write_bytes(b"this is not a cpio archive" * 1000)
    refused(image, initrd=path, want=r"(?i)(damaged|archive|cpio|magic).*\n")


@pytest.mark.parametrize("keep", [10, 110, 5000, 100_000])
def test_truncated_archive(image, tmp_path, archive, keep):
    path = tmp_path / "initrd"
    path.write_bytes(archive[:keep])
    refused(image, initrd=path, want=r"(?i)(damaged|archive|cpio|truncated).*\n")


@pytest.mark.parametrize("field, value", [
    (0, b"070707"), (54, b"FFFFFFFF"), (94, b"FFFFFFFF"), (94, b"00000000"), (54, b"zzzzzzzz")])
def test_corrupt_header(image, tmp_path, archive, field, value):
    """The header of /init: its magic, file size and name size changed."""
    at = archive.index(b"\0init\0") if b"\0init\0" in archive else archive.index(b"init\0")
    start = archive.rindex(b"070701", 0, at + 6)
    path = tmp_path / "initrd"
    path.write_bytes(archive[:start + field] + value + archive[start + field + len(value):])
    refused(image, initrd=path, want=r"(?i)(damaged|archive|cpio|/init).*\n")


def test_init_is_not_a_program(image, tmp_path):
    box = mkinitrd.Archive()
    box.add("/init", 0o100755, b"hello")
    path = tmp_path / "initrd"
    path.write_bytes(box.pack())
    refused(image, initrd=path, want=r"(?i)/init.*\n")


def test_init_word(image):
    result = vm.run(["cg", "list"], image, expect=None, timeout=20,
                    options=["--append", "init=/nowhere"])
    assert result.status != 0 and "/nowhere" in result.log, str(result)


@pytest.mark.parametrize("mem", [16, 24, 32, 64])
def test_small_machine(image, mem):
    """16 MiB: it runs, or says that memory is short; never a panic or a hang."""
    result = vm.run(["cg", "audit"], image, expect=None, timeout=60, options=["--mem", mem])
    if result.status == 0:
        assert "clean" in result.text
    else:
        assert mem < 32 and re.search(r"(?i)memory", result.log), str(result)
        assert "panic" not in result.log.lower(), str(result)


def test_small_machine_survives_a_bomb(image):
    result = vm.run(["/p_seq", "victim", "--count", "10", "/tmp", ";", "cg", "create", "/a", ";",
                     "cg", "set", "/a", "memory.kmem.limit_in_bytes", "2M", ";",
                     "cg", "exec", "/a", "forkbomb", "--exit", ";", "cg", "audit"], image,
                    add=[programs.prog("p_seq")], options=["--mem", 32])
    assert "forks=" in result.text and "errno=012" in result.text and "clean" in result.text


def test_unlimited_bomb_ends(image):
    """The machine itself runs out: no panic, no hang, the bomb is refused or killed. Killed, it
    leaves its children behind and the machine full: then whatever runs next may be killed, or not
    even start (126)."""
    result = vm.run(["/p_seq", "forkbomb", "--exit", "16000", ";", "cg", "audit"], image,
                    add=[programs.prog("p_seq")], options=["--mem", 64], expect=(0, 126, 127, 137))
    refused = "errno=012" in result.text
    killed = "= 137" in result.text or result.status == 137
    assert (refused and "clean" in result.text) or killed, str(result)


PROMPT = r"[~/\w]* # "


def shell(console, **options):
    """A console at its shell's first prompt."""
    child = console(**options)
    child.expect("poweroff: the end")
    child.expect(PROMPT)
    return child


def say(child, line, want):
    child.sendline(line)
    child.expect(r"\r\n" + want)
    child.expect(PROMPT)


def test_shell(console):
    child = shell(console)
    say(child, "id -u; tty; pwd", r"0\r*\n/dev/console\r*\n/root")
    say(child, "cg audit", "audit: clean")
    say(child, "cg create /a; cg list", "a")
    say(child, "cd /no/such", ".*can't cd to /no/such")
    say(child, "no-such-program", ".*not found")
    say(child, "cat /usr/share/doc/busybox/copyright | grep -c 'General Public'", r"\d+")
    say(child, "su student -c 'id -un; touch /x'", "student.*Permission denied")
    child.sendline("exit")
    child.expect(PROMPT)
    say(child, "echo again", "again")
    child.sendline("poweroff")
    child.expect_exact(pexpect.EOF, timeout=30)


def test_job_control(console):
    child = shell(console)
    child.sendline("sleep 1000")
    time.sleep(1)
    child.send("\x03")
    child.expect(PROMPT)
    say(child, "echo $?", "130")
    child.sendline("cat")
    time.sleep(1)
    child.sendline("echoed")
    child.expect("echoed\r*\nechoed")
    child.send("\x1a")
    child.expect("Stopped")
    child.expect(PROMPT)
    say(child, "jobs", r".*Stopped.*cat")
    child.sendline("fg")
    child.expect("cat")
    child.send("\x04")
    child.expect(PROMPT)
    say(child, "sleep 500 & sleep 1; kill %1; wait; echo over", "(.*\n)*over")


def test_line_editing(console):
    """Keys are edited before the shell runs the line; the line before comes back."""
    child = shell(console)
    child.send("echo twp\x7fo\r")
    child.expect(r"\r\ntwo\r*\n")
    child.expect(PROMPT)
    child.send("\x1b[A")
    child.expect("echo two")
    child.send("\x01#\r")
    child.expect(PROMPT)
    child.send("ec\tho x\x15echo cleared\r")
    child.expect(r"\r\ncleared")


def test_demo_word(image):
    """demo=forkbomb on the kernel command line, as the boot menu's entries pass it."""
    text = raw_boot(image, initrd=vm.BUILD / "initrd.cpio", append="demo=forkbomb",
                    want=r"demo: (NOT )?contained", seconds=120)
    assert "demo: contained" in text, text
