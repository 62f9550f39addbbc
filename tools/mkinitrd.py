#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make a cpio archive (newc format) the kernel can unpack, the same bytes each time.

    tools/mkinitrd.py -o OUT [--busybox FILE] [--dir GUEST]... SOURCE...

A SOURCE is a folder (its contents become the root) or HOST:GUEST[:MODE], where HOST is a file
or a folder and MODE is octal. Missing parent folders are added. Entries are sorted, inodes
numbered from 1, times 0; all is root's but what FOLDERS names. --busybox puts it at /bin/busybox
with all its applets' names, as `busybox --install` would: hard links, since on ramfs a name costs
one dentry, and a symbolic link would cost an inode and a page for its target besides.
tools/vm uses this as a library for its overlay.
"""
from __future__ import annotations

import argparse
import os
import stat
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass

DIR_MODE = stat.S_IFDIR | 0o755
FOLDERS = {                     # (mode, owner and group), wherever they come from
    "tmp": (stat.S_IFDIR | 0o1777, 0),
    "root": (stat.S_IFDIR | 0o700, 0),
    "home/student": (DIR_MODE, 1000),
}


@dataclass
class Entry:
    """One file, folder or symbolic link of the archive. same_as: the name whose file this is."""
    mode: int
    data: bytes = b""
    owner: int = 0
    same_as: str = ""


class Archive:
    """Guest path (no leading slash) -> Entry. Later additions replace earlier ones."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def add(self, guest: str, mode: int, data: bytes = b"") -> None:
        """Add one entry and the parents it lacks."""
        name = clean_name(guest)
        if not name:
            return
        parent = os.path.dirname(name)
        if parent and parent not in self.entries:
            self.add(parent, DIR_MODE)
        if parent and not stat.S_ISDIR(self.entries[parent].mode):
            raise ValueError(f"/{parent} is a file, so /{name} cannot be below it")
        old = self.entries.get(name)
        if old and stat.S_ISDIR(old.mode) != stat.S_ISDIR(mode):
            raise ValueError(f"/{name} is both a folder and a file")
        mode, owner = FOLDERS.get(name, (mode, 0))
        self.entries[name] = Entry(mode, data, owner)

    def add_link(self, guest: str, first: str) -> None:
        """Another name of the file `first`, which is there already."""
        first = clean_name(first)
        self.add(guest, self.entries[first].mode)
        self.entries[clean_name(guest)].same_as = first

    def add_busybox(self, host: str) -> None:
        """/bin/busybox and the names of its applets, which the program itself tells."""
        self.add_path(host, "/bin/busybox", 0o755)
        names = subprocess.run([host, "--list-full"], capture_output=True, text=True, check=True)
        for name in names.stdout.split():
            if name != "bin/busybox":
                self.add_link(name, "bin/busybox")

    def add_path(self, host: str, guest: str, mode: int | None = None) -> None:
        """Add a host file, link or whole folder at guest. mode replaces a file's own."""
        info = os.lstat(host) if mode is None else os.stat(host)
        if stat.S_ISDIR(info.st_mode):
            self._add_folder(host, guest, mode)
        elif stat.S_ISLNK(info.st_mode):
            self.add(guest, stat.S_IFLNK | 0o777, os.fsencode(os.readlink(host)))
        elif stat.S_ISREG(info.st_mode):
            bits = stat.S_IMODE(info.st_mode) if mode is None else mode
            with open(host, "rb") as file:
                self.add(guest, stat.S_IFREG | bits, file.read())
        else:
            raise ValueError(f"{host} is neither a file, a link nor a folder")

    def _add_folder(self, host: str, guest: str, mode: int | None) -> None:
        bits = stat.S_IMODE(os.stat(host).st_mode) if mode is None else mode
        self.add(guest, stat.S_IFDIR | bits)
        for name in sorted(os.listdir(host)):
            self.add_path(os.path.join(host, name), guest.rstrip("/") + "/" + name)

    def pack(self) -> bytes:
        """The archive's bytes. Parents sort before what they hold."""
        out = bytearray()
        numbers = {name: number for number, name in enumerate(sorted(self.entries), start=1)}
        links = Counter(entry.same_as or name for name, entry in self.entries.items())
        for name in numbers:
            entry = self.entries[name]
            first = entry.same_as or name
            nlink = links[first] + stat.S_ISDIR(entry.mode)
            out += record(os.fsencode(name), entry, numbers[first], nlink)
        out += record(b"TRAILER!!!", Entry(0), 0, 1)
        return bytes(out + b"\0" * (-len(out) % 512))


def clean_name(guest: str) -> str:
    """Guest path without leading slash; refuses a way out of the root."""
    parts = [part for part in guest.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError(f"{guest}: no '..' in a guest path")
    return "/".join(parts)


def record(name: bytes, entry: Entry, inode: int, links: int) -> bytes:
    """One newc record: header of 13 hexadecimal words, name, data, each padded to 4."""
    data, owner = entry.data, entry.owner
    words = (inode, entry.mode, owner, owner, links, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % word for word in words) + name + b"\0"
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def split_source(text: str) -> tuple[str, str, int | None]:
    """HOST:GUEST[:MODE] or a folder -> (host, guest, mode)."""
    if os.path.isdir(text):
        return text, "/", None
    parts = text.split(":")
    if len(parts) not in (2, 3):
        raise ValueError(f"{text}: want a folder or HOST:GUEST[:MODE]")
    return parts[0], parts[1], int(parts[2], 8) if len(parts) == 3 else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--dir", action="append", default=[], metavar="GUEST",
                        help="an empty folder")
    parser.add_argument("--busybox", metavar="FILE", help="the static busybox to install")
    parser.add_argument("source", nargs="*")
    args = parser.parse_args()
    archive = Archive()
    try:
        for guest in args.dir:
            archive.add(guest, DIR_MODE)
        if args.busybox:
            archive.add_busybox(args.busybox)
        for source in args.source:
            archive.add_path(*split_source(source))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"mkinitrd: {error}", file=sys.stderr)
        return 1
    with open(args.output, "wb") as file:
        file.write(archive.pack())
    return 0


if __name__ == "__main__":
    sys.exit(main())
