"""Whether a merged file still has all that both sides have: it parses as they do, what either side defines is
there, and so are the tests of both."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from bot.core import toml_text
from bot.core.code_analysis import Tools
from bot.core.merge_rules import CALLED
from bot.core.merging import Conflict
from bot.core.text import in_code


def unsound(conflict: Conflict, tools: Tools) -> str:
    """Why nothing can be proved of this file, in a clause; empty where it can."""
    for side, text in (("the author's", conflict.ours), ("the base's", conflict.theirs)):
        if parses(conflict.path, text, tools) is False:
            return f"{side} side does not parse"
    was, ours, theirs = (_defined(conflict.path, one, tools) for one in _sides(conflict))
    for name in sorted((ours.keys() & theirs.keys()) - was.keys()):
        if ours[name] != theirs[name]:
            return f"both sides add {in_code(name, 80)}, each its own"
    return ""


def _sides(conflict: Conflict) -> tuple[str, str, str]:
    return conflict.base, conflict.ours, conflict.theirs


def lost(conflict: Conflict, text: str, tools: Tools) -> str:
    """What is wrong with the merged text, in a clause; empty where all is there."""
    if parses(conflict.path, text, tools) is False:
        return "it would not parse"
    was, ours, theirs = (_defined(conflict.path, one, tools) for one in _sides(conflict))
    now = _defined(conflict.path, text, tools)
    for name in sorted(_expected(was, ours, theirs) - now.keys()):
        return f"{in_code(name, 80)} is not defined any more"
    for name in sorted(now.keys() - ours.keys() - theirs.keys()):
        return f"neither side defines {in_code(name, 80)}"
    before = [Counter(CALLED.findall(one)) for one in _sides(conflict)]
    tests = Counter(CALLED.findall(text))
    for title in sorted({*before[1], *before[2]}):
        base, mine, other = (one[title] for one in before)
        if tests[title] < min(max(mine, other), max(0, mine + other - base)):
            return f"the test {in_code(title, 80)} is gone"
    return ""


def _expected(was: Mapping[str, str], ours: Mapping[str, str], theirs: Mapping[str, str]) -> set[str]:
    """What is on both sides, and what either added or changed."""
    changed = {name for side in (ours, theirs) for name, text in side.items() if was.get(name) != text}
    return (ours.keys() & theirs.keys()) | changed


def _defined(path: str, text: str, tools: Tools) -> dict[str, str]:
    """Name -> text of what a file defines."""
    lines = text.split("\n")
    return {one.symbol: "\n".join(lines[one.start - 1 : one.end]) for one in tools.symbols(path, text)}


def parses(path: str, text: str, tools: Tools) -> bool | None:
    """None where nobody can tell."""
    ending = PurePosixPath(path).suffix.lower()
    try:
        if ending == ".json":
            json.loads(text, object_pairs_hook=_unlike)
        elif ending == ".toml":
            toml_text.read(text)
        else:
            return tools.still_parses(path, "", text)
    except (ValueError, RecursionError):
        return False
    return True


def _unlike(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """ValueError where two have the same name."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found
