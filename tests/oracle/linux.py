# SPDX-License-Identifier: MIT
"""Debian's own kernel in our QEMU, with Tally's initrd: same busybox, same files, same /init."""
from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / (os.environ.get("BUILD") or "build")
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))
import mkinitrd     # noqa: E402

KERNEL_PACKAGE = "linux-image-cloud-amd64"
CMDLINE = "console=ttyS0 loglevel=4 panic=-1 rootfstype=ramfs rdinit=/linux-init"


class Failure(Exception):
    """The recording could not be made."""


def tool(*words: str) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          check=False, cwd=ROOT)
    if done.returncode:
        raise Failure(done.stderr.strip() or f"{words[0]} failed")
    return done.stdout.strip()


def kernel() -> Path:
    """Debian's kernel, fetched into build/ on first use."""
    deb = [ROOT / "tools" / "deb", "--build", BUILD]
    package = tool(*deb, "--depends", KERNEL_PACKAGE)
    folder = Path(tool(*deb, package))
    return next(iter(folder.glob("boot/vmlinuz-*")))


def overlay(files: list[tuple[Path, str]], command: list[str]) -> bytes:
    """What is laid over the root on Linux: (host, guest) pairs and the batch command."""
    archive = mkinitrd.Archive()
    archive.add_path(str(HERE / "guest" / "linux-init"), "/linux-init", 0o755)
    for host, guest in files:
        archive.add_path(str(host), guest)
    words = b"".join(os.fsencode(word) + b"\0" for word in command)
    archive.add("/etc/run", stat.S_IFREG | 0o644, words)
    return archive.pack()


def run(files: list[tuple[Path, str]], command: list[str], *, smp: int = 1,
        timeout: float = 3000) -> bytes:
    """The command's output on Linux. Raises Failure when the machine does not end by itself."""
    qemu = shutil.which("qemu-system-x86_64")
    if not qemu:
        raise Failure("qemu-system-x86_64 is not installed")
    image = kernel()
    with tempfile.TemporaryDirectory(prefix="tally-oracle-") as folder:
        initrd, output, log = (os.path.join(folder, name) for name in ("initrd", "out", "log"))
        with open(initrd, "wb") as file:
            file.write((BUILD / "initrd.cpio").read_bytes() + overlay(files, command))
        words = [qemu, "-machine", "pc", "-accel", "tcg", "-m", "512", "-smp", str(smp),
                 "-display", "none", "-no-reboot", "-nic", "none", "-monitor", "none",
                 "-kernel", str(image), "-initrd", initrd, "-append", CMDLINE,
                 "-serial", f"file:{log}", "-serial", f"file:{output}"]
        try:
            subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           timeout=timeout, check=True)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
            tail = Path(log).read_text(errors="replace")[-2000:] if os.path.exists(log) else ""
            raise Failure(f"Linux did not end well: {error}\n{tail}") from error
        return Path(output).read_bytes()


def split_output(data: bytes) -> dict[str, tuple[int, bytes]]:
    """What guest/run-scripts printed: name -> (exit status, output)."""
    found, at = {}, 0
    while match := re.compile(rb"@@ (\S+) (\d+) (\d+)\n").search(data, at):
        end = match.end() + int(match[3])
        found[match[1].decode()] = (int(match[2]), data[match.end():end])
        at = end
    return found
