# SPDX-License-Identifier: MIT
"""The QEMU command line and process."""
from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import signal
import stat
import subprocess
import sys

import mkinitrd

from .verdict import HARNESS, NOTRUN, Refusal

PROGRAM = "qemu-system-x86_64"
EXIT_CODE = 85                  # what isa-debug-exit makes of the kernel's one fixed value
FIRMWARE = (                    # (file, is it one image for -bios) on Debian, Fedora, Arch, brew
    ("/usr/share/ovmf/OVMF.fd", True),
    ("/usr/share/OVMF/OVMF_CODE.fd", False),
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", False),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", False),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", False),
    ("/opt/homebrew/share/qemu/edk2-x86_64-code.fd", False),
    ("/usr/local/share/qemu/edk2-x86_64-code.fd", False),
)
PR_SET_PDEATHSIG = 1


def quote(value: str) -> str:
    """A value inside a QEMU option list."""
    return value.replace(",", ",,")


def firmware_args() -> list[str]:
    for path, is_whole in FIRMWARE:
        if os.path.exists(path):
            drive = f"if=pflash,format=raw,unit=0,readonly=on,file={path}"
            return ["-bios", path] if is_whole else ["-drive", drive]
    raise Refusal(HARNESS, "no UEFI firmware (OVMF) on this machine; try tools/setup")


def boot_args(options: argparse.Namespace) -> list[str]:
    """What to boot. GRUB on the unchanged ISO picks its entry by the SMBIOS serial number."""
    if not options.iso:
        args = ["-kernel", options.kernel]
        if os.path.isfile(options.initrd):
            args += ["-initrd", options.initrd]
        return args
    return ((firmware_args() if options.uefi else []) +
            ["-cdrom", options.kernel, "-boot", "d",
             "-smbios", f"type=1,serial=tally:{options.image}"])


def machine_args(options: argparse.Namespace) -> list[str]:
    args = ["-machine", "pc", "-accel", "kvm" if options.kvm else "tcg",
            "-m", str(options.mem), "-smp", str(options.smp), "-display", "none",
            "-no-reboot", "-nic", "none", "-parallel", "none", "-seed", str(options.seed)]
    if options.cpu:
        args += ["-cpu", options.cpu]
    if options.icount:
        args += ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm"]
    if options.gdb:
        args += ["-S", "-gdb", f"tcp:127.0.0.1:{options.gdb}"]
    if not options.dump:        # with --dump the stopped guest must stay to be looked at
        args += ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
    return args


def overlay(options: argparse.Namespace) -> bytes:
    """The cpio archive laid over the root: --add files and the batch command; may be empty."""
    archive = mkinitrd.Archive()
    try:
        for host, guest in options.add:
            archive.add_path(os.path.realpath(host), guest)
        if options.command:
            words = b"".join(os.fsencode(word) + b"\0" for word in options.command)
            archive.add("/etc/run", stat.S_IFREG | 0o644, words)
    except (OSError, ValueError) as error:
        raise Refusal(NOTRUN, f"--add: {error}") from error
    return archive.pack() if archive.entries else b""


def fwcfg_args(options: argparse.Namespace, folder: str) -> list[str]:
    """Files the guest reads through fw_cfg: command line, overlay, host port switch."""
    args = []
    for name, data in (("cmdline", os.fsencode(options.cmdline)), ("overlay", overlay(options))):
        path = os.path.join(folder, name)
        if data:
            with open(path, "wb") as file:
                file.write(data)
            args += ["-fw_cfg", f"name=opt/tally/{name},file={quote(path)}"]
    if options.batch:
        args += ["-fw_cfg", "name=opt/tally/hostport,string=1"]
    return args


def port_args(options: argparse.Namespace, log: str, host_fd: int, qmp_fd: int) -> list[str]:
    """Serial ports and the control channel. Negative descriptors: none."""
    if options.batch:
        args = ["-monitor", "none", "-chardev", f"file,id=com1,path={quote(log)}",
                "-serial", "chardev:com1", "-chardev", f"socket,id=com2,fd={host_fd}",
                "-serial", "chardev:com2"]
    else:
        logging = f",logfile={quote(log)},logappend=off" if log else ""
        args = ["-chardev", f"stdio,id=com1,mux=on,signal=off{logging}",
                "-serial", "chardev:com1", "-mon", "chardev=com1,mode=readline"]
    if qmp_fd >= 0:
        args += ["-chardev", f"socket,id=qmp,fd={qmp_fd}", "-mon", "chardev=qmp,mode=control"]
    return args


def die_with_parent() -> None:
    """In the child: end when tools/vm ends, even by SIGKILL. Linux only."""
    if LIBC:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


LIBC = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


class Qemu:
    """One QEMU process; stop() is safe at any time and leaves none behind."""

    def __init__(self, args: list[str], fds: tuple[int, ...], is_batch: bool,
                 stderr_path: str) -> None:
        program = shutil.which(PROGRAM)
        if not program:
            raise Refusal(HARNESS, f"{PROGRAM} is not installed; try tools/setup")
        self.stderr_path = stderr_path
        with open(stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                [program, *args], pass_fds=[fd for fd in fds if fd >= 0],
                stdin=subprocess.DEVNULL if is_batch else None,
                stdout=subprocess.DEVNULL if is_batch else None,
                stderr=stderr if is_batch else None,
                start_new_session=is_batch, preexec_fn=die_with_parent)

    def wait(self, seconds: float | None) -> int | None:
        """Exit code, or None when it still runs after that time."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def messages(self) -> str:
        with open(self.stderr_path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
