# SPDX-License-Identifier: MIT
"""Frames of the host port (arch/machine.h) and the KTAP lines some of them carry.

A frame is one byte of type, four bytes of little-endian length, payload.
"""
from __future__ import annotations

import re
import struct

STDOUT, STDERR, STATUS, KTAP, DEAD, BEAT, READY = b"o", b"e", b"s", b"k", b"p", b"b", b"r"
STDIN = b"i"
GUEST_TYPES = STDOUT + STDERR + STATUS + KTAP + DEAD + BEAT + READY
HEADER = 5
MAX_PAYLOAD = 1 << 20
STDIN_CHUNK = 4096


class BadFrame(Exception):
    """The guest sent bytes that are no frame."""


def encode(kind: bytes, payload: bytes = b"") -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload


class Parser:
    """Bytes in, frames out.

    UEFI firmware prints its console on this port too before the kernel owns it. That text has
    no NUL byte while a frame's length ends in two, so the first frame is found by its shape.
    """

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.in_step = False

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """(type, payload) of each frame that data completes. Raises BadFrame."""
        self.buffer += data
        if not self.in_step and not self._find_first():
            return []
        frames = []
        while len(self.buffer) >= HEADER:
            kind, length = bytes(self.buffer[:1]), struct.unpack_from("<I", self.buffer, 1)[0]
            if kind not in GUEST_TYPES or length > MAX_PAYLOAD:
                raise BadFrame(f"bytes {bytes(self.buffer[:16])!r} are no frame")
            if len(self.buffer) < HEADER + length:
                break
            frames.append((kind, bytes(self.buffer[HEADER:HEADER + length])))
            del self.buffer[:HEADER + length]
        return frames

    def _looks_like_header(self, at: int) -> bool:
        chunk = self.buffer[at:at + HEADER]
        return len(chunk) == HEADER and chunk[0] in GUEST_TYPES and chunk[3:] == b"\0\0"

    def _find_first(self) -> bool:
        """Drop text before the first frame. False until the frame's place is certain."""
        last = len(self.buffer) - HEADER
        for at in range(last + 1):
            if not self._looks_like_header(at):
                continue
            # The text's last letters and the real header's first bytes can look like one too.
            while self.buffer[at + 1] in GUEST_TYPES:
                if at == last:
                    return False
                if not self._looks_like_header(at + 1):
                    break
                at += 1
            del self.buffer[:at]
            self.in_step = True
            return True
        del self.buffer[:max(0, last + 1)]
        return False


class Ktap:
    """Judges KTAP lines: each top-level result ok, and as many as the plan says."""

    def __init__(self) -> None:
        self.plan: int | None = None
        self.passed = 0
        self.failed: list[str] = []

    def line(self, text: str) -> None:
        plan = re.match(r"1\.\.(\d+)", text)
        if plan:
            self.plan = int(plan[1])
        elif text.startswith("ok "):
            self.passed += 1
        elif text.startswith("not ok ") or text.startswith("Bail out!"):
            self.failed.append(text)

    @property
    def complete(self) -> bool:
        return self.plan is not None and self.passed + len(self.failed) >= self.plan

    def complaint(self) -> str:
        """Why the run fails, or an empty string."""
        if self.failed:
            return f"{len(self.failed)} failed, first: {self.failed[0]}"
        if self.plan is None:
            return f"no plan line, {self.passed} results"
        if self.passed != self.plan:
            return f"{self.passed} of {self.plan} results came"
        return ""
