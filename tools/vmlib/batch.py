# SPDX-License-Identifier: MIT
"""A batch run: moves bytes between us and the guest's host port until the run has a verdict."""
from __future__ import annotations

import argparse
import os
import selectors
import signal
import socket
import struct
import time

from . import frames
from .qemu import EXIT_CODE, Qemu
from .qmp import Qmp, QmpError
from .verdict import (FAIL, HANG, HARNESS, PANIC, PASS, TIMEOUT, Verdict, from_wait_status)

GRACE = 5.0                 # from the last word of the guest to the end of QEMU
BOOT_SILENCE = 90.0         # firmware and boot loader send no heartbeat
FOREVER = float("inf")


class Stop(Exception):
    """Leave the loop now."""


class Batch:
    def __init__(self, options: argparse.Namespace, qemu: Qemu, host: socket.socket,
                 qmp: Qmp | None, log: str) -> None:
        self.options, self.qemu, self.host, self.qmp, self.log = options, qemu, host, qmp, log
        self.parser, self.ktap = frames.Parser(), frames.Ktap()
        self.outgoing = bytearray()
        self.verdict: Verdict | None = None
        self.stdin_open = False
        self.dump_wanted = False
        self.selector = selectors.SelectSelector()
        now = time.monotonic()
        self.deadline = now + options.timeout if options.timeout else FOREVER
        self.silence_end = now + max(options.hang, BOOT_SILENCE) if options.hang else FOREVER
        self.ktap_file = None
        self.handlers = {frames.STDOUT: lambda data: self.write_out(1, data),
                         frames.STDERR: lambda data: self.write_out(2, data),
                         frames.STATUS: self.on_status, frames.KTAP: self.on_ktap,
                         frames.DEAD: self.on_panic, frames.BEAT: lambda data: None,
                         frames.READY: self.on_ready}

    def run(self) -> Verdict:
        """Until the guest is done, dead or silent; QEMU may still run afterwards."""
        wake_out, wake_in = self.catch_dump_signal()
        self.host.setblocking(False)
        self.selector.register(self.host, selectors.EVENT_READ, self.on_host)
        self.selector.register(wake_out, selectors.EVENT_READ, self.on_wake)
        self.ktap_file = self.open_ktap()
        try:
            while True:
                self.step()
        except Stop:
            pass
        except frames.BadFrame as error:
            self.verdict = Verdict(HARNESS, f"host port: {error}")
        finally:
            signal.set_wakeup_fd(-1)
            wake_out.close()
            wake_in.close()
            self.selector.close()
        return self.final_verdict()

    # --- the loop

    def step(self) -> None:
        now = time.monotonic()
        if now >= self.deadline:
            self.give_up(TIMEOUT, f"not done after {self.options.timeout:g} s")
        if now >= self.silence_end:
            self.give_up(HANG, f"no heartbeat for {self.options.hang:g} s"
                         if self.parser.in_step else "the guest never spoke")
        wait = min(self.deadline, self.silence_end) - now
        for key, events in self.selector.select(None if wait == FOREVER else wait):
            key.data(events)
        if self.dump_wanted:
            self.dump_wanted = False
            self.dump()

    def give_up(self, kind: str, why: str) -> None:
        if self.verdict is None:
            self.verdict = Verdict(kind, why)
            if kind == HANG:
                self.dump()
        raise Stop

    def watch_host(self) -> None:
        """Ask for writability only while there is something to write."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.outgoing else 0)
        self.selector.modify(self.host, events, self.on_host)

    def on_host(self, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self.send_some()
        if not events & selectors.EVENT_READ:
            return
        try:
            data = self.host.recv(65536)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            raise Stop
        for kind, payload in self.parser.feed(data):
            self.handlers[kind](payload)
            self.heard()

    def heard(self) -> None:
        if self.options.hang:
            self.silence_end = time.monotonic() + self.options.hang

    def send_some(self) -> None:
        try:
            del self.outgoing[:self.host.send(self.outgoing)]
        except BlockingIOError:
            return
        except OSError:
            self.outgoing.clear()
        self.watch_host()
        if not self.outgoing and self.stdin_open:
            self.selector.register(0, selectors.EVENT_READ, self.on_stdin)

    def on_stdin(self, _events: int) -> None:
        """One chunk at a time: the next is read when this one has gone."""
        try:
            data = os.read(0, frames.STDIN_CHUNK)
        except OSError:
            data = b""
        self.selector.unregister(0)
        self.stdin_open = bool(data)
        self.outgoing += frames.encode(frames.STDIN, data)
        self.watch_host()

    def on_wake(self, _events: int) -> None:
        key = next(k for k in self.selector.get_map().values() if k.data == self.on_wake)
        key.fileobj.recv(64)

    # --- frames

    def on_ready(self, _data: bytes) -> None:
        if not self.stdin_open and not self.outgoing:
            self.stdin_open = True
            self.selector.register(0, selectors.EVENT_READ, self.on_stdin)
            self.handlers[frames.READY] = lambda data: None

    def on_status(self, data: bytes) -> None:
        if len(data) != 4:
            raise frames.BadFrame(f"a status of {len(data)} bytes")
        self.verdict = from_wait_status(struct.unpack("<I", data)[0])
        self.ending()

    def on_panic(self, data: bytes) -> None:
        reason = data.decode("utf-8", "replace").strip()
        self.verdict = Verdict(PANIC, reason or "no reason given")
        self.dump()
        self.ending()

    def on_ktap(self, data: bytes) -> None:
        for line in data.decode("utf-8", "replace").splitlines():
            self.ktap.line(line)
            if self.ktap_file is not None:
                self.write_out(self.ktap_file, line.encode() + b"\n")
        if self.ktap.complete and self.options.dump and self.options.ktap:
            raise Stop

    def ending(self) -> None:
        """The guest has said its last word: QEMU ends itself, or soon by our hand."""
        if self.options.dump:
            raise Stop
        self.deadline = min(self.deadline, time.monotonic() + GRACE)

    def open_ktap(self) -> int | None:
        if self.options.ktap is None:
            return None
        if self.options.ktap == "-":
            return 1
        return os.open(self.options.ktap, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)

    def write_out(self, fd: int, data: bytes) -> None:
        """All of data to one of our outputs, bounded by the run's deadline. Its reader gone:
        end as a program of the host would."""
        view = memoryview(data)
        while view:
            with selectors.SelectSelector() as ready:
                ready.register(fd, selectors.EVENT_WRITE)
                left = self.deadline - time.monotonic()
                if not ready.select(None if left == FOREVER else max(0.0, left)):
                    self.give_up(TIMEOUT, "nobody reads our output")
            try:
                view = view[os.write(fd, view[:4096]):]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                self.verdict = Verdict(FAIL, "our output was closed", 128 + signal.SIGPIPE)
                raise Stop from None

    # --- dumps

    def catch_dump_signal(self) -> tuple[socket.socket, socket.socket]:
        wake_out, wake_in = socket.socketpair()
        wake_out.setblocking(False)
        wake_in.setblocking(False)
        signal.set_wakeup_fd(wake_in.fileno())

        def on_signal(_number, _frame) -> None:
            self.dump_wanted = True
        if self.options.dump:
            signal.signal(signal.SIGUSR1, on_signal)
        return wake_out, wake_in

    def dump(self) -> None:
        """Write the core; the clock of the run stands still meanwhile."""
        if not self.qmp:
            return
        start = time.monotonic()
        try:
            self.qmp.dump(os.path.abspath(self.options.dump))
        except QmpError as error:
            os.write(2, f"vm: dump: {error}\n".encode())
        self.deadline += time.monotonic() - start
        self.heard()

    # --- the end

    def final_verdict(self) -> Verdict:
        """What the guest said, or what can be told from how QEMU ended."""
        if self.verdict is not None and self.verdict.kind != PASS:
            return self.verdict
        if self.verdict is None:
            stays = self.options.dump and self.ktap.complete
            code = EXIT_CODE if stays else self.qemu.wait(GRACE)
            if self.options.ktap is None or code != EXIT_CODE:
                return self.judge_exit(code)
        why = self.ktap.complaint() if self.options.ktap is not None else ""
        return Verdict(FAIL, why, 1) if why else Verdict(PASS)

    def judge_exit(self, code: int | None) -> Verdict:
        if code == EXIT_CODE:
            return Verdict(PANIC, "the guest ended without a status")
        if code == 0:
            return Verdict(PANIC, "the machine reset itself (triple fault?)")
        how = "closed the host port" if code is None else \
            f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        return Verdict(HARNESS, f"QEMU {how}", report=self.qemu.messages())
