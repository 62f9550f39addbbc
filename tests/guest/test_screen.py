# SPDX-License-Identifier: MIT
"""The screen and the keyboard: what video memory shows, and keys pressed at the machine."""
import time

import pytest
import vm

ROWS, COLUMNS = 25, 80


class Machine:
    """A shell in a guest, and QEMU's monitor behind ^A c on the same terminal."""

    def __init__(self, child, folder):
        self.child, self.file = child, folder / "vga"
        child.delaybeforesend = None
        child.expect("[#$] ")

    def monitor(self, *commands):
        self.child.send("\x01c")
        for command in commands:
            self.child.send(command + "\r")
            self.child.expect(r"\(qemu\) ")
        self.child.send("\x01c")

    def press(self, *keys):
        self.monitor("info name", *(f"sendkey {key} 20" for key in keys))

    def rows(self):
        self.monitor("info name", f'pmemsave 0xb8000 {ROWS * COLUMNS * 2} "{self.file}"')
        for _ in range(100):
            if self.file.exists() and self.file.stat().st_size == ROWS * COLUMNS * 2:
                break
            time.sleep(0.1)
        cells = self.file.read_bytes()
        self.file.unlink()
        text = cells[::2].decode("latin-1")
        self.colours = cells[1::2]
        return [text[y * COLUMNS:(y + 1) * COLUMNS].rstrip() for y in range(ROWS)]

    def until(self, condition):
        """The rows once they are as wanted."""
        for _ in range(60):
            rows = self.rows()
            if condition(rows):
                return rows
            time.sleep(0.3)
        raise AssertionError("\n".join(rows))


@pytest.fixture
def machine(console, tmp_path):
    return Machine(console(), tmp_path)


def test_scrolls(machine):
    machine.child.send("seq 100\r")
    rows = machine.until(lambda rows: "100" in rows)
    assert rows[rows.index("100") - 20:rows.index("100")] == [str(n) for n in range(80, 100)]


def test_full_screen_programs(machine):
    machine.child.send("seq 200 >/tmp/numbers; vi /tmp/numbers\r")
    machine.until(lambda rows: rows[:24] == [str(n) for n in range(1, 25)])
    machine.child.send("ddx")
    machine.until(lambda rows: rows[0] == "" and rows[1] == "3")
    machine.child.send(":q!\r")
    machine.until(lambda rows: rows[-1].endswith("#"))
    machine.child.send("less /tmp/numbers\r")
    machine.until(lambda rows: rows[0] == "1")
    machine.child.send(" ")
    machine.until(lambda rows: rows[0] == "25")
    machine.child.send("k")
    machine.until(lambda rows: rows[0] == "24")
    machine.child.send("q")


def test_colours(machine):
    machine.child.send(r"clear; printf '\033[1;31;44mred\033[0m plain'; echo; sleep 1" + "\r")
    rows = machine.until(lambda rows: "red plain" in rows)
    at = rows.index("red plain") * COLUMNS
    assert machine.colours[at:at + 5] == b"\x1c\x1c\x1c\x07\x07"


def test_keyboard(machine):
    machine.press("e", "c", "h", "o", "spc", "shift-a", "c", "left", "b", "home", "spc", "end",
                  "d", "ret")
    machine.until(lambda rows: "Abcd" in rows)
    machine.press("up", "backspace", "ret")
    machine.until(lambda rows: "Abc" in rows)
    machine.press("c", "a", "t", "ret")
    time.sleep(1)
    machine.press("ctrl-c")
    machine.until(lambda rows: rows[-1].endswith("#") or any(
        row == "^C" and after.endswith("#") for row, after in zip(rows, rows[1:])))
