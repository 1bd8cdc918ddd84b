"""The inline part of a Markdown tree written down again: emphasis and code stay, the rest is text or code."""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from markdown_it.tree import SyntaxTreeNode

from bot.core.text import fence_for
from bot.sanitise.words import pieces

Allowed = Callable[[str], bool]

_ESCAPE = re.compile(
    r"""\\(?=[!-/:-@\[-`{-~]|$) | [`*~]
    | (?<![^\W_])_ | _(?![^\W_])
    | <(?=[A-Za-z/!?]|$) | (?<=--)>
    | &(?=\#?\w+;)
    | !(?=\[|$)
    | \[(?=\^)
    | \](?=[(\[:])""",
    re.VERBOSE,
)
_BLOCK_START = re.compile(r"\#{1,6}(?=\s|$)|>|[-+=](?![^\W_])|[|:-](?=[\s|:-]*$)")
_NUMBERED = re.compile(r"([0-9]{1,9})(?=[.)](?:\s|$))")

_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<!.*?(?:>|\Z)"
    r"|<(script|style|template|iframe|noscript|svg|math)\b.*?(?:</\1\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)(?:[\s/][^<>]*)?>")
_ELEMENTS = frozenset(
    """
    a abbr address area article aside audio b base bdi bdo big blockquote body br button canvas caption
    center cite code col colgroup data dd del details dfn dialog div dl dt em embed fieldset figcaption
    figure font footer form frame frameset g h1 h2 h3 h4 h5 h6 head header hr html i iframe img input
    ins kbd label legend li link main map mark marquee math menu meta meter nav noscript object ol
    optgroup option output p param path picture pre progress q rp rt ruby s samp script search section
    select slot small source span strike strong style sub summary sup svg table tbody td template
    textarea tfoot th thead time title tr track tt u ul var video wbr
    """.split()  # noqa: SIM905  a list of strings would be a page long
)


@dataclass(frozen=True, slots=True)
class Item:
    """Part of a line: text to be escaped, code, Markdown that stands as it is, or the line's end."""

    kind: Literal["text", "code", "mark", "end"]
    text: str = ""


_END = Item("end")


def inline(node: SyntaxTreeNode, allowed: Allowed, *, cell: bool = False) -> list[str]:
    """The lines of a paragraph, heading or table cell; none when nothing is left."""
    items = (item for child in node.children for item in _items(child, allowed))
    return written(items, cell=cell)


def written(items: Iterable[Item], *, cell: bool = False) -> list[str]:
    """The lines that the items make, without blank ones."""
    lines = [_line(line, cell).strip() for line in _lines(_merged(items))]
    return [line for line in lines if line]


def _items(node: SyntaxTreeNode, allowed: Allowed) -> Iterator[Item]:
    match node.type:
        case "text":
            yield Item("text", node.content)
        case "code_inline":
            yield Item("code", node.content)
        case "softbreak" | "hardbreak":
            yield _END
        case "html_inline":
            yield from of_html(node.content)
        case "link":
            yield from _link(node, allowed)
        case "em" | "strong" | "s":
            yield Item("mark", node.markup)
            yield from _children(node, allowed)
            yield Item("mark", node.markup)
        case _:  # an image is what its text says; whatever else holds text
            yield from _children(node, allowed)


def _children(node: SyntaxTreeNode, allowed: Allowed) -> Iterator[Item]:
    for child in node.children:
        yield from _items(child, allowed)


def _link(node: SyntaxTreeNode, allowed: Allowed) -> Iterator[Item]:
    """An allowed link as it is, without its title; any other as its text and its address in code."""
    address = str(node.attrs.get("href") or "")
    label = list(_merged(_children(node, allowed)))
    if allowed(address):
        yield from (Item("mark", "["), *label, Item("mark", f"]({address})"))
        return
    said = "".join(item.text for item in label)
    if said not in (address, address.removeprefix("mailto:"), html.unescape(address)):
        yield from label
        address = address and f" ({address})"
    if address.startswith(" ("):
        yield from (Item("text", " ("), Item("code", address[2:-1]), Item("text", ")"))
    elif address:
        yield Item("code", said)


def of_html(raw: str) -> Iterator[Item]:
    """What raw HTML says: its text. Comments, unseen elements and tags go; what only looks like a tag, such
    as `<String>`, is code."""
    raw, done = _HIDDEN.sub("", raw), 0
    for tag in _TAG.finditer(raw):
        yield from _text_lines(raw[done : tag.start()])
        done = tag.end()
        name = tag[1].lower()
        if name == "br":
            yield _END
        elif name not in _ELEMENTS:
            yield Item("code", " ".join(tag.group().split()))
    yield from _text_lines(raw[done:])


def _text_lines(raw: str) -> Iterator[Item]:
    for number, line in enumerate(html.unescape(raw).split("\n")):
        if number:
            yield _END
        yield Item("text", line)


def _merged(items: Iterable[Item]) -> Iterator[Item]:
    """Neighbours of one kind as one: what was taken out from between them must not hide a reference."""
    last: Item | None = None
    for item in items:
        if item.kind != "end" and not item.text:
            continue
        if last is not None and last.kind == item.kind and item.kind in ("text", "code"):
            last = Item(item.kind, last.text + item.text)
            continue
        if last is not None:
            yield last
        last = item
    if last is not None:
        yield last


def _lines(items: Iterable[Item]) -> Iterator[list[Item]]:
    line: list[Item] = []
    for item in items:
        if item.kind == "end":
            yield line
            line = []
        else:
            line.append(item)
    yield line


def _neutral(line: list[Item]) -> Iterator[Item]:
    """The line with everything that acts in code."""
    at_start = True
    for item in line:
        if item.kind != "text":
            at_start = at_start and item.kind == "mark"
            yield item
            continue
        for piece in pieces(item.text, at_start=at_start):
            yield Item("code" if piece.code else "text", piece.text)
        at_start = at_start and not item.text.strip()


def _line(line: list[Item], cell: bool) -> str:
    result = ""
    for item in _merged(_neutral(line)):
        if item.kind == "mark":
            result += item.text
        elif item.kind == "code":
            # "$`" would begin a formula: https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/writing-mathematical-expressions
            result += (" " if result.endswith("$") else "") + _code(item.text, cell)
        else:
            result += _escaped(item.text, cell, at_start=not result.strip())
    return result


def _code(text: str, cell: bool) -> str:
    mark = fence_for(text, shortest=1)
    pad = (
        " "
        if text[:1] == "`" or text[-1:] == "`" or (text[:1] == text[-1:] == " " and text.strip(" "))
        else ""
    )
    return f"{mark}{pad}{text.replace('|', chr(92) + '|') if cell else text}{pad}{mark}"


def _escaped(text: str, cell: bool, *, at_start: bool) -> str:
    blank = text[: len(text) - len(text.lstrip())] if at_start else ""
    text = text[len(blank) :]
    starts = at_start and _BLOCK_START.match(text)
    number = _NUMBERED.match(text) if at_start else None
    if starts:
        done, rest = "\\" + text[0], text[1:]
    elif number:
        done, rest = f"{number[1]}\\{text[number.end()]}", text[number.end() + 1 :]
    else:
        done, rest = "", text
    rest = _ESCAPE.sub(r"\\\g<0>", rest)
    return blank + done + (rest.replace("|", "\\|") if cell else rest)
