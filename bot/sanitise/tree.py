"""A Markdown tree written down again in one canonical form, so that reading it back gives the same tree."""

import re
from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.core.text import fence_for
from bot.sanitise.inline import Allowed, inline, of_html, written
from bot.sanitise.words import orders_a_bot

_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_DEEPEST = _MARKDOWN.options["maxNesting"] - 1
# Fences that GitHub draws or makes a button of: a suggestion is Hob's alone to make, diagrams can hold links.
# https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/creating-diagrams
_LIVE = ("suggestion", "mermaid", "math", "geojson", "topojson", "stl")
_INFO = re.compile(r"[A-Za-z0-9_+.#-]{1,30}")


def rewritten(markdown: str, allowed: Allowed) -> str:
    """The text with everything that acts made harmless; `allowed` says which addresses may stay links."""
    tokens = _MARKDOWN.parse(markdown)
    if any(token.level >= _DEEPEST for token in tokens):
        return "\n".join(fenced(markdown))  # what stands deeper is not in the tree: it would be lost
    root = SyntaxTreeNode(tokens)
    return "\n".join(_Writer(allowed).blocks(root))


def fenced(code: str, info: str = "") -> list[str]:
    """Code in a fence that it cannot close; in a quote too when a bot reading raw text would obey a line."""
    mark = fence_for(code)
    lines = [mark + info, *(code.removesuffix("\n").split("\n") if code else ()), mark]
    return _prefixed(lines, "> ") if orders_a_bot(code) else lines


class _Writer:
    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed

    def blocks(self, parent: SyntaxTreeNode, *, tight: bool = False) -> list[str]:
        """The lines of all children, a blank line between two unless they are tight."""
        result: list[str] = []
        for child in parent.children:
            if lines := self._block(child):
                if result and not tight:
                    result.append("")
                result += lines
        return result

    def _block(self, node: SyntaxTreeNode) -> list[str]:
        match node.type:
            case "paragraph":
                return self._inline(node)
            case "heading":
                return self._heading(node)
            case "fence" | "code_block":
                return self._fence(node)
            case "html_block":
                return written(of_html(node.content))
            case "hr":
                return ["___"]  # neither a list's mark nor the underline of a heading
            case "blockquote":
                return _prefixed(self.blocks(node), "> ")
            case "bullet_list" | "ordered_list":
                return self._list(node)
            case "table":
                return self._table(node)
        return self.blocks(node)

    def _inline(self, node: SyntaxTreeNode, *, cell: bool = False) -> list[str]:
        return [line for child in node.children for line in inline(child, self._allowed, cell=cell)]

    def _heading(self, node: SyntaxTreeNode) -> list[str]:
        text = " ".join(self._inline(node))
        text = re.sub(r"(?<!\\)(#+)$", r"\\\1", text)
        return [f"{'#' * int(node.tag[1:])} {text}"] if text else []

    def _fence(self, node: SyntaxTreeNode) -> list[str]:
        found = _INFO.match(node.info.strip())
        info = found.group() if found else ""
        info = "text" if info.casefold().startswith(_LIVE) else info
        lines = fenced(node.content, info)
        return lines[:] if not _in_quote(node) else _unquoted(lines)

    def _list(self, node: SyntaxTreeNode) -> list[str]:
        tight = all(_is_tight(item) for item in node.children)
        first = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else 0
        result: list[str] = []
        number = 0
        for item in node.children:
            lines = self.blocks(item, tight=tight)
            if not lines:
                continue
            mark = (
                f"{min(first + number, 999_999_999)}{item.markup} "
                if node.type == "ordered_list"
                else f"{item.markup} "
            )
            if result and not tight:
                result.append("")
            result += [mark + lines[0], *_prefixed(lines[1:], " " * len(mark))]
            number += 1
        return result

    def _table(self, node: SyntaxTreeNode) -> list[str]:
        rows = [row for part in node.children for row in part.children]
        cells = [[" ".join(self._inline(cell, cell=True)) for cell in row.children] for row in rows]
        marks = [_alignment(cell) for cell in rows[0].children]
        return [_row(cells[0]), _row(marks), *map(_row, cells[1:])]


def _prefixed(lines: Iterable[str], prefix: str) -> list[str]:
    return [(prefix + line).rstrip(" ") if not line else prefix + line for line in lines]


def _in_quote(node: SyntaxTreeNode) -> bool:
    while node.parent is not None:
        node = node.parent
        if node.type == "blockquote":
            return True
    return False


def _unquoted(lines: list[str]) -> list[str]:
    """A fence that stands in a quote already needs none of its own."""
    return (
        [line[2:] if line.startswith("> ") else "" for line in lines] if lines[0].startswith("> ") else lines
    )


def _is_tight(item: SyntaxTreeNode) -> bool:
    """At most a paragraph and a list under it, with no blank line between."""
    kinds = [child.type for child in item.children]
    if any(child.type == "paragraph" and not child.hidden for child in item.children):
        return False
    nested = item.children[-1] if kinds else item
    may_follow = nested.type == "bullet_list" or (
        nested.type == "ordered_list" and not nested.attrs.get("start")
    )
    return len(kinds) <= 1 or (len(kinds) == 2 and kinds[0] == "paragraph" and may_follow)


def _alignment(cell: SyntaxTreeNode) -> str:
    side = str(cell.attrs.get("style", "")).removeprefix("text-align:")
    return {"left": ":--", "right": "--:", "center": ":-:"}.get(side, "---")


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
