"""What the review asks of a text, in every language that has a grammar (`bot.core.code_analysis`)."""

from bot.core.code_analysis import python_still_parses
from bot.core.source import Chunk, LeftOut
from bot.knowledge.parsing.passages import parse
from bot.knowledge.parsing.syntax import still_parses as grammar_still_parses


def symbols(path: str, text: str) -> tuple[Chunk, ...]:
    """The functions and classes of a file, each with all of its lines: those of what is defined within it
    too."""
    parsed = parse(path, text.encode(errors="replace"))
    if isinstance(parsed, LeftOut):
        return ()
    found: dict[str, Chunk] = {}
    for chunk in parsed.chunks:
        if chunk.kind not in ("function", "class"):
            continue
        known = found.setdefault(chunk.symbol, chunk)
        found[chunk.symbol] = _until(known, chunk.end)
        outer = chunk.symbol
        while outer := outer.rpartition(".")[0]:
            if outer in found:
                found[outer] = _until(found[outer], chunk.end)
    return tuple(found.values())


def _until(chunk: Chunk, end: int) -> Chunk:
    return Chunk(chunk.kind, chunk.symbol, chunk.start, max(chunk.end, end), chunk.signature)


def still_parses(path: str, before: str, after: str) -> bool | None:
    """Whether a change leaves a file no worse than it was; None: nobody can tell. Python's own parser is
    stricter than the grammar."""
    python = python_still_parses(path, before, after)
    return grammar_still_parses(path, before, after) if python is None else python
