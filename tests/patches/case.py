"""One scripted patch: the files it is for, what a model wishes, and what has to come of it."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.edit_paths import why_not
from bot.core.edits import FileEdit

ROOT = Path(__file__).parents[2]
LANGUAGES = (".py", ".ts", ".go", ".rs", ".java", ".c")
OTHERS = (".md", ".toml", ".yml", ".txt")
Texts = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """`after` is computed by slicing the files at known places, never by what is to be tested. Where `cause`
    says something, nothing may come of it, and `why` is part of the reason."""

    name: str
    heads: Texts
    edits: tuple[FileEdit, ...]
    after: Mapping[str, str | None] = field(default_factory=dict)
    cause: str = ""
    why: str = ""
    malicious: bool = False


@dataclass(frozen=True)
class Span:
    """Whole lines of a text that stand there once: `text[start:end]`, without the last line's end."""

    start: int
    end: int
    quote: str


def once(text: str, quote: str) -> bool:
    return bool(quote.strip()) and len(re.findall(f"(?={re.escape(quote)})", text)) == 1


def spans(text: str, chance: random.Random, count: int, most_lines: int = 4) -> list[Span]:
    """So many that do not overlap, in the order in which they stand; not adjacent."""
    starts = [0, *(found.end() for found in re.finditer(r"\n", text))]
    ends = [found.start() for found in re.finditer(r"\n", text)] + [len(text)]
    found: list[Span] = []
    for _ in range(400):
        first = chance.randrange(len(starts))
        last = min(first + chance.randrange(most_lines), len(starts) - 1)
        start, end = starts[first], ends[last]
        quote = text[start:end].removesuffix("\r")
        end = start + len(quote)
        clear = all(end + 2 < one.start or one.end + 2 < start for one in found)
        if clear and once(text, quote) and bounded(text, start, end):
            found.append(Span(start, end, quote))
            if len(found) == count:
                return sorted(found, key=lambda one: one.start)
    raise LookupError(f"there are no {count} lines that stand there once")


def bounded(text: str, start: int, end: int) -> bool:
    """No word goes on beyond it."""
    inner = (text[start : start + 1], text[end - 1 : end])
    return not (
        (re.match(r"\w", text[start - 1 : start] if start else "") and re.match(r"\w", inner[0]))
        or (re.match(r"\w", text[end : end + 1]) and re.match(r"\w", inner[1]))
    )


def word(text: str, chance: random.Random) -> Span:
    """A word that stands there once, also as part of others."""
    words = list(re.finditer(r"[^\W\d_]{4,}", text))
    chance.shuffle(words)
    for found in words:
        if once(text, found[0]) and bounded(text, found.start(), found.end()):
            return Span(found.start(), found.end(), found[0])
    raise LookupError("no word stands there once")


def sliced(text: str, *changes: tuple[Span, str]) -> str:
    """The text with each span replaced."""
    for span, new in sorted(changes, key=lambda one: one[0].start, reverse=True):
        text = text[: span.start] + new + text[span.end :]
    return text


def own_sources() -> dict[str, str]:
    """Files of this repository and the small ones beside this module, at least two lines each."""
    found: dict[str, str] = {}
    for pattern in ("bot/core/*.py", "docs/*.md", "*.toml", "*.yml", "prompts/chains/*.toml", "*.txt"):
        for path in sorted(ROOT.glob(pattern))[:14]:
            if path.stat().st_size < 60_000 and not why_not(path.relative_to(ROOT).as_posix()):
                found[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parent / "files").iterdir()):
        found[f"src/{path.name}"] = path.read_text(encoding="utf-8")
    return {path: text for path, text in found.items() if text.count("\n") > 12}


def in_turn(sources: Texts, seed: int) -> Iterator[tuple[str, str]]:
    """Endless, the languages one after the other."""
    chance = random.Random(seed)
    by_end: dict[str, Sequence[str]] = {}
    for end in (*LANGUAGES, *OTHERS):
        some = [path for path in sources if path.endswith(end)]
        if some:
            by_end[end] = some
    while True:
        for some in by_end.values():
            path = chance.choice(some)
            yield path, sources[path]
