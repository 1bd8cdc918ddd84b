"""Which lines of a Markdown text are prose, and which are code, raw HTML or quoted: the block structure of
CommonMark, as far as a line-by-line reader needs it.
https://spec.commonmark.org/0.31.2/#appendix-a-parsing-strategy
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["prose", "blank", "code", "html", "heading", "rule"]

_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r"( {0,3}(?:[-+*]|(?P<number>[0-9]{1,9})[.)]))(?:(?P<gap> ++)(?=[^ ])| *+$)")
_RULE = re.compile(r" {0,3}(?:(?:\* *+){3,}+|(?:- *+){3,}+|(?:_ *+){3,}+)$")
_HEADING = re.compile(r" {0,3}#{1,6}(?: |$)")
_UNDERLINE = re.compile(r" {0,3}(?:=++|-++) *+$")
_FENCE = re.compile(r"(?P<indent> {0,3})(?P<mark>`{3,}(?=[^`]*$)|~{3,})", re.DOTALL)

MOST_NESTED = 100
"""Quotes and list items within each other, as GitHub bounds its lists. A marker further in is text, and all
text there counts as quoted: nobody gives a command from in there.
https://github.com/github/cmark-gfm/blob/master/src/blocks.c
"""

# Raw HTML blocks: how one begins, what ends it (its own line included); an empty end is a blank line.
# https://spec.commonmark.org/0.31.2/#html-blocks
_BLOCK_TAGS = (
    "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt"
    "|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu"
    "|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr"
    "|track|ul"
)
_ATTRIBUTE = r"""\s+[a-z_:][\w.:-]*(?:\s*=\s*(?:[^"'=<>`\s]+|'[^']*'|"[^"]*"))?"""
_HTML = [
    (re.compile(rf" {{0,3}}{start}", re.IGNORECASE), re.compile(end, re.IGNORECASE) if end else None, closer)
    for start, end, closer in (
        (r"<(?:script|pre|style|textarea)(?=\s|>|$)", r"</(?:script|pre|style|textarea)>", "</pre>"),
        (r"<!--", r"-->", "-->"),
        (r"<\?", r"\?>", "?>"),
        (r"<![a-z]", r">", ">"),
        (r"<!\[CDATA\[", r"\]\]>", "]]>"),
        (rf"</?(?:{_BLOCK_TAGS})(?=\s|/?>|$)", "", ""),
        # the one kind that cannot interrupt a paragraph
        (rf"(?:<[a-z][a-z0-9-]*(?:{_ATTRIBUTE})*\s*/?>|</[a-z][a-z0-9-]*\s*>)\s*$", "", ""),
    )
]


@dataclass(frozen=True, slots=True)
class Fence:
    """An open code fence: the run that opened it and its indentation within its quote or item."""

    mark: str
    indent: str

    def closed_by(self, line: str) -> bool:
        run = line.strip(" ")
        shallow = len(line) - len(line.lstrip(" ")) < 4
        return shallow and len(run) >= len(self.mark) and not run.strip(self.mark[0])


@dataclass(frozen=True, slots=True)
class Html:
    """An open block of raw HTML; what ends it (None: a blank line) as a pattern and as a text."""

    end: re.Pattern[str] | None
    closer: str


@dataclass(frozen=True, slots=True)
class Block:
    """One line: what it is, whether a quote holds it, whether it goes on with the prose of the line above."""

    kind: BlockKind
    quoted: bool
    continues: bool = False


@dataclass(slots=True)
class Blocks:
    """Reads lines one by one. `around`: the open quotes (`>`) and list items (their width in spaces),
    outermost first; `leaf`: the open code fence, HTML or paragraph (True)."""

    around: list[str] = field(default_factory=list)
    leaf: Fence | Html | bool = False
    empty_item: bool = False

    def take(self, line: str) -> Block:
        """The next line, without its line end."""
        line = line.expandtabs(4).replace("\0", "\ufffd")
        depth, rest = self._descend(line)
        if depth < len(self.around):
            if self.leaf is True and rest.strip() and not _starts_block(rest):
                return self._block("prose", continues=True)
            del self.around[depth:]
            self.leaf = False
        if isinstance(self.leaf, Fence):
            return self._in_fence(self.leaf, rest)
        if isinstance(self.leaf, Html) and (self.leaf.end is not None or rest.strip()):
            return self._in_html(self.leaf, rest)
        return self._leaf(self._enter(rest))

    def _descend(self, line: str) -> tuple[int, str]:
        """How many of the open quotes and items this line stays in, and what it has inside them."""
        at, end = 0, len(line.rstrip(" "))
        for depth, part in enumerate(self.around):
            if part == ">":
                found = _QUOTE.match(line, at)
                if found is None:
                    return depth, line[at:]
                at = found.end()
            elif at >= end:
                return self._held_blank(depth), ""
            elif not line.startswith(part, at):
                return depth, line[at:]
            else:
                at += len(part)
        return len(self.around), line[at:]

    def _held_blank(self, depth: int) -> int:
        """How many a blank line stays in, from the item at `depth` on: no quote, no empty item."""
        if ">" in self.around[depth:]:
            return self.around.index(">", depth)
        return len(self.around) - self.empty_item

    def _enter(self, rest: str) -> str:
        """Opens the quotes and items that begin here; what the line has inside them."""
        self.empty_item = False
        while len(self.around) < MOST_NESTED and (
            found := _QUOTE.match(rest) or _item(rest, self.leaf is True)
        ):
            self.leaf = False
            if found.re is _QUOTE:
                self.around.append(">")
                rest = rest[found.end() :]
                continue
            gap = found["gap"] or ""
            width = len(found[1]) + (len(gap) if 1 <= len(gap) <= 4 else 1)
            self.around.append(" " * width)
            rest = rest[width:]
            self.empty_item = not rest.strip(" ")
        return rest

    def _leaf(self, rest: str) -> Block:
        paragraph, self.leaf = self.leaf is True, False
        if not rest.strip(" "):
            return self._block("blank")
        if rest.startswith("    ") and not paragraph:
            return self._block("code")
        if fence := _fence(rest):
            self.leaf = fence
            return self._block("code")
        if html := _html(rest, paragraph):
            self.leaf = html
            return self._in_html(html, rest)
        if paragraph and _UNDERLINE.match(rest):
            return self._block("heading", continues=True)
        if _RULE.match(rest):
            return self._block("rule")
        if _HEADING.match(rest):
            return self._block("heading")
        self.leaf = True
        return self._block("prose", continues=paragraph)

    def _in_fence(self, fence: Fence, rest: str) -> Block:
        if fence.closed_by(rest):
            self.leaf = False
        return self._block("code")

    def _in_html(self, html: Html, rest: str) -> Block:
        if html.end is not None and html.end.search(rest):
            self.leaf = False
        return self._block("html")

    def _block(self, kind: BlockKind, *, continues: bool = False) -> Block:
        deep = len(self.around) >= MOST_NESTED
        return Block(kind, deep or ">" in self.around, continues)


def _fence(rest: str) -> Fence | None:
    found = _FENCE.match(rest)
    return Fence(found["mark"], found["indent"]) if found else None


def _html(rest: str, paragraph: bool) -> Html | None:
    for start, end, closer in _HTML[:-1] if paragraph else _HTML:
        if start.match(rest):
            return Html(end, closer)
    return None


def _item(rest: str, paragraph: bool) -> re.Match[str] | None:
    """A list marker; within a paragraph only one that may interrupt it: not empty, numbered 1 if at all."""
    found = _ITEM.match(rest)
    if found is None or _RULE.match(rest):
        return None
    if paragraph and (found["gap"] is None or int(found["number"] or 1) != 1):
        return None
    return found


def _starts_block(rest: str) -> bool:
    """Whether this line, short of its quote or item, begins something of its own instead of going on."""
    if rest.startswith("    "):
        return False
    return bool(
        _QUOTE.match(rest)
        or _item(rest, paragraph=False)
        or _RULE.match(rest)
        or _HEADING.match(rest)
        or _fence(rest)
        or _html(rest, paragraph=True)
    )


def lines_of(text: str) -> list[str]:
    """The lines of a Markdown text: CRLF, CR and LF end one, nothing else does."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def read(text: str) -> Iterator[tuple[str, Block]]:
    """Each line of a Markdown text and what it is."""
    blocks = Blocks()
    for line in lines_of(text):
        yield line, blocks.take(line)
