# SPDX-License-Identifier: MIT
"""The terminal: line editing, raw mode, signals and job control, typed by hand as it were. Each
test runs against this host's own terminal, too, where p_tty must give the same answers."""
import re
import time

import pexpect
import programs
import pytest
import vm

PROMPT = "tty-test# "


class Terminal:
    """p_tty on some terminal. Text is compared without carriage returns."""

    def __init__(self, child, in_guest):
        self.child, self.in_guest = child, in_guest

    def type(self, text):
        # ^A is QEMU's own key, twice it is the guest's.
        self.child.send(text.replace("\x01", "\x01\x01") if self.in_guest else text)

    def expect(self, pattern):
        pattern = re.sub(r"(\\\\)|\\n|\n", lambda m: m[1] or "\r*\n", pattern)
        self.child.expect(pattern, timeout=40 if self.in_guest else 10)
        return self.child.before.replace("\r", "")


@pytest.fixture(params=("host", *vm.IMAGES), scope="module")
def shell(request):
    """None for the host, else a shell in a guest."""
    if request.param == "host":
        yield None
        return
    child = vm.console(request.param, add=[programs.prog("p_tty")], timeout=1800)
    child.delaybeforesend = None
    child.expect("[#$] ")
    child.send(f"PS1='{PROMPT}'\r")
    child.expect(f"\n{PROMPT}")
    yield child
    child.close(force=True)


in_guest = pytest.mark.parametrize("shell", vm.IMAGES, indirect=True, scope="module")


@pytest.fixture
def start(shell):
    """start("read", 100): p_tty has begun and says go."""
    children = []

    def run(*words, until="go\n"):
        words = [str(word) for word in words]
        if shell:
            shell.send("/p_tty " + " ".join(words) + "\r")
            children.append(shell)
        else:
            programs.build()
            child = pexpect.spawn(str(programs.BUILT / "p_tty"), words, encoding="utf-8")
            child.delaybeforesend = None
            children.append(child)
        terminal = Terminal(children[0], bool(shell))
        terminal.expect(until)
        return terminal
    yield run
    for child in children:
        if shell:
            child.expect(PROMPT)
        else:
            child.close(force=True)


def test_lines(start):
    t = start("read", 100)
    t.type("hello\r")
    t.expect(r"hello\n<6:hello\\n>\n")
    t.type("one\rtwo\r")
    t.expect(r"<4:one\\n>\n(.*\n)?<4:two\\n>\n")
    t.type("quit\r")
    t.expect("<5:quit")


def test_erase(start):
    t = start("read", 100)
    t.type("helpx\x7f\x7flo\r")
    echo = t.expect(r"<6:hello\\n>")
    assert "helpx\b \b\b \blo" in echo
    t.type("one two_3  \x17\x17four\r")
    t.expect(r"<5:four\\n>")
    t.type("one two, \x17x\r")
    t.expect(r"<6:one x\\n>")
    t.type("all of it\x15new\r")
    echo = t.expect(r"<4:new\\n>")
    assert "\b \b" * 9 in echo
    t.type("\x7f\x15\x17ok\r")
    t.expect(r"<3:ok\\n>")
    t.type("quit\r")
    t.expect("<5:quit")


def test_erase_control_and_tab(start):
    t = start("read", 100)
    t.type("a\x01\x7f\r")
    echo = t.expect(r"<2:a\\n>")
    assert "a^A\b \b\b \b" in echo
    t.type("abc\t\x7fd\r")
    echo = t.expect(r"<5:abcd\\n>")
    assert "abc\t\b\b\b\b\bd" in echo
    t.type("quit\r")
    t.expect("<5:quit")


def test_literal_next(start):
    t = start("read", 100)
    t.type("a\x16\x03b\x16\x7f\r")
    t.expect(r"<5:a\\x03b\\x7f\\n>")
    t.type("quit\r")
    t.expect("<5:quit")


def test_reprint(start):
    t = start("read", 100)
    t.type("some\x12thing\r")
    echo = t.expect(r"<10:something\\n>")
    assert "some^R\nsomething" in echo
    t.type("quit\r")
    t.expect("<5:quit")


def test_end_of_file(start):
    t = start("read", 100)
    t.type("\x04")
    t.expect("<0:>")
    t.type("abc\x04")
    t.expect("<3:abc>")
    t.type("d\r")
    t.expect(r"<2:d\\n>")
    t.type("quit\r")
    t.expect("<5:quit")


def test_short_reads(start):
    t = start("read", 4)
    t.type("abcdefgh\x04")
    t.expect("<4:abcd>\n<4:efgh>\n")
    t.type("xy\r")
    t.expect(r"<3:xy\\n>")          # the end of file above was no read of its own
    t.type("quit\r")
    t.expect(r"<4:quit>")


def test_carriage_return_and_newline(start):
    t = start("read", 100)
    t.type("a\nb\r")
    t.expect(r"<2:a\\n>\n(.*\n)?<2:b\\n>")
    t.type("quit\r")
    t.expect("<5:quit")


def test_long_line(start):
    t = start("read", 5000)
    for _ in range(50):             # in pieces, as fast as they are echoed
        t.type("x" * 100)
        t.child.expect("x{90}" if _ < 39 else "[x\x07]")
    t.type("\r")
    t.expect("<4096:x")
    t.type("quit\r")
    t.expect("<5:quit")


@pytest.mark.parametrize("flags, typed, shown, got", [
    (["-echo"], "abc\x7fd\r", "", "<4:abd"),
    (["-echo", "echonl"], "abc\r", "\n", "<4:abc"),
    (["-echoe"], "abc\x7fd\r", "abc^?d", "<4:abd"),
    (["-echoke"], "abc\x15d\r", "abc^U\nd", "<2:d"),
    (["-echok", "-echoke"], "abc\x15d\r", "abc^Ud", "<2:d"),
    (["-echoctl"], "a\x01b\r", "a\x01b", "<4:a.x01b"),
    (["-isig"], "a\x03b\r", "a^Cb", "<4:a.x03b"),
    (["-iexten"], "a\x17b\r", "a^Wb", "<4:a.x17b"),
])
def test_flags(start, flags, typed, shown, got):
    t = start("flags", *flags)
    t.type(typed)
    echo = t.expect(got)
    assert echo == shown if "-echo" in flags else shown in echo, repr(echo)
    t.expect(">\n")
    t.type("quit\r")
    t.expect("<5:quit")


def test_raw(start):
    t = start("raw", 1, 0)
    t.type("\x03")
    t.expect(r"<1:\\x03>")
    t.type("\r")
    t.expect(r"<1:\\x0d>")
    t.type("\x1b[A")
    t.expect(r"\\x1b")
    t.expect(r"A>")
    t.type("q")
    t.expect("<1:q>")


def test_raw_min(start):
    t = start("raw", 3, 0)
    t.type("ab")
    t.type("c")
    t.expect("<3:abc>")
    t.type("deq")
    t.expect("<3:deq>")


def test_raw_min_time(start):
    t = start("raw", 5, 3)
    t.type("ab")
    t.expect("<2:ab>")
    t.type("q")
    t.expect("<1:q>")


def test_raw_time(start):
    t = start("raw", 0, 1)
    t.expect("<0:>\n<0:>")
    t.type("q")
    t.expect("<1:q>")


def test_raw_no_wait(start):
    t = start("raw", 0, 0)
    t.expect("<0:>\n<0:>")
    t.type("q")
    t.expect("<1:q>")


def test_signals(start):
    """Nobody reads: the keys are noticed all the same."""
    t = start("signals")
    t.type("\x03")
    t.expect(r"\^C<INT>")
    t.type("\x1a")
    t.expect(r"\^Z<TSTP>")
    t.expect("<WINCH>")
    t.type("\x1c")
    t.expect(r"\^.<QUIT>")


def test_signal_flushes(start):
    t = start("read", 100)
    t.type("forgotten")
    t.expect("forgotten")
    t.type("\x11\x16\x03\x7f")      # START is not for us, ^V^C a byte of the line
    t.type("\x15quit\r")
    t.expect("<5:quit")


def test_stop_output(start):
    t = start("read", 100)
    t.type("a\x13")
    t.type("\r")
    with pytest.raises(pexpect.TIMEOUT):
        t.child.expect("<2:a", timeout=1)
    t.type("\x11")
    t.expect(r"<2:a\\n>")
    t.type("quit\r")
    t.expect("<5:quit")


def test_job_control(start):
    t = start("job", until="type line\n")
    t.type("line\r")
    t.expect("job control ok")


def test_ioctls(start):
    t = start("ioctls", until="type a line\n")
    t.type("abc\r")
    t.expect("ioctls ok")


@in_guest
def test_shell_jobs(shell):
    """^Z, bg, fg, ^C in the shell itself."""
    shell.send("sh -c 'echo has beg''un; exec sleep 100'\r")
    shell.expect("has begun")       # before, the shell itself is in the foreground
    shell.send("\x1a")
    shell.expect(r"Stopped.*sleep 100")
    shell.expect(PROMPT)
    shell.send("bg\r")
    shell.expect(PROMPT)
    shell.send("jobs\r")
    shell.expect(r"Running.*sleep 100")
    shell.expect(PROMPT)
    shell.send("fg\r")
    shell.expect("sleep 100.?\r*\n")
    time.sleep(1)                   # the shell says so before it does so
    shell.send("\x03")
    shell.expect(PROMPT)
    shell.send("cat &\r")
    shell.expect(PROMPT)
    shell.send("\r")
    shell.expect(r"Stopped \(tty input\)")
    shell.expect(PROMPT)
    shell.send("kill %1; wait\r")
    shell.expect(PROMPT)


@in_guest
def test_shell_editing(shell):
    """The line editor: cursor keys, history."""
    shell.send("echo wrd\x1b[D\x1b[Do\r")
    shell.expect(r"\nword\r*\n")
    shell.expect(PROMPT)
    shell.send("\x1b[A\r")
    shell.expect(r"\nword\r*\n")
    shell.expect(PROMPT)


@in_guest
def test_screen_answers(shell):
    """The screen says where its cursor is: a shell that asks hears of it."""
    shell.send(r"old=`stty -g`; stty raw -echo; printf '\033[3;7H\033[6n'; "
               "dd bs=1 count=6 2>/dev/null | od -c; stty $old\r")
    shell.expect(r"033 +\[ +3 +; +7 +R")
    shell.expect(re.escape(PROMPT))
