# SPDX-License-Identifier: MIT
"""QEMU's control channel, as much as a memory dump needs."""
from __future__ import annotations

import json
import socket


class QmpError(Exception):
    """QEMU refused a command or fell silent."""


class Qmp:
    def __init__(self, channel: socket.socket, seconds: float = 60.0) -> None:
        self.channel = channel
        self.channel.settimeout(seconds)
        self.file = channel.makefile("rb")
        self.greeted = False

    def command(self, name: str, **arguments) -> dict:
        """Run one command, skipping events. Raises QmpError."""
        if not self.greeted:
            self.greeted = True
            self._read()
            self.command("qmp_capabilities")
        request = json.dumps({"execute": name, "arguments": arguments}) + "\n"
        try:
            self.channel.sendall(request.encode())
        except OSError as error:
            raise QmpError(str(error)) from error
        while True:
            answer = self._read()
            if "error" in answer:
                raise QmpError(answer["error"].get("desc", "refused"))
            if "return" in answer:
                return answer["return"]

    def _read(self) -> dict:
        try:
            line = self.file.readline()
            if not line:
                raise QmpError("QEMU closed the control channel")
            return json.loads(line)
        except (OSError, ValueError) as error:
            raise QmpError(str(error)) from error

    def dump(self, path: str) -> None:
        """Guest memory to an ELF core. With the guest's virtual addresses if its page tables
        can be walked, else by physical address."""
        try:
            self.command("dump-guest-memory", paging=True, protocol="file:" + path)
        except QmpError:
            self.command("dump-guest-memory", paging=False, protocol="file:" + path)
