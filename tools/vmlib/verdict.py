# SPDX-License-Identifier: MIT
"""How a run ended: told apart by exit status and one line on stderr."""
from __future__ import annotations

from dataclasses import dataclass

PASS, FAIL, PANIC, HANG, TIMEOUT, HARNESS, NOTRUN = (
    "PASS", "FAIL", "PANIC", "HANG", "TIMEOUT", "HARNESS", "NOTRUN")
EXIT_CODES = {PANIC: 250, HANG: 251, TIMEOUT: 252, HARNESS: 253, NOTRUN: 254}


@dataclass
class Verdict:
    kind: str
    why: str = ""
    status: int = 0             # exit status of the command, for PASS and FAIL
    report: str = ""            # more lines for stderr: a panic report, the end of the log

    @property
    def exit_code(self) -> int:
        return EXIT_CODES.get(self.kind, self.status)

    def line(self) -> str:
        return f"vm: {self.kind}" + (f": {self.why}" if self.why else "")


class Refusal(Exception):
    """The run cannot start or go on; carries the verdict."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.verdict = Verdict(kind, why)


def from_wait_status(word: int) -> Verdict:
    """The verdict on a command from its 32-bit wait status."""
    signal = word & 0x7F
    status = 128 + signal if signal else (word >> 8) & 0xFF
    if status == 0:
        return Verdict(PASS)
    why = f"signal {signal}" if signal else f"exit status {status}"
    return Verdict(FAIL, why, status)
