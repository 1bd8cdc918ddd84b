"""What was for debugging and stops or narrows a run: breakpoints, `debugger`, `describe.only(`. Not `print`:
that may be what a program is for.

Found in the syntax tree, so that a string or a comment that speaks of one is none.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import chain

from tree_sitter import Language, Node, Parser

from bot.core.check_input import CheckedChange, new_lines
from bot.core.diff import FileDiff
from bot.core.file_kinds import is_test
from bot.core.findings import Finding
from bot.core.sandbox_types import RunProgram

_JAVASCRIPT = re.compile(r"debugger\b|(?:describe|context|suite|it|test|specify)\.only(?:\.each)?\s{0,3}\(")
_FOCUSED = re.compile(r"(?:fdescribe|fcontext|fit)\s{0,3}\(")
_JS_KINDS = frozenset({"debugger_statement", "call_expression"})


@dataclass(frozen=True, slots=True)
class _Tongue:
    """`kinds` of nodes that are looked at, and what they begin with."""

    module: str
    kinds: frozenset[str]
    begins: re.Pattern[str]
    language: str = "language"


_PYTHON = _Tongue(
    "tree_sitter_python",
    frozenset({"call"}),
    re.compile(r"breakpoint\s{0,3}\(|(?:i?pdb|pudb|wdb)\.set_trace\s{0,3}\("),
)
_JS = _Tongue("tree_sitter_javascript", _JS_KINDS, _JAVASCRIPT)
_TS = _Tongue("tree_sitter_typescript", _JS_KINDS, _JAVASCRIPT, "language_typescript")
_TSX = _Tongue("tree_sitter_typescript", _JS_KINDS, _JAVASCRIPT, "language_tsx")
_RUBY = _Tongue(
    "tree_sitter_ruby",
    frozenset({"call", "identifier"}),
    re.compile(r"binding\.(?:pry|irb|break)\b|byebug\b(?!\s*[.=(])"),
)
_RUST = _Tongue("tree_sitter_rust", frozenset({"macro_invocation"}), re.compile(r"dbg!\s{0,3}[(\[{]"))
_CSHARP = _Tongue(
    "tree_sitter_c_sharp",
    frozenset({"invocation_expression"}),
    re.compile(r"(?:System\.Diagnostics\.)?Debugger\.(?:Break|Launch)\s{0,3}\("),
)
TONGUES = {
    ".py": _PYTHON,
    ".js": _JS,
    ".jsx": _JS,
    ".mjs": _JS,
    ".cjs": _JS,
    ".ts": _TS,
    ".mts": _TS,
    ".cts": _TS,
    ".tsx": _TSX,
    ".rb": _RUBY,
    ".rs": _RUST,
    ".cs": _CSHARP,
}


async def run(change: CheckedChange, _: RunProgram) -> list[Finding] | None:
    """One finding for each that stands on a new line."""
    known = [file for file in change.files if _tongue(file.path) and file.path in change.texts]
    if not known:
        return None
    return list(chain.from_iterable(_of(file, change.texts[file.path]) for file in known))


def _tongue(path: str) -> _Tongue | None:
    return next((tongue for ending, tongue in TONGUES.items() if path.endswith(ending)), None)


def _of(file: FileDiff, text: str) -> Iterator[Finding]:
    tongue = _tongue(file.path)
    if tongue is None:
        return
    begins = _begins(tongue, file.path)
    lines = {line.new or 0: line.text for line in new_lines(file) if begins(line.text, False)}
    if not lines:  # nothing to look for in a tree
        return
    parser = Parser(Language(getattr(import_module(tongue.module), tongue.language)()))
    source = text.encode("utf-8", "replace")
    seen: set[int] = set()
    for node in _nodes(parser.parse(source).root_node, set(lines)):
        row = node.start_point[0] + 1
        said = source[node.start_byte : node.start_byte + 200].decode("utf-8", "replace")
        if node.type in tongue.kinds and row in lines and row not in seen and begins(said, True):
            seen.add(row)
            yield _finding(file.path, row, lines[row], said)


def _begins(tongue: _Tongue, path: str) -> Callable[[str, bool], bool]:
    """Whether a text holds, or (True) begins with, what is looked for in this file."""
    focus = tongue.begins is _JAVASCRIPT and is_test(path)
    patterns = (tongue.begins, _FOCUSED) if focus else (tongue.begins,)

    def begins(text: str, at_once: bool) -> bool:
        found = (pattern.match if at_once else pattern.search for pattern in patterns)
        return any(look(text[:2_000]) for look in found)

    return begins


def _nodes(root: Node, rows: set[int]) -> Iterator[Node]:
    """Those that touch one of the lines, outer ones first."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        first, last = node.start_point[0] + 1, node.end_point[0] + 1
        if any(first <= row <= last for row in rows):
            yield node
            waiting += reversed(node.children)


def _finding(path: str, row: int, line: str, said: str) -> Finding:
    narrows = ".only" in said[:40] or _FOCUSED.match(said) is not None
    name = re.split(r"[\s(;{\[]", said, maxsplit=1)[0][:40]
    why = (
        "only this test runs, and the others are skipped in silence"
        if narrows
        else "it stops or clutters a run"
    )
    return Finding(
        path=path,
        severity="major",
        category="leftover",
        title=f"`{name}` was left in",
        body=f"It is for debugging: {why}.",
        quote=line,
        source="leftovers",
        line=row,
    )
