"""Parsing with tree-sitter within a bounded amount of work.

Broken and hostile text makes some grammars retry without end (C++ on 400 KB of `a<a<a<`: many seconds), and
a clock would make an index depend on the machine: so the parser's own steps are counted, the same everywhere.
"""

import re

import tree_sitter

from bot.knowledge.languages import Grammar

MAX_STEPS = 10_000
"""Calls of the parser's progress function: 1 MB of ordinary source takes 5,000, 1 MB of brackets 10,000."""
_PIECE = 65_536
MAX_OPEN_COMMENTS = 50
"""Swift's scanner looks for the end of each nested comment anew, outside of the counted steps: 2 KB of `/*`
take it 17 seconds."""
_COMMENT = re.compile(rb"/\*|\*/")


class TooHard(Exception):
    """The text takes its grammar more steps than are spent on a file."""


def tree_of(grammar: Grammar, data: bytes) -> tree_sitter.Tree:
    """The tree of UTF-8 text, with error nodes where it is broken. Raises TooHard."""
    if grammar.language.name == "swift" and _open_comments(data) > MAX_OPEN_COMMENTS:
        raise TooHard("comments nested too deep")
    steps = 0

    def enough(_offset: int, _broken: bool) -> bool:
        nonlocal steps
        steps += 1
        return steps > MAX_STEPS

    try:
        return tree_sitter.Parser(grammar.language).parse(
            lambda at, _point: data[at : at + _PIECE], encoding="utf8", progress_callback=enough
        )
    except ValueError as refused:
        raise TooHard(str(refused)) from refused


def _open_comments(data: bytes) -> int:
    """How many comments are open at most at once."""
    depth = most = 0
    for mark in _COMMENT.finditer(data):
        depth = depth + 1 if mark.group() == b"/*" else max(0, depth - 1)
        most = max(most, depth)
    return most
