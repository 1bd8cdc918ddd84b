"""Text from people, repositories and models: invisible characters, lengths, cutting, open fences.

GitHub's limit of a body: the refusal says "maximum is 65536 characters"; others measured that issues and
comments take 262,144 bytes of UTF-8 and pull request bodies 65,536 code points
(https://github.com/dead-claudia/github-limits/pull/13). A check run's summary has 65,535 of an unnamed unit.
Bodies are counted here in bytes of UTF-8: what fits so fits under every one of these readings.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from bot.core.markdown_blocks import Blocks, Fence, Html, lines_of

REDIRECTING = "redirect.github.com"
"""Leads to the same page of github.com; a link through it leaves no mark on the issue that it leads to.
https://github.com/github/docs/pull/35987"""
BODY_LIMIT = 65_536
CUT_NOTICE = "\n\n*(The rest was cut: it is longer than GitHub takes.)*"

_JOINER, _NON_JOINER, _TEXT_STYLE, _EMOJI_STYLE, _KEYCAP = "\u200d", "\u200c", "\ufe0e", "\ufe0f", "\u20e3"
# Category Cf and the controls are asked of unicodedata; these are drawn as nothing under other categories:
# grapheme joiner, Hangul fillers, Khmer inherent vowels, Mongolian and general variation selectors, blank
# braille, tags and their unassigned neighbours
# (https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point).
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164"
    "\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_PERHAPS = re.compile(r"[^\t-\r -~\x85]")
_SPACES = "\t\n\v\f\r\x85"
# Scripts in which the joiners change how a word is drawn (Arabic to Tibetan, Khmer, Mongolian): letters' own.
_JOINING = re.compile("[\u0600-\u08ff\u0900-\u0fff\u1780-\u18af\ua840-\ua9ff]")


# Emoji that are letters, punctuation or signs of mathematics by their category
# (https://www.unicode.org/Public/UCD/latest/ucd/emoji/emoji-variation-sequences.txt).
_OTHER_EMOJI = frozenset("\u203c\u2049\u2139\u2194\u25fb\u25fc\u25fd\u25fe\u2934\u2935\u3030\u303d")


def _is_emoji(char: str) -> bool:
    if char in _OTHER_EMOJI:
        return True
    return char != "" and unicodedata.category(char) in {"So", "Sk"} and char != "\u2800"


def _belongs(before: str, char: str, after: str) -> bool:
    """Whether an invisible character does its proper work between its neighbours."""
    if char in (_EMOJI_STYLE, _TEXT_STYLE):
        return _is_emoji(before) or (before != "" and before in "0123456789#*" and after == _KEYCAP)
    if char == _JOINER and (before == _EMOJI_STYLE or _is_emoji(before)):
        return _is_emoji(after)
    if char in (_JOINER, _NON_JOINER):
        return bool(_JOINING.match(before) and _JOINING.match(after))
    return False


def is_invisible(char: str) -> bool:
    """Whether a reader sees nothing of it: format and control characters, fillers, tags, variation selectors;
    never white space."""
    if " " <= char <= "~" or char in _SPACES:
        return False
    return unicodedata.category(char) in {"Cf", "Cc"} or _BLANK.match(char) is not None


def strip_invisible(text: str) -> tuple[str, int]:
    """`text` without characters that nobody sees and a model reads, and how many they were.

    Kept where they are at home: an emoji's own style selector and joiner, joiners inside Arabic and Indic
    words. Line ends and other white space stay, so lines keep their numbers.
    """
    kept: list[str] = []
    before, done, removed = "", 0, 0
    for found in _PERHAPS.finditer(text):
        start, char = found.start(), found.group()
        if start > done:
            kept.append(text[done:start])
            before = text[start - 1]
        done = start + 1
        if is_invisible(char) and not _belongs(before, char, text[done : done + 1]):
            removed += 1
        else:
            kept.append(char)
            before = char
    return "".join([*kept, text[done:]]), removed


_STEERING = str.maketrans(dict.fromkeys(map(ord, "\r\v\f\x85\u2028\u2029"), " "))


def for_terminal(text: str) -> str:
    """`text` without what steers a terminal or hides in it: what nobody sees, and white space that moves the
    cursor. Tabs and line feeds stay; a carriage return at the end of a line goes, others are blanks."""
    lines = text.replace("\r\n", "\n").removesuffix("\r")
    return strip_invisible(lines)[0].translate(_STEERING)


_ANSI = re.compile(
    r"\x1b\[[0-?]{0,60}[ -/]{0,10}[@-~]?|\x9b[0-?]{0,60}[ -/]{0,10}[@-~]?"
    r"|\x1b\][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?"
)
"""ECMA-48: colours and cursor, titles and links, the rest; also what was broken off."""


def undrawn(output: bytes) -> str:
    """What a program wrote, without colours, and of a line that was drawn over (`\\r`) the last state."""
    text = _ANSI.sub("", output.decode("utf-8", "replace").replace("\r\n", "\n"))
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


def utf8_size(text: str) -> int:
    """Bytes of UTF-8; a lone surrogate counts as three."""
    return len(text.encode("utf-8", "surrogatepass"))


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _glued(text: str, index: int) -> bool:
    """Whether a reader sees the characters before and after `index` as one."""
    before, after = text[index - 1], text[index]
    if _is_flag(before) and _is_flag(after):
        run = 1
        while run < index and _is_flag(text[index - 1 - run]):
            run += 1
        return run % 2 == 1
    return (
        before == _JOINER
        or after in (_JOINER, _NON_JOINER)
        or unicodedata.category(after) in {"Mn", "Me", "Mc"}
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or (before == "\r" and after == "\n")
        or ("\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff")
    )


def cut(text: str, limit: int, *, measure: Callable[[str], int] = len, end: str = "") -> str:
    """The longest start of `text` that, with `end` after it, measures at most `limit`; all of it if it fits.

    Never cuts inside what a reader sees as one character (marks, joined emoji, flags, CRLF), unless that one
    alone is over 64 characters long.
    """
    if measure(text) <= limit:
        return text
    room = limit - measure(end)
    if room <= 0:
        return ""
    index = longest = bisect_right(range(len(text) + 1), room, key=lambda n: measure(text[:n])) - 1
    while index > 0 and index < len(text) and _glued(text, index):
        index -= 1
        if longest - index > 64:
            index = longest
            break
    return text[:index] + end


def fence_for(text: str, char: str = "`", shortest: int = 3) -> str:
    """A fence that nothing inside `text` can close."""
    runs = re.findall(f"{re.escape(char)}+", text)
    return char * max(shortest, 1 + max(map(len, runs), default=0))


def code_block(code: str, language: str = "") -> str:
    """A block of code that nothing in it can end."""
    mark = fence_for(code)
    return f"{mark}{language}\n{code}\n{mark}"


def one_line(text: str, most: int) -> str:
    """Without line ends and runs of blanks, in at most so many characters."""
    return cut(" ".join(text.split()), most, end="…")


def day(at: float, unknown: str = "?") -> str:
    """The date of seconds since 1970, in UTC: 2026-11-27; `unknown` where no calendar has it."""
    try:
        return datetime.fromtimestamp(at, UTC).date().isoformat()
    except (OverflowError, OSError, ValueError):
        return unknown


def in_code(name: str, most: int = 300) -> str:
    """A name that a stranger chose, such as a path, as one code span on one line: it cannot leave it and
    begin a line of its own."""
    line = one_line(name, most)
    ticks = fence_for(line, shortest=1)
    pad = " " if line[:1] == "`" or line[-1:] in ("`", "") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


_DETAILS = re.compile(r"<(?P<end>/?)details(?=[\s>/]|$)", re.IGNORECASE)
_CLAIMS = re.compile(r"#{1,6}(?:[ \t]++|$)|\[[ xX]\](?:[ \t]++|$)")
_BEGINS = re.compile(rf"(?:[ \t>]|(?:[-*+]|\d{{1,9}}[.)])[ \t]++|{_CLAIMS.pattern})*+")
_UNDERLINE = re.compile(r"[ \t>]*+(?:=++|-++)[ \t]*+")
_RUN = re.compile(r"(?<!\\)(\\*+)(`++)")  # from a run's start only: no square of backslashes


def code_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of the inline code in a paragraph, with its ticks; a run of ticks ends with its like.

    https://spec.commonmark.org/0.31.2/#code-spans
    """
    runs = [(len(run[1]) % 2, run.start(2), run.end()) for run in _RUN.finditer(text)]
    later: dict[int, list[int]] = {}
    for number, (_, start, end) in reversed(list(enumerate(runs))):
        later.setdefault(end - start, []).append(number)
    spans: list[tuple[int, int]] = []
    number = 0
    while number < len(runs):
        escaped, start, end = runs[number]
        closers = later.get(end - start - escaped, [])
        while closers and closers[-1] <= number:
            closers.pop()
        if closers:
            number = closers[-1]
            spans.append((start + escaped, runs[number][2]))
        number += 1
    return spans


def _outside_code(line: str) -> str:
    edges = [0, *(edge for span in code_spans(line) for edge in span), len(line)]
    return "".join(line[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))


def close_fences(text: str) -> str:
    """`text` with its open code fence, HTML comment and `<details>` closed: what follows is read as prose."""
    blocks, details = Blocks(), 0
    for line in lines_of(text):
        block = blocks.take(line)
        if block.kind != "code":
            for tag in _DETAILS.finditer(_outside_code(line)):
                details = max(0, details + (-1 if tag["end"] else 1))
    tail = ""
    if isinstance(blocks.leaf, Fence):
        around = "".join("> " if part == ">" else part for part in blocks.around)
        tail = f"\n{around}{blocks.leaf.mark}"
    elif isinstance(blocks.leaf, Html):
        tail = f"\n{blocks.leaf.closer}" if blocks.leaf.closer else ""
    return text + tail + ("\n\n" + "</details>" * details if details else "")


def model_words(text: str, most: int) -> str:
    """What a model says of its own work, in about so many characters: no heading, no bold beginning of a line
    and no task box in it, by which people (and Hob) would take it for what Hob has checked or ticked."""
    blocks, told = Blocks(), []
    for line in lines_of(close_fences(cut(text.strip(), most))):
        begins = _BEGINS.match(line)
        if blocks.take(line).kind == "code" or begins is None:
            told.append(line)
        elif not _UNDERLINE.fullmatch(line):
            rest = line[begins.end() :]
            rest = (
                rest.replace("**", "").replace("__", "")
                if rest.startswith(("**", "__", "_*", "*_"))
                else rest
            )
            told.append(_CLAIMS.sub("", begins[0]) + rest)
    return "\n".join(told).strip()


def _tidy(text: str, limit: int) -> str:
    """A start of `text` of at most `limit` bytes: whole lines where that keeps most of it, and never half of
    an inline code, which would set free what the ticks held."""
    start = cut(text, limit, measure=utf8_size)
    line_start = start.rfind("\n") + 1
    if line_start > len(start) // 2:
        return start[: line_start - 1]
    line_end = text.find("\n", line_start)
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    for begin, end in code_spans(line):
        if begin < len(start) - line_start < end:
            return start[: line_start + begin]
    return start


def fit_body(text: str, limit: int = BODY_LIMIT, notice: str = CUT_NOTICE) -> str:
    """`text` with what is open closed, if that fits in `limit` bytes of UTF-8; else as much of it as does,
    closed, and the notice. ValueError for a limit that cannot hold the notice."""
    closed = close_fences(text)
    if utf8_size(closed) <= limit:
        return closed
    room = limit - utf8_size(notice)
    if room < 0:
        raise ValueError(f"a limit of {limit} bytes cannot hold the notice")
    while True:
        start = _tidy(text, room).rstrip()
        body = close_fences(start) + notice
        over = utf8_size(body) - limit
        if over <= 0:
            return body
        room = max(0, min(room, utf8_size(start)) - over)


def issue_link(full_name: str, number: int, host: str) -> str:
    """A reference to an issue that tells nobody: `#12` or its address would leave a mark on that issue's own
    page. `host` redirects there without one (`REDIRECTING`); empty where there is none such."""
    return f"[`#{number}`](https://{host}/{full_name}/issues/{number})" if host else f"`#{number}`"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def file_lines(text: str) -> list[str]:
    """As git and editors count them: what else `str.splitlines` ends a line at is text of it."""
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []


def some_of(names: Sequence[str], most: int) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
