# SPDX-License-Identifier: MIT
"""The checkers and makers of tools/, without a machine."""
import subprocess
import sys
from pathlib import Path

import floors
import headers
import ksym
import mkinitrd
import pytest
import shape
from vmlib import frames, options
from vmlib.frames import encode
from vmlib.verdict import NOTRUN, Refusal, from_wait_status

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT / "tools"


@pytest.mark.parametrize("tool", ["floors.py", "shape.py", "headers.py"])
def test_self_test_finds_what_it_planted(tool):
    run = subprocess.run([TOOLS / tool, "--self-test"], capture_output=True, text=True,
                         check=False)
    assert run.returncode == 0, run.stderr
    assert "planted" in run.stdout


# --- floors

def plant(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_floors_exit_1_and_name_the_line(tmp_path):
    plant(tmp_path, "kernel/fs/vfs.h", "")
    plant(tmp_path, "mm/a.c", '\n#include "kernel/fs/vfs.h"\n')
    run = subprocess.run([TOOLS / "floors.py", "--root", tmp_path], capture_output=True,
                         text=True, check=False)
    assert run.returncode == 1
    assert run.stdout.startswith("mm/a.c:2: upward: mm (floor 3)")
    assert "1 upward includes, 0 other violations" in run.stdout


def test_floors_pass_a_clean_tree(tmp_path):
    plant(tmp_path, "mm/page.h", "#include <stddef.h>\n")
    plant(tmp_path, "kernel/main.c", '#include "mm/page.h"\n')
    assert floors.check(tmp_path) == []


@pytest.mark.parametrize("lower,upper", [
    ("kernel/lib", "arch"), ("arch/x86_64", "kernel/sync"), ("kernel/sync", "mm"),
    ("mm", "kernel/sched"), ("kernel/sched", "kernel/vm"), ("kernel/cgroup", "kernel/vm"),
    ("kernel/vm", "kernel/cgroup"), ("kernel/vm", "kernel/fs"), ("kernel/fs", "kernel/proc"),
    ("kernel/proc", "kernel/sys"), ("kernel/sys", "kernel")])
def test_floors_every_step_up_is_refused(tmp_path, lower, upper):
    plant(tmp_path, f"{upper}/up.h", "")
    plant(tmp_path, f"{lower}/low.c", f'#include "{upper}/up.h"\n')
    found = floors.check(tmp_path)
    assert len(found) == 1 and "upward" in found[0]


# --- shape

def functions(text):
    return {f.name: f for f in shape.read_source("mm/t.c", text).functions}


@pytest.mark.parametrize("body,level", [
    ("g();", 0),
    ("if (a) g();", 1),
    ("if (a) g(); else if (b) g(); else if (c) g(); else g();", 1),
    ("if (a) { if (b) g(); else { for (;;) g(); } }", 3),
    ("for (;;) while (a) do { g(); } while (b);", 3),
    ("switch (a) { case 1: if (b) g(); break; default: g(); }", 2),
    ("list_for_each(p, q) if (p) g();", 2),
    ("{ { { { g(); } } } }", 0),
    ("g((struct s){ .a = 1 }); x = (struct s){ .f = { 1 } }; return (struct s){ 0 };", 0),
    ("out: if (a) goto out;", 1),
    ("for (int i = 0; i < f(({ int z = 1; z; })); i++) g();", 1),
    ("x = a ? b : c; if (a) y = a ? b : c;", 1),
])
def test_shape_nesting(body, level):
    assert functions("int f(void)\n{\n" + body + "\n}\n")["f"].nesting == level


@pytest.mark.parametrize("params,count", [
    ("void", 0), ("", 0), ("int a", 1), ("int a, int b[2]", 2), ("const char *fmt, ...", 1),
    ("void (*f)(int, int), struct s *p", 2)])
def test_shape_params(params, count):
    assert functions(f"int f({params}) {{ }}")["f"].params == count


def test_shape_tells_functions_from_data():
    text = ("struct s { int (*f)(void); };\nint table[] = { F(1), F(2) };\n"
            "must_check noinline int *f(int a) { return 0; }\n"
            "static printf_like(1, 2) void g(const char *s, ...) { }\n"
            "struct aligned(8) t { int x; };\nenum { A = B(1) };\n")
    found = functions(text)
    assert sorted(found) == ["f", "g"]
    assert found["g"].is_static and not found["f"].is_static


def test_shape_exit_1_counts_violations(tmp_path):
    plant(tmp_path, "mm/a.c", "int f(void)\n{\n\treturn 0;\n}\n")
    run = subprocess.run([TOOLS / "shape.py", "--root", tmp_path], capture_output=True,
                         text=True, check=False)
    assert run.returncode == 1
    assert "mm/a.c:1: f: no comment directly above" in run.stdout
    assert "shape: 1 violations" in run.stdout and "median 4 lines" in run.stdout


def test_headers_list_leaves_out_halves(tmp_path):
    for path in ("arch/cpu.h", "arch/x86_64/asm/cpu.h", "arch/x86_64/apic.h", "arch/host/h.h"):
        plant(tmp_path, path, "")
    assert headers.headers(tmp_path) == ["arch/cpu.h", "arch/x86_64/apic.h"]


# --- ksym

NM = """\
ffffffff80100000 T start
ffffffff80100040 t local
ffffffff80100040 T global_wins
ffffffff80100080 W weak
ffffffff80200000 D data
0000000000100000 T low
                 U undefined
"""


def test_ksym_keeps_text_ascending_and_once():
    assert ksym.parse_nm(NM) == [(0x100000, "start"), (0x100040, "global_wins"),
                                 (0x100080, "weak")]


@pytest.mark.parametrize("symbols", [[], [(1, "a")], [(i * 16, f"f{i}") for i in range(20)]])
def test_ksym_source_compiles_and_reads_back(tmp_path, symbols):
    (tmp_path / "ksym.c").write_text(ksym.c_source(symbols))
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\nextern const unsigned ksym_count, ksym_offsets[], '
        'ksym_name_offs[];\nextern const char ksym_names[];\nint main(void)\n{\n'
        'for (unsigned i = 0; i < ksym_count; i++)\n'
        'printf("%u %s\\n", ksym_offsets[i], ksym_names + ksym_name_offs[i]);\n}\n')
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-o", tmp_path / "t",
                    tmp_path / "ksym.c", tmp_path / "main.c"], check=True)
    lines = subprocess.run([tmp_path / "t"], capture_output=True, text=True, check=True).stdout
    assert lines == "".join(f"{offset} {name}\n" for offset, name in symbols)


def test_ksym_without_an_elf_fails(tmp_path):
    run = subprocess.run([TOOLS / "ksym.py", tmp_path / "none", tmp_path / "out.c"],
                         capture_output=True, check=False)
    assert run.returncode == 1 and not (tmp_path / "out.c").exists()


# --- mkinitrd

def sample_tree(folder):
    (folder / "bin").mkdir()
    (folder / "bin/prog").write_bytes(b"\x7fELF odd")
    (folder / "bin/prog").chmod(0o751)
    (folder / "empty").mkdir(mode=0o700)
    (folder / "link").symlink_to("bin/prog")


def names(archive):
    return sorted(archive.entries)


def test_mkinitrd_keeps_modes_links_and_folders(tmp_path):
    sample_tree(tmp_path)
    archive = mkinitrd.Archive()
    archive.add_path(str(tmp_path), "/")
    modes = {name: oct(entry.mode) for name, entry in archive.entries.items()}
    assert modes == {"bin": "0o40755", "bin/prog": "0o100751", "empty": "0o40700",
                     "link": "0o120777"}
    assert archive.entries["link"].data == b"bin/prog"


def test_mkinitrd_is_the_same_each_time(tmp_path):
    (tmp_path / "in").mkdir()
    sample_tree(tmp_path / "in")
    for name in ("a", "b"):
        subprocess.run([TOOLS / "mkinitrd.py", "-o", tmp_path / name, tmp_path / "in"],
                       check=True)
        (tmp_path / "in/bin/prog").touch()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_mkinitrd_records_are_newc():
    archive = mkinitrd.Archive()
    archive.add("/etc/run", 0o100644, b"abcde")
    data = archive.pack()
    assert len(data) % 512 == 0
    fields = [data[i:i + 8] for i in range(6, 110, 8)]
    assert data[:6] == b"070701" and data[110:114] == b"etc\0"
    assert int(fields[0], 16) == 1 and int(fields[1], 16) == 0o40755
    second = data[116:]          # header 110 + "etc\0" 4, padded to a multiple of 4
    assert second[:6] == b"070701" and int(second[6 + 6 * 8:6 + 7 * 8], 16) == 5
    assert b"etc/run\0" in second and b"TRAILER!!!\0" in second


def test_mkinitrd_command_line(tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    out = tmp_path / "out"
    subprocess.run([TOOLS / "mkinitrd.py", "-o", out, "--dir", "/tmp", f"{tmp_path}/f:/a/b:755"],
                   check=True)
    data = out.read_bytes()
    assert b"a/b\0" in data and b"tmp\0" in data and b"%08X" % 0o100755 in data


@pytest.mark.parametrize("guest", ["/a/../b", ".."])
def test_mkinitrd_refuses_a_way_out(guest):
    with pytest.raises(ValueError):
        mkinitrd.Archive().add(guest, 0o100644)


def test_mkinitrd_refuses_a_file_below_a_file():
    archive = mkinitrd.Archive()
    archive.add("/a", 0o100644)
    with pytest.raises(ValueError):
        archive.add("/a/b", 0o100644)


def test_mkinitrd_missing_source_fails(tmp_path):
    run = subprocess.run([TOOLS / "mkinitrd.py", "-o", tmp_path / "o", "/nonexistent:/x"],
                         capture_output=True, check=False)
    assert run.returncode == 1 and b"mkinitrd:" in run.stderr


# --- tools/vm: options, frames, verdicts

@pytest.mark.parametrize("words,part", [
    (["--icount", "--kvm"], "exclude"),
    (["--smp", "0"], "at least 1"),
    (["--mem", "much"], "--mem"),
    (["--ktap", "--", "x"], "--ktap"),
    (["--"], "wants a command"),
    (["--", ""], "wants a command"),
    (["--", *["x"] * 257], "256 words"),
    (["--", "x" * 65536], "65536 bytes"),
    (["--image", "/nonexistent"], "is missing"),
    (["--image", "slob"], "is missing"),
    (["--iso", "--image", "/bin/sh"], "--iso holds"),
    (["--image", "/bin/sh", "--add", "/nonexistent"], "no such file"),
    (["--no-such-option"], "unrecognized"),
    (["stray"], "unrecognized"),
])
def test_vm_refuses(words, part):
    run = subprocess.run([TOOLS / "vm", *words], capture_output=True, text=True, check=False,
                         stdin=subprocess.DEVNULL)
    assert run.returncode == 254 and run.stdout == ""
    assert run.stderr.startswith("vm: NOTRUN: ") and run.stderr.count("\n") == 1
    assert part in run.stderr


def parse(*words):
    return options.parse(["--image", "/bin/sh", *words])


def test_vm_names_what_to_type_for_a_missing_image(monkeypatch, tmp_path):
    monkeypatch.setattr(options, "BUILD", str(tmp_path))
    with pytest.raises(Refusal) as refusal:
        options.parse([])
    assert refusal.value.verdict.kind == NOTRUN and "make kernels" in str(refusal.value)


@pytest.mark.parametrize("words,cmdline", [
    ((), "seed=1"),
    (("--seed", "7"), "seed=7"),
    (("--append", "a=1", "--append", "b=2"), "seed=1 a=1 b=2"),
    (("--ktap",), "seed=1 selftest=1"),
    (("--ktap", "--append", "selftest=3"), "seed=1 selftest=3"),
])
def test_vm_kernel_command_line(words, cmdline):
    assert parse(*words).cmdline == cmdline


@pytest.mark.parametrize("words,timeout,hang", [
    (("--", "x"), 120, 30), ((), 0, 30), (("--icount", "--", "x"), 120, 120),
    (("--gdb", "--", "x"), 0, 0), (("--timeout", "5", "--hang", "2", "--", "x"), 5, 2)])
def test_vm_bounds(words, timeout, hang):
    parsed = parse(*words)
    assert (parsed.timeout, parsed.hang) == (timeout, hang)


def test_vm_words_after_the_dashes_are_the_commands():
    parsed = parse("--smp", "2", "--", "cmd", "--smp", "--", "3")
    assert parsed.smp == 2 and parsed.command == ["cmd", "--smp", "--", "3"]


@pytest.mark.parametrize("spec,guest", [("", "/f:x"), (":/bin/y", "/bin/y")])
def test_vm_add_paths(tmp_path, spec, guest):
    (tmp_path / "f:x").write_text("")
    assert options.split_add(f"{tmp_path}/f:x{spec}") == (f"{tmp_path}/f:x", guest)


@pytest.mark.parametrize("word,status", [
    (0, 0), (1 << 8, 1), (255 << 8, 255), (9, 137), (11 | 0x80, 139)])
def test_wait_status(word, status):
    assert from_wait_status(word).exit_code == status


FRAMES = [(b"b", b""), (b"o", b"hello"), (b"k", b"x" * 300), (b"s", b"\0\1\0\0")]
STREAM = b"".join(encode(*frame) for frame in FRAMES)


@pytest.mark.parametrize("step", [1, 2, 5, 7, len(STREAM)])
def test_frames_in_pieces(step):
    parser = frames.Parser()
    got = [frame for at in range(0, len(STREAM), step)
           for frame in parser.feed(STREAM[at:at + step])]
    assert got == FRAMES


@pytest.mark.parametrize("text", [b"", b"boo", b"\x1b[2J\x1b[01;01H\r\n", b"oebsk" * 9, b"r"])
@pytest.mark.parametrize("step", [1, 3, 1000])
def test_frames_after_firmware_text(text, step):
    parser, data = frames.Parser(), text + STREAM
    got = [frame for at in range(0, len(data), step) for frame in parser.feed(data[at:at + step])]
    assert got == FRAMES


@pytest.mark.parametrize("junk", [b"Zjunk", encode(b"i", b"x"), b"o\0\0\0\xff"])
def test_frames_out_of_step(junk):
    parser = frames.Parser()
    with pytest.raises(frames.BadFrame):
        parser.feed(STREAM + junk)


@pytest.mark.parametrize("lines,complaint", [
    (["1..1", "ok 1"], ""), (["ok 1", "1..1"], ""), (["1..0"], ""),
    (["1..2", "ok 1"], "1 of 2"), (["1..1", "not ok 1 x"], "not ok 1 x"), ([], "no plan"),
    (["1..1", "    not ok 1 inner", "ok 1"], ""), (["1..1", "ok 1", "ok 2"], "2 of 1"),
    (["1..1", "ok 1", "Bail out! no memory"], "Bail out")])
def test_ktap(lines, complaint):
    ktap = frames.Ktap()
    for line in lines:
        ktap.line(line)
    assert complaint in ktap.complaint() and bool(ktap.complaint()) == bool(complaint)


# --- setup and doctor

def fake_bin(folder, **scripts):
    """A PATH of our own: shell scripts by name, and the few real tools setup leans on."""
    folder.mkdir()
    for name, text in scripts.items():
        (folder / name.replace("_", "-")).write_text("#!/bin/sh\n" + text)
        (folder / name.replace("_", "-")).chmod(0o755)
    for name in ("bash", "sed", "grep", "dirname", "env", "cat"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    (folder / "python3").symlink_to(sys.executable)
    return str(folder)


ONLY_MAKE = 'echo "make installed"; echo "gcc not-installed"; exit 1\n'


def run_setup(path, **more):
    return subprocess.run(["/bin/bash", TOOLS / "setup"], env={"PATH": path, **more}, text=True,
                          capture_output=True, check=False)


def test_setup_prints_one_command_and_touches_nothing(tmp_path):
    path = fake_bin(tmp_path / "bin", dpkg_query=ONLY_MAKE, id="echo 1000\n",
                    apt_get=f"echo ran >>{tmp_path}/apt\n")
    run = run_setup(path)
    assert run.returncode == 1 and not (tmp_path / "apt").exists()
    command = run.stderr.splitlines()[1].split()
    assert command[:4] == ["sudo", "apt-get", "install", "--no-install-recommends"]
    assert "gcc" in command and "nasm" in command and "make" not in command


@pytest.mark.parametrize("user,more", [("0", {}), ("1000", {"INSTALL": "1"}),
                                       ("1000", {"CI": "true"})])
def test_setup_installs_when_it_may(tmp_path, user, more):
    path = fake_bin(tmp_path / "bin", dpkg_query=ONLY_MAKE, id=f"echo {user}\n",
                    apt_get=f'echo "$@" >>{tmp_path}/apt\n',
                    sudo=f'echo sudo >>{tmp_path}/apt; exec "$@"\n')
    assert run_setup(path, **more).returncode == 0
    ran = (tmp_path / "apt").read_text()
    assert "install -y --no-install-recommends gcc" in ran
    assert ("sudo" in ran) == (user != "0")


def test_setup_fetches_lists_only_when_it_must(tmp_path):
    path = fake_bin(tmp_path / "bin", dpkg_query=ONLY_MAKE, id="echo 0\n",
                    apt_get=f'echo "$1" >>{tmp_path}/apt; test "$1" = update && '
                            f'touch {tmp_path}/updated; test -e {tmp_path}/updated\n'
                            .replace("touch", "/usr/bin/touch"))
    assert run_setup(path).returncode == 0
    assert (tmp_path / "apt").read_text().split()[:3] == ["install", "update", "install"]


def test_setup_does_nothing_when_all_is_there(tmp_path):
    everything = 'for p; do echo "$p installed"; done\n'
    path = fake_bin(tmp_path / "bin", dpkg_query=everything, id="echo 0\n",
                    apt_get=f"echo ran >>{tmp_path}/apt\n")
    run = run_setup(path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert not (tmp_path / "apt").exists()


def test_doctor_names_the_missing_on_every_system(tmp_path):
    path = fake_bin(tmp_path / "bin")
    run = subprocess.run([sys.executable, TOOLS / "doctor"], env={"PATH": path}, text=True,
                         capture_output=True, check=False)
    assert run.returncode == 1
    for line in ("sudo apt-get install --no-install-recommends nasm", "sudo dnf install nasm",
                 "sudo pacman -S --needed nasm", "brew install nasm"):
        assert line in run.stdout


def test_doctor_finds_this_machine_complete():
    run = subprocess.run([TOOLS / "doctor", "--quiet"], capture_output=True, text=True,
                         check=False)
    assert run.returncode == 0, run.stdout
