# SPDX-License-Identifier: MIT
"""tools/vm from end to end, with a guest of our own that plays each way a run can end."""
import os
import signal
import struct
import subprocess
import time
from pathlib import Path

import pytest
from vmlib.frames import encode

ROOT = Path(__file__).resolve().parent.parent.parent
VM = ROOT / "tools" / "vm"
SOURCE = Path(__file__).with_name("fake_guest.asm")
BEAT = encode(b"b")


def status(word):
    return encode(b"s", struct.pack("<I", word))


@pytest.fixture(scope="module")
def iso(tmp_path_factory):
    """An ISO of tools/mkiso that holds guests under the kernels' names; each says its own."""
    folder = tmp_path_factory.mktemp("iso")
    images = []
    for name in ("slub", "slab", "slub-debug"):
        images.append(folder / f"tally-{name}.elf")
        assemble(folder, BEAT + encode(b"o", name.encode()) + status(0), b"", "exit", images[-1])
    (folder / "initrd.cpio").write_bytes(b"")
    subprocess.run([ROOT / "tools/mkiso", "-o", folder / "test.iso", "--initrd",
                    folder / "initrd.cpio", *images], check=True)
    return folder / "test.iso"


def assemble(folder, com2, com1, end, image):
    """Build the fake guest that writes com1 and com2 and ends so."""
    (folder / "com1").write_bytes(com1)
    (folder / "com2").write_bytes(com2)
    subprocess.run(["nasm", "-f", "elf32", f"-DEND={end}", f'-DCOM1="{folder}/com1"',
                    f'-DCOM2="{folder}/com2"', "-o", folder / "guest.o", SOURCE], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-n", "-Ttext=0x200000", "-e", "start", "-o", image,
                    folder / "guest.o"], check=True)


@pytest.fixture
def guest(tmp_path):
    """guest(com2, com1, end) -> path of a bootable image that plays them."""
    def build(com2=b"", com1=b"", end="exit"):
        assemble(tmp_path, com2, com1, end, tmp_path / "guest.elf")
        return tmp_path / "guest.elf"
    return build


def vm(image, *options, command=("/cmd",), stdin=b"", **more):
    """Run tools/vm in batch on an image."""
    words = [VM, "--image", image, "--mem", "32", *options]
    words += ["--", *command] if command else []
    return subprocess.run(words, input=stdin, capture_output=True, timeout=60, check=False,
                          **more)


def test_output_and_status_are_the_commands(guest):
    image = guest(BEAT + encode(b"o", b"out\0\xff") + encode(b"e", b"err\n") + status(7 << 8))
    run = vm(image)
    assert (run.returncode, run.stdout, run.stderr) == (7, b"out\0\xff", b"err\n")


def test_status_zero_prints_nothing_of_ours(guest):
    run = vm(guest(status(0)))
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


def test_signal_is_128_more(guest):
    assert vm(guest(status(9))).returncode == 137


def test_core_dump_bit_is_not_part_of_the_signal(guest):
    assert vm(guest(status(0x80 | 11))).returncode == 139


def test_verbose_names_the_verdict(guest):
    run = vm(guest(status(3 << 8)), "-v")
    assert run.returncode == 3 and b"vm: FAIL: exit status 3" in run.stderr


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, 50000])
def test_standard_input_reaches_the_guest(guest, size):
    data = os.urandom(size)
    run = vm(guest(BEAT + encode(b"r"), end="echo"), stdin=data)
    assert (run.returncode, run.stdout) == (0, data)


def test_closed_standard_input_is_end_of_file(guest):
    image = guest(encode(b"r"), end="echo")
    run = subprocess.run(f"{VM} --image {image} -- /cmd <&-", shell=True, timeout=60,
                         capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")


def test_open_but_silent_standard_input_does_not_hold_the_run(guest):
    reader, writer = os.pipe()
    try:
        run = subprocess.run([VM, "--image", guest(encode(b"r") + status(0)), "--", "/cmd"],
                             stdin=reader, timeout=60, capture_output=True, check=False)
    finally:
        os.close(reader)
        os.close(writer)
    assert run.returncode == 0


def test_panic_shows_the_report_from_the_log(guest):
    com1 = b"boot line\n[    0.1] PANIC: it broke\n  #0 kmem_cache_alloc+0x10\n"
    run = vm(guest(BEAT + encode(b"p", b"it broke"), com1))
    assert run.returncode == 250
    assert run.stderr == b"vm: PANIC: it broke\n" + com1.split(b"\n", 1)[1]


def test_panic_after_a_status_wins(guest):
    assert vm(guest(status(0) + encode(b"p", b"late"))).returncode == 250


def test_reset_is_a_panic(guest):
    run = vm(guest(BEAT, end="reset"))
    assert run.returncode == 250 and b"reset itself" in run.stderr


def test_end_without_status_is_a_panic(guest):
    run = vm(guest(BEAT, b"last words\n"))
    assert run.returncode == 250 and b"without a status" in run.stderr
    assert b"last words" in run.stderr


def test_silent_guest_hangs(guest):
    run = vm(guest(BEAT, end="halt"), "--hang", "1")
    assert run.returncode == 251 and b"vm: HANG: no heartbeat for 1 s" in run.stderr


def test_beating_guest_times_out(guest):
    run = vm(guest(BEAT, end="beat"), "--timeout", "2", "--hang", "60")
    assert run.returncode == 252 and b"vm: TIMEOUT" in run.stderr


def test_gibberish_on_the_host_port_is_the_harness(guest):
    run = vm(guest(BEAT + b"Z" * 10))
    assert run.returncode == 253 and b"vm: HARNESS: host port" in run.stderr


def test_firmware_text_before_the_first_frame_is_skipped(guest):
    run = vm(guest(b"\x1b[2J BdsDxe: loading boo" + BEAT + encode(b"o", b"hi") + status(0)))
    assert (run.returncode, run.stdout) == (0, b"hi")


def test_foreign_image_is_the_harness(tmp_path):
    (tmp_path / "noise").write_bytes(b"not an ELF file" * 100)
    run = vm(tmp_path / "noise")
    assert run.returncode == 253 and b"QEMU ended with status 1" in run.stderr


def test_missing_qemu_is_the_harness(guest):
    image = guest(status(0))
    run = subprocess.run(["/usr/bin/python3", VM, "--image", image, "--", "x"],
                         env={"PATH": "/nonexistent"}, capture_output=True, check=False)
    assert run.returncode == 253 and b"not installed" in run.stderr


def test_log_holds_the_first_serial_port(guest, tmp_path):
    vm(guest(status(0), b"hello log\n"), "--log", tmp_path / "log")
    assert (tmp_path / "log").read_bytes() == b"hello log\n"


KTAP_GOOD = ["KTAP version 1", "1..2", "ok 1 a", "    ok 1 inner", "ok 2 b # SKIP no CPU"]


@pytest.mark.parametrize("lines,code", [
    (KTAP_GOOD, 0),
    (KTAP_GOOD[:-1], 1),
    (["1..1", "not ok 1 a"], 1),
    (["ok 1 a"], 1),
])
def test_ktap_lines_and_verdict(guest, lines, code):
    image = guest(b"".join(encode(b"k", line.encode()) for line in lines))
    run = vm(image, "--ktap", command=None)
    assert (run.returncode, run.stdout.decode().splitlines()) == (code, lines)
    assert (b"FAIL" in run.stderr) == (code == 1)


def test_ktap_to_a_file(guest, tmp_path):
    image = guest(encode(b"k", b"1..1\nok 1 a\n"))
    assert vm(image, "--ktap", tmp_path / "out", command=None).returncode == 0
    assert (tmp_path / "out").read_text() == "1..1\nok 1 a\n"


def test_dump_at_panic_is_an_elf_core(guest, tmp_path):
    image = guest(BEAT + encode(b"p", b"look"), b"PANIC: look\n")
    run = vm(image, "--dump", tmp_path / "core")
    core = (tmp_path / "core").read_bytes()
    assert run.returncode == 250 and core[:4] == b"\x7fELF"
    assert b"PANIC: look" in core


def test_dump_on_request_leaves_the_guest_running(guest, tmp_path):
    core = tmp_path / "core"
    words = [VM, "--image", guest(BEAT, end="beat"), "--mem", "32", "--dump", core, "--timeout",
             "20", "--log", tmp_path / "log", "--", "x"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        wait_for((tmp_path / "log").exists)
        time.sleep(0.5)
        run.send_signal(signal.SIGUSR1)
        wait_for(lambda: core.exists() and core.stat().st_size > 32 << 20)
        assert run.poll() is None
        run.terminate()
        assert run.wait(10) == 128 + signal.SIGTERM


def wait_for(condition, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "never happened"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_qemu_outlives_us(guest, tmp_path, number):
    words = [VM, "--image", guest(BEAT, end="beat"), "--log", tmp_path / "log", "--", "x"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL) as run:
        wait_for((tmp_path / "log").exists)
        child = int(Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()[0])
        run.send_signal(number)
        run.wait(10)
    wait_for(lambda: not Path(f"/proc/{child}").exists(), 5)


def test_closed_output_ends_the_run(guest):
    image = guest(BEAT + encode(b"o", b"x" * 65536) * 8, end="beat")
    run = subprocess.run(f"{VM} --image {image} -- yes | head -c 1; exit ${{PIPESTATUS[0]}}",
                         shell=True, executable="/bin/bash", timeout=60, capture_output=True,
                         check=False)
    assert (run.returncode, run.stdout) == (141, b"x")


def test_icount_boots(guest):
    assert vm(guest(BEAT + status(5 << 8)), "--icount").returncode == 5


def test_console_shows_the_first_serial_port(guest):
    run = vm(guest(b"", b"menu\n"), command=None)
    assert (run.returncode, run.stdout) == (0, b"menu\n")


def test_console_is_bounded_by_timeout(guest):
    assert vm(guest(end="halt"), "--timeout", "1", command=None).returncode == 252


@pytest.mark.parametrize("firmware", [[], ["--uefi"]], ids=["bios", "uefi"])
@pytest.mark.parametrize("image", ["slub", "slab", "slub-debug"])
def test_iso_starts_the_image_we_name(iso, image, firmware):
    run = subprocess.run([VM, "--iso", iso, "--image", image, "--mem", "256", *firmware, "--",
                          "x"], stdin=subprocess.DEVNULL, capture_output=True, timeout=110,
                         check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, image.encode(), b"")


def test_iso_left_alone_starts_the_first_image(iso, tmp_path):
    subprocess.run(["qemu-system-x86_64", "-cdrom", iso, "-display", "none", "-nic", "none",
                    "-no-reboot", "-serial", "null", "-serial", f"file:{tmp_path}/com2",
                    "-device", "isa-debug-exit,iobase=0xf4,iosize=4"], timeout=60, check=False)
    assert b"slub" in (tmp_path / "com2").read_bytes()


def test_iso_without_the_image_we_name_says_nothing_wrong(iso):
    run = subprocess.run([VM, "--iso", iso, "--image", "slab-debug", "--hang", "1", "--timeout",
                          "12", "--", "x"], stdin=subprocess.DEVNULL, capture_output=True,
                         timeout=60, check=False)
    assert run.returncode in (250, 252) and run.stdout == b""


@pytest.mark.parametrize("firmware", [[], ["-bios", "/usr/share/ovmf/OVMF.fd"]],
                         ids=["bios", "uefi"])
def test_iso_boots_as_a_disk_too(iso, tmp_path, firmware):
    subprocess.run(["qemu-system-x86_64", *firmware, "-m", "256", "-drive",
                    f"file={iso},format=raw,snapshot=on", "-display", "none", "-nic", "none",
                    "-no-reboot", "-serial", "null", "-serial", f"file:{tmp_path}/com2",
                    "-device", "isa-debug-exit,iobase=0xf4,iosize=4"], timeout=60, check=False)
    assert encode(b"o", b"slub") in (tmp_path / "com2").read_bytes()
