#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check the shape of the kernel's C.

    tools/shape.py [--root DIR] [--self-test] [FILE...]

Enforced: a function has at most 60 lines (signature to closing brace), 3 levels of nesting and
5 parameters; a .c file 500 lines, a header 150; no #if inside a function; a comment directly
above each function definition that is not static. Median and p90 of function lengths are
printed as aims. Without FILEs, all of arch, boot, kernel and mm. Exit 1 on a violation.
"""
from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from dataclasses import dataclass, field

MAX_LINES, MAX_NESTING, MAX_PARAMS = 60, 3, 5
MAX_FILE = {".c": 500, ".h": 150}
AIM_MEDIAN, AIM_P90 = 13, 35

BLANKED = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w*)(?:[^\n\\]|\\.|\\\n)*", re.M | re.S)
TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|\.\.\.|[^\s\w]")
CONDITIONALS = {"if", "ifdef", "ifndef", "elif", "else", "endif"}
# Words before '(' at file level that do not name a function.
NOT_NAMES = {"__attribute__", "__typeof__", "typeof", "_Alignas", "_Static_assert", "aligned",
             "printf_like", "__asm__", "asm", "sizeof"}
OPEN, CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}


@dataclass
class Token:
    text: str
    line: int


@dataclass
class Function:
    name: str
    path: str
    first: int
    last: int
    params: int
    nesting: int
    is_static: bool

    @property
    def lines(self) -> int:
        return self.last - self.first + 1


@dataclass
class Source:
    """One file, read: its functions and where its conditionals and comments are."""
    path: str
    nr_lines: int
    functions: list[Function] = field(default_factory=list)
    conditionals: list[int] = field(default_factory=list)
    comment_ends: set[int] = field(default_factory=set)


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def blank(match: re.Match) -> str:
    """A comment becomes blanks, a literal an empty literal; line ends stay."""
    text = match[0]
    lines = "\n" * text.count("\n")
    return " " + lines if text.startswith("/") else text[0] + lines + text[0]


def read_source(path: str, text: str) -> Source:
    """Comments, conditionals and functions of one file."""
    source = Source(path, text.count("\n") + (not text.endswith("\n") and text != ""))
    for match in BLANKED.finditer(text):
        if match[0].startswith("/"):
            source.comment_ends.add(line_of(text, match.end() - 1))
    code = BLANKED.sub(blank, text)
    for match in DIRECTIVE.finditer(code):
        if match[1] in CONDITIONALS:
            source.conditionals.append(line_of(code, match.start()))
    code = DIRECTIVE.sub(lambda m: "\n" * m[0].count("\n"), code)
    source.functions = find_functions(path, tokenize(code))
    return source


def tokenize(code: str) -> list[Token]:
    return [Token(token, number) for number, line in enumerate(code.split("\n"), start=1)
            for token in TOKEN.findall(line)]


def skip_group(tokens: list[Token], at: int) -> int:
    """Index after the bracket that closes the one at `at`."""
    depth = 0
    while at < len(tokens):
        if tokens[at].text in OPEN:
            depth += 1
        elif tokens[at].text in CLOSE:
            depth -= 1
            if depth <= 0:
                return at + 1
        at += 1
    return at


def find_functions(path: str, tokens: list[Token]) -> list[Function]:
    """Every function definition at file level."""
    found, start, at = [], 0, 0
    while at < len(tokens):
        text = tokens[at].text
        if text == "{":
            end = skip_group(tokens, at)
            function = read_function(path, tokens, start, at, end)
            if function:
                found.append(function)
                start = end
            at = end
        elif text in ("(", "["):
            at = skip_group(tokens, at)
        else:
            at += 1
            start = at if text == ";" else start
    return found


def read_function(path: str, tokens: list[Token], start: int, body: int,
                  end: int) -> Function | None:
    """The definition whose declaration is tokens[start:body], or None (a struct, a table)."""
    name_at = None
    at = start
    while at < body:
        if tokens[at].text == "=":
            return None
        if tokens[at].text == "(":
            word = tokens[at - 1].text if at > start else ""
            if name_at is None and re.match(r"[A-Za-z_]", word) and word not in NOT_NAMES:
                name_at = at - 1
            at = skip_group(tokens, at)
        else:
            at += 1
    if name_at is None or tokens[body - 1].text == "=":
        return None
    words = {token.text for token in tokens[start:name_at]}
    if not words or "typedef" in words:
        return None
    return Function(tokens[name_at].text, path, tokens[start].line, tokens[end - 1].line,
                    count_params(tokens, name_at + 1), Nesting(tokens, body, end).deepest,
                    "static" in words)


def count_params(tokens: list[Token], at: int) -> int:
    """Parameters of the list opened at `at`; the '...' does not count."""
    end = skip_group(tokens, at) - 1
    inside = tokens[at + 1:end]
    if not inside or [token.text for token in inside] == ["void"]:
        return 0
    count, i = 1, 0
    while i < len(inside):
        if inside[i].text in OPEN:
            i = skip_group(inside, i)
            continue
        count += inside[i].text == ","
        i += 1
    return count - (inside[-1].text == "...")


class Nesting:
    """The deepest level of if, loop and switch in a body, braces or not.

    A walk by recursive descent over statements; `else if` stays on its level.
    """

    def __init__(self, tokens: list[Token], body: int, end: int) -> None:
        self.words = [token.text for token in tokens[body:end]]
        self.tokens = tokens[body:end]
        self.deepest = 0
        self.statement(0, 0)

    def word(self, at: int) -> str:
        return self.words[at] if at < len(self.words) else ""

    def statement(self, at: int, level: int) -> int:
        """Walk the statement at `at`; returns the index after it."""
        self.deepest = max(self.deepest, level)
        word = self.word(at)
        if word == "{":
            return self.block(at, level)
        if word == "if":
            return self.branch(at, level)
        if word in ("for", "while", "switch"):
            return self.statement(skip_group(self.tokens, at + 1), level + 1)
        if word == "do":
            return self.simple(self.statement(at + 1, level + 1), level)
        if word in ("case", "default") or self.word(at + 1) == ":":
            return self.label(at)
        return self.simple(at, level)

    def block(self, at: int, level: int) -> int:
        at += 1
        while at < len(self.words) and self.words[at] != "}":
            at = self.statement(at, level)
        return at + 1

    def branch(self, at: int, level: int) -> int:
        at = self.statement(skip_group(self.tokens, at + 1), level + 1)
        if self.word(at) != "else":
            return at
        if self.word(at + 1) == "if":
            return self.branch(at + 1, level)
        return self.statement(at + 1, level + 1)

    def label(self, at: int) -> int:
        while at < len(self.words) and self.words[at] != ":":
            at = skip_group(self.tokens, at) if self.words[at] in OPEN else at + 1
        return at + 1

    def simple(self, at: int, level: int) -> int:
        """An expression up to its ';', or a macro that opens a loop: name(...) { ... }."""
        while at < len(self.words) and self.words[at] not in (";", "}"):
            if self.words[at] not in OPEN:
                at += 1
                continue
            is_loop = self.words[at] == "(" and "for_each" in self.word(at - 1)
            at = skip_group(self.tokens, at)
            if is_loop or self.word(at) == "{" and self.words[at - 1] == ")":
                return self.macro_body(at, level)
        return at + (self.word(at) == ";")

    def macro_body(self, at: int, level: int) -> int:
        """What follows name(...): a loop's body, unless the brace is a compound literal's."""
        before = self.words[:at]
        if self.word(at) == "{" and is_compound_literal(before):
            return self.simple(skip_group(self.tokens, at), level)
        return self.statement(at, level + 1)


def is_compound_literal(words: list[str]) -> bool:
    """True when words end in (type), not in name(...)."""
    depth = 0
    for i in range(len(words) - 1, -1, -1):
        depth += (words[i] == ")") - (words[i] == "(")
        if depth == 0:
            return i == 0 or not re.match(r"[A-Za-z_]", words[i - 1]) \
                or words[i - 1] in ("return", "sizeof")
    return False


def judge_function(function: Function, source: Source) -> list[str]:
    """Complaints about one function."""
    found = []
    if function.lines > MAX_LINES:
        found.append(f"{function.lines} lines, at most {MAX_LINES}")
    if function.nesting > MAX_NESTING:
        found.append(f"nesting {function.nesting}, at most {MAX_NESTING}")
    if function.params > MAX_PARAMS:
        found.append(f"{function.params} parameters, at most {MAX_PARAMS}")
    if any(function.first < line < function.last for line in source.conditionals):
        found.append("#if inside the function")
    if not function.is_static and function.first - 1 not in source.comment_ends:
        found.append("no comment directly above")
    return [f"{function.path}:{function.first}: {function.name}: {why}" for why in found]


def judge(source: Source) -> list[str]:
    """Complaints about one file and its functions."""
    limit = MAX_FILE.get(os.path.splitext(source.path)[1])
    found = []
    if limit and source.nr_lines > limit:
        found.append(f"{source.path}:1: {source.nr_lines} lines, at most {limit}")
    for function in source.functions:
        found += judge_function(function, source)
    return found


def kernel_files(root: str) -> list[str]:
    found = []
    for top in ("arch", "boot", "kernel", "mm"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            found += [os.path.join(folder, name) for name in names
                      if name.endswith((".c", ".h"))]
    return sorted(os.path.relpath(path, root) for path in found)


def read_all(root: str, paths: list[str]) -> list[Source]:
    sources = []
    for path in paths:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            sources.append(read_source(path, file.read()))
    return sources


def percentile(values: list[int], percent: int) -> int:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)] if values else 0


def report(sources: list[Source]) -> int:
    """Print violations and the aims; 1 when there is a violation."""
    found = [line for source in sources for line in judge(source)]
    lengths = [function.lines for source in sources for function in source.functions]
    for line in found:
        print(line)
    print(f"shape: {len(lengths)} functions, median {percentile(lengths, 50)} lines (aim "
          f"{AIM_MEDIAN}), p90 {percentile(lengths, 90)} (aim {AIM_P90})")
    print(f"shape: {len(found)} violations")
    return 1 if found else 0


GOOD = r'''/* SPDX */
struct op { int (*fn)(int a, int b); } packed;
static const struct op table[] = { { .fn = 0 }, [2] = { 0 } };
struct aligned(64) slot { int x; };
#define LONG_MACRO(x) do { \
	if (x) { if (x) { if (x) { if (x) { } } } } \
} while (0)
enum color { RED, BLUE };
static char *quote(void) { return "}{ /* \" "; }
/* Has a comment; braces in literals and comments do not count: } */
int good(int a, void (*hook)(int, int, int), const char *fmt, ...)
{
	struct op one = { .fn = 0 }, *p = &(struct op){ 0 };

	if (a == '{')
		return 1;
	else if (a == '}')
		return 2;
	else if (a)
		for (;;)
			list_for_each(x, y)
				a++;
	switch (a) {
	case 1:
	case RED ... BLUE:
		do { a++; } while (a < 3);
		break;
	default:
		return *p ? (a) : one.fn(({ int z = a; z; }), 2);
	}
out:
	return a;
}
static noreturn void helper(struct op *op, int a, int b, int c, int d) { for (;;) ; }
'''

PLANTED = [     # text, part of the complaint
    ("/* c */\nvoid f(void)\n{\n" + "\tg();\n" * 58 + "}\n", "f: 61 lines"),
    ("/* c */\nint f(int a)\n{\n\tif (a)\n\tfor (;;)\n\twhile (a)\n\tif (a)\n\t\tg();\n}\n",
     "f: nesting 4"),
    ("/* c */\nint f(int a)\n{\n\tif (a) { list_for_each(p, q) { do { switch (a) { case 1: "
     "g(); } } while (0); } }\n}\n", "f: nesting 4"),
    ("/* c */\nint f(int a)\n{\n\tif (a)\n\t\tg();\n\telse\n\t\tfor (;;) if (a) for (;;) h();\n"
     "\treturn 0;\n}\n", "f: nesting 4"),
    ("static int f(int a, int b, int (*c)(int, int), int d, int e, int g) { return 0; }\n",
     "f: 6 parameters"),
    ("static int f(void)\n{\n#ifdef X\n\tg();\n#endif\n\treturn 0;\n}\n", "f: #if inside"),
    ("struct s *f(void)\n{\n\treturn 0;\n}\n", "f: no comment"),
    ("/* c */\n\nmust_check int f(void)\n{\n\treturn 0;\n}\n", "f: no comment"),
    ("int x;\n" * 501, "501 lines"),
]


def self_test() -> int:
    """Plant each kind of violation; all must be found, and none in well-shaped code."""
    missed = []
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(os.path.join(root, "mm"))
        for number, (text, _) in enumerate([(GOOD, "")] + PLANTED):
            path = os.path.join(root, "mm", f"t{number}.c")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        with open(os.path.join(root, "mm", "long.h"), "w", encoding="utf-8") as file:
            file.write("int x;\n" * 151)
        found = [judge(source) for source in read_all(root, kernel_files(root))]
    extra = found[1]
    for (text, part), complaints in zip([("", "151 lines")] + PLANTED, [found[0]] + found[2:]):
        if len(complaints) != 1 or part not in complaints[0]:
            missed.append(f"{part!r} planted, got {complaints}")
    for line in missed + extra:
        print(f"shape: self-test: {line}", file=sys.stderr)
    print(f"shape: self-test: {len(PLANTED) + 1 - len(missed)} of {len(PLANTED) + 1} planted "
          f"violations found, {len(extra)} false")
    return 1 if missed or extra else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    parser.add_argument("--root", default=here)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("file", nargs="*")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    paths = [os.path.abspath(path) for path in args.file] or kernel_files(args.root)
    return report(read_all(args.root, paths))


if __name__ == "__main__":
    sys.exit(main())
