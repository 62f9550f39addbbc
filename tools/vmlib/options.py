# SPDX-License-Identifier: MIT
"""The command line of tools/vm."""
from __future__ import annotations

import argparse
import os
import re
import sys

from .verdict import NOTRUN, Refusal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD") or "build")
ISO = os.path.join(BUILD, "tally.iso")
IMAGES = ("slub", "slab", "slub-debug", "slab-debug")
MAX_WORDS, MAX_WORD_BYTES = 256, 65536      # what /init takes from /etc/run

HELP = """Start QEMU with the built kernel.

With -- CMD, a batch run: CMD runs as a child of init, our standard input is its, its standard
output and error come out on ours, nothing else does, and the exit status is its own (126 and
127 as shells do, 128 + signal). Without, an interactive console (Ctrl-A X ends QEMU)."""

CODES = """Exit status, if it is not the command's own, with one line on stderr that begins "vm:":
  250  PANIC    the kernel stopped itself, or the machine reset; the report follows
  251  HANG     no heartbeat from the guest for --hang seconds
  252  TIMEOUT  the bound of --timeout was reached
  253  HARNESS  QEMU is missing or died, or the guest spoke gibberish on the host port
  254  NOTRUN   nothing was started: bad option, image not built
BUILD in the environment names the folder of what was built (default build)."""


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise Refusal(NOTRUN, f"{message} (tools/vm --help lists the options)")


def number(low: int):
    """An argparse type: an integer of at least low."""
    def convert(text: str) -> int:
        value = int(text, 0)
        if value < low:
            raise argparse.ArgumentTypeError(f"{text}: at least {low}")
        return value
    convert.__name__ = "number"
    return convert


def make_parser() -> Parser:
    parser = Parser(prog="tools/vm", usage="tools/vm [options] [-- CMD ARGS...]",
                    description=HELP, epilog=CODES, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--image", default="slub", metavar="NAME",
        help=f"kernel: {', '.join(IMAGES)} or the path of an ELF file (default slub)")
    add("--smp", type=number(1), default=1, metavar="N", help="CPUs (default 1)")
    add("--mem", type=number(1), default=512, metavar="MIB", help="RAM (default 512)")
    add("--append", action="append", default=[], metavar="STRING",
        help="more kernel command line")
    add("--add", action="append", default=[], metavar="HOST[:GUEST]",
        help="lay a file or folder over the root, at /NAME if GUEST is not given; repeatable")
    add("--iso", nargs="?", const=ISO, metavar="FILE",
        help="boot build/tally.iso, or FILE made by tools/mkiso, through GRUB")
    add("--uefi", action="store_true", help="with UEFI firmware; implies --iso")
    add("--icount", action="store_true",
        help="count instructions instead of time: the same run each time; CPUs "
             "take turns, and QEMU may let one wait for long while another is busy")
    add("--dump", metavar="FILE",
        help="guest memory as an ELF core, at a panic, a hang or SIGUSR1 to this program")
    add("--timeout", type=float, metavar="SECONDS",
        help="bound of the whole run (batch: 120; 0: none)")
    add("--hang", type=float, metavar="SECONDS",
        help="longest silence between heartbeats (30, with --icount 120; 0: any)")
    add("--log", metavar="FILE", help="kernel log (first serial port)")
    add("--gdb", nargs="?", type=number(1), const=1234, metavar="PORT",
        help="wait for GDB on this port (default 1234) before the first instruction")
    add("--cpu", metavar="MODEL", help="QEMU's CPU model")
    add("--kvm", action="store_true", help="run on the host's CPU")
    add("--seed", type=number(0), default=1, metavar="N",
        help="kernel word seed=N and QEMU's own randomness (default 1)")
    add("--ktap", nargs="?", const="-", metavar="FILE",
        help="an in-kernel test run: KTAP lines to FILE or our standard output; "
             "adds selftest=1 unless --append names one")
    add("-v", "--verbose", action="store_true",
        help="print the QEMU command, its messages, and the verdict of every run")
    return parser


def split_add(spec: str) -> tuple[str, str]:
    """HOST[:GUEST] -> (host, guest). A host path that exists as a whole has no GUEST."""
    host, colon, guest = spec.rpartition(":")
    if os.path.lexists(spec) or not colon:
        host, guest = spec, ""
    if not os.path.lexists(host):
        raise Refusal(NOTRUN, f"--add {spec}: no such file")
    return host, guest or "/" + os.path.basename(os.path.abspath(host))


def kernel_path(options: argparse.Namespace) -> str:
    """The ELF file or ISO to boot; refuses when it is not there."""
    if options.iso:
        if options.image not in IMAGES:
            raise Refusal(NOTRUN, f"--iso holds the images {', '.join(IMAGES)}, "
                                  f"not {options.image}")
        path, build = options.iso, "make iso" if options.iso == ISO else ""
    elif options.image in IMAGES:
        path = os.path.join(BUILD, f"tally-{options.image}.elf")
        build = "make kernels initrd"
    else:
        path, build = options.image, ""
    if not os.path.isfile(path):
        raise Refusal(NOTRUN, f"{path} is missing" + (f"; type: {build}" if build else ""))
    return path


def check_together(options: argparse.Namespace) -> None:
    """Refuse combinations that mean nothing; fill in what depends on others."""
    if options.icount and options.kvm:
        raise Refusal(NOTRUN, "--icount and --kvm exclude each other")
    if options.ktap and options.command is not None:
        raise Refusal(NOTRUN, "--ktap runs the kernel's own tests: no command with it")
    words = options.command if options.command is not None else ["-"]
    if not words or not words[0]:
        raise Refusal(NOTRUN, "-- wants a command after it")
    if len(words) > MAX_WORDS or sum(len(os.fsencode(w)) + 1 for w in words) >= MAX_WORD_BYTES:
        raise Refusal(NOTRUN, f"a command has at most {MAX_WORDS} words, {MAX_WORD_BYTES} bytes")


def fill_in(options: argparse.Namespace) -> None:
    options.iso = options.iso or (ISO if options.uefi else None)
    options.batch = options.command is not None or options.ktap is not None
    if options.timeout is None:
        options.timeout = 120.0 if options.batch and not options.gdb else 0.0
    if options.hang is None:
        options.hang = 0.0 if options.gdb else 120.0 if options.icount else 30.0
    words = [f"seed={options.seed}"]
    if options.ktap and not re.search(r"\bselftest=", " ".join(options.append)):
        words.append("selftest=1")
    options.cmdline = " ".join(words + options.append)
    options.add = [split_add(spec) for spec in options.add]
    options.kernel = kernel_path(options)
    options.initrd = os.path.join(BUILD, "initrd.cpio")


def parse(argv: list[str]) -> argparse.Namespace:
    """Options of one run. Raises Refusal(NOTRUN)."""
    command = None
    if "--" in argv:
        at = argv.index("--")
        argv, command = argv[:at], argv[at + 1:]
    options = make_parser().parse_args(argv)
    options.command = command
    check_together(options)
    fill_in(options)
    if not options.iso and options.image in IMAGES and not os.path.isfile(options.initrd):
        raise Refusal(NOTRUN, f"{options.initrd} is missing; type: make initrd")
    if sys.platform == "darwin" and options.kvm:
        raise Refusal(NOTRUN, "--kvm needs Linux")
    return options
