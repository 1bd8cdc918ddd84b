"""Parsing with tree-sitter within a bounded amount of work.

Broken and hostile text makes some grammars retry without end (C++ on 400 KB of `a<a<a<`: many seconds), and
a clock would make an index depend on the machine: so what a parser does is counted, the same everywhere.
"""

import re
import time

import tree_sitter

from bot.knowledge.parsing.languages import Grammar

MAX_STEPS = 10_000
"""Calls of the parser's progress function: 1 MB of ordinary source takes 5,000, 1 MB of brackets 10,000."""
_PIECE = 512
MAX_READS = 100_000
"""Pieces of text that are handed out. A scanner that looks for an end that is not there, or over the next
lines, reads the same text again and again within one step: 60 KB of `/* a` in JavaScript, some thousand lines
of comments below a block in Python."""
MAX_SECONDS = 5.0
"""Of the processor, whatever the counts say: fifty times what 1 MB of ordinary source takes."""
MAX_LOOSE = 10_000
"""Children of a root that is an error: a query looks at all of them for each of them. 60 KB of `[[[[` in
Python have 48,000 and take it 2 seconds."""
MAX_OPEN_COMMENTS = 50
"""Swift's scanner looks for the end of each nested comment anew, outside of the counted steps: 2 KB of `/*`
take it 17 seconds."""
_SPLATS = re.compile(rb"/\s*\*+\s*(?:/\s*\*+\s*){49}")
"""Python's grammar takes `/*/*` for the beginning of something, and at its end as much memory as the square
of its length, in one step: 60 KB take it 3 GB. Other grammars have their own; what nobody foresaw is stopped
with its process (bot.knowledge.parsing.reader_pool)."""
_COMMENT = re.compile(rb"/\*|\*/")


class TooHard(Exception):
    """The text takes its grammar more steps than are spent on a file."""


def tree_of(grammar: Grammar, data: bytes) -> tree_sitter.Tree:
    """The tree of UTF-8 text, with error nodes where it is broken. Raises TooHard."""
    if grammar.language.name == "swift" and _open_comments(data) > MAX_OPEN_COMMENTS:
        raise TooHard("comments nested too deep")
    if grammar.language.name == "python" and _SPLATS.search(data):
        raise TooHard("operators without an end")
    work = _Work(data)
    try:
        tree = tree_sitter.Parser(grammar.language).parse(
            work.read, encoding="utf8", progress_callback=work.is_enough
        )
    except ValueError as refused:
        raise TooHard(str(refused)) from refused
    if work.reads > MAX_READS:
        raise TooHard("its text is read again and again")
    return tree


def captures_of(grammar: Grammar, tree: tree_sitter.Tree) -> dict[str, list[tree_sitter.Node]]:
    """What the language's query finds. Raises TooHard."""
    # A query that is given a progress function ends the process (tree-sitter 0.26): so it is asked before.
    if tree.root_node.is_error and tree.root_node.child_count > MAX_LOOSE:
        raise TooHard("nothing in it belongs together")
    return tree_sitter.QueryCursor(grammar.query).captures(tree.root_node)


class _Work:
    """Hands out a text and counts what is done with it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.steps = self.reads = 0
        self.until = time.thread_time() + MAX_SECONDS

    def read(self, at: int, _point: tuple[int, int]) -> bytes:
        self.reads += 1
        # The end of the text ends any scanner, which cannot be stopped in another way.
        return self.data[at : at + _PIECE] if self.reads <= MAX_READS else b""

    def is_enough(self, _at: int, _is_broken: bool) -> bool:
        self.steps += 1
        return self.steps > MAX_STEPS or self.reads > MAX_READS or time.thread_time() > self.until


def _open_comments(data: bytes) -> int:
    """How many comments are open at most at once."""
    depth = most = 0
    for mark in _COMMENT.finditer(data):
        depth = depth + 1 if mark.group() == b"/*" else max(0, depth - 1)
        most = max(most, depth)
    return most
