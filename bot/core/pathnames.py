"""The names of files as models are shown them and say them again.

A path may hold anything but NUL. What does not survive being copied (it ends a line or a tag, or nobody sees
it) is shown percent-encoded, and what is said is looked up among the paths that were shown.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from bot.core.text import is_invisible, strip_invisible

LONGEST = 4_096
"""Characters of a path; git's own systems take no longer one."""
_PLAIN = re.compile(r"[\w./@+=~#:,()\[\]{}!$&'*;?^|-]*", re.ASCII)
_HEX = re.compile(r"%[0-9A-Fa-f]{2}")
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_LINES = re.compile(r"(?::[0-9]{1,7}(?:[-:][0-9]{1,7})?|#L[0-9]{1,7}(?:-L?[0-9]{1,7})?)\Z")
_QUOTES = "`'\"\u2018\u2019\u201c\u201d "


@lru_cache(maxsize=4096)
def shown(path: str) -> str:
    """The path on one line, each character visible; itself where that is so already. Two paths are never
    shown alike."""
    if _PLAIN.fullmatch(path):
        return path
    return "".join(
        "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
        if _is_lost(path, place)
        else char
        for place, char in enumerate(path)
    )


def _is_lost(path: str, place: int) -> bool:
    """Whether a character may not be there any more, or not as it was, when the path is copied."""
    char = path[place]
    if char == " ":
        return place in (0, len(path) - 1) or path[place - 1] == " "
    if char == "%":
        return _HEX.match(path, place) is not None
    return (
        char in '"<>`\\'
        or char.isspace()
        or is_invisible(char)
        or unicodedata.category(char) in ("Cc", "Cs", "Cn")
    )


def resolve(said: str, paths: Iterable[str], others: Iterable[str] = ()) -> str | None:
    """Which of the shown `paths` is meant, or None. The first way of reading it that fits any decides, and
    two that fit it are none. What names exactly one of the `others` (files of the change that were not
    shown) never means a shown one."""
    there = tuple(dict.fromkeys(paths))
    if said in there:
        return said
    if len(said) > 3 * LONGEST:
        return None
    elsewhere = set(others).difference(there)
    elsewhere |= {shown(one) for one in elsewhere}
    bare = list(_bare(said))
    for fold in (_same, folded, _caseless):
        names = [(one, (fold(one), fold(shown(one)))) for one in there]
        for reading in bare:
            if reading in elsewhere:
                return None
            wanted = fold(reading)
            if found := [one for one, known in names if wanted in known]:
                return found[0] if len(found) == 1 else None
    return _by_tail(bare, there)


def _by_tail(readings: list[str], paths: tuple[str, ...]) -> str | None:
    """The only path that ends so."""
    for reading in readings:
        tail = "/" + _caseless(reading)
        if len(tail) > 1 and (found := [one for one in paths if _caseless(one).endswith(tail)]):
            return found[0] if len(found) == 1 else None
    return None


def _bare(said: str) -> Iterator[str]:
    """As it was said, and with ever more taken away: quotes, a line's number, what begins a path."""
    readings = [said]
    readings.append(unquoted := said.strip().strip(_QUOTES))
    readings.append(_LINES.sub("", unquoted).strip(_QUOTES))
    readings += [_rooted(one) for one in readings[1:]]
    readings += [one[2:] for one in readings[3:] if one.startswith(("a/", "b/"))]
    return (one for one in dict.fromkeys(readings) if one)


def _rooted(path: str) -> str:
    """From the top of the repository."""
    while path.startswith(("./", "/", ".\\")):
        path = path[1:] if path[0] == "/" else path[2:]
    return path


def _same(path: str) -> str:
    return path


@lru_cache(maxsize=4096)
def folded(path: str) -> str:
    """Composed, decoded, with `/` between its parts, its blanks single and without what nobody sees."""
    plain = _ENCODED.sub(_decoded, path)
    plain = plain.replace("\\", "/")
    if not plain.isascii():
        plain = unicodedata.normalize("NFC", strip_invisible(plain)[0])
    return " ".join(plain.split())


def _decoded(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "surrogateescape")


def _caseless(path: str) -> str:
    return folded(path).casefold()
