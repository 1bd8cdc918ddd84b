"""What a query says in plain words, and what it names outright: identifiers, files, lines of a stack
trace."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.knowledge.parsing.languages import language_of
from bot.knowledge.parsing.tokens import stem, tokens

MAX_TERMS = 200
"""A long issue text repeats itself, and a full-text query costs by the term."""
_MAX_NAMED = 100
_READ = 20_000
"""Characters of a query that are looked at."""

_STOP_WORDS = (
    "a about above after again all also am an and any are as at be because been before being below between"
    " both but by can cannot could did do does doing done down during each either else ever every few for"
    " from further get gets getting got had has have having he hello her here hers hi him his how"
    " however i if in instead into is it its itself just let like made make makes may maybe me might more"
    " most much must my need needs no nor not now of off on once one only or other our out over own please"
    " same seem seems she should since so some still such than thank thanks that the their them then there"
    " these they this those through thus to too under until up upon us use used uses using very want was"
    " way we well were what when where whether which while who whom why will with within without would yes"
    " yet you your"
)
STOP_WORDS = frozenset(stem(word) for word in _STOP_WORDS.split())

_CODE = re.compile(r"``?([^`\n]{1,200})``?")
_URL = re.compile(r"\bhttps?://\S+")
_FILE = re.compile(
    r"(?<![\w@+/.-])((?:[\w@.+-]{1,255}[/\\]|/){0,40}[\w@.+-]{0,255}\w\.[A-Za-z][A-Za-z0-9+]{0,9})"
    r"(?:(?::|\", line |#L)(\d+))?"
)
_PATH = re.compile(r"(?<![\w@+/.-])((?:[\w@.+-]{1,255}/){1,40}[\w@.+-]{0,255}\w)")
_SET = re.compile(
    r"(?<!\w)[`\"']([^`\"'\n]{1,200}\.[A-Za-z][A-Za-z0-9+]{0,9})"
    r"(?:(?::|#L)(\d{1,9})[^`\"'\n]{0,20}[`\"']|[`\"'](?:(?::|, line |#L)(\d{1,9}))?)"
)
"""A file set as code or in quotes: its path may hold blanks and brackets."""
_NAME = re.compile(r"[^\W\d]\w*(?:(?:\.|::|->|#)[^\W\d]\w*)*(\(\))?")
_NAME_LIKE = re.compile(r"[a-z0-9][A-Z]|\w_\w|\.\w|::|->|#|^[A-Z]+[a-z]+[A-Z]|^__?\w")
_FRAME = re.compile(r"(?:\bin |\bat )([^\W\d][\w.$<>]*)")
_SEPARATOR = re.compile(r"::|->|#")


@dataclass(frozen=True, slots=True)
class QueriedPlace:
    """A file that a query names, perhaps the end of its path only, and a line of it; 0: none was told."""

    path: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query taken apart."""

    terms: tuple[str, ...]
    """Tokens as the index has them, stop words left out, each once, in the order of the text."""
    names: tuple[str, ...] = ()
    """Identifiers as they are written, qualified with dots: `Inbox.put`, `max_body_mb`."""
    places: tuple[QueriedPlace, ...] = ()


@lru_cache(maxsize=16)
def query_terms(text: str) -> ParsedQuery:
    """Takes a query apart; its first 20,000 characters count. A query of stop words alone keeps them."""
    text = _URL.sub(" ", text[:_READ])
    found = list(dict.fromkeys(tokens(text)))
    terms = [term for term in found if term not in STOP_WORDS] or found
    places = tuple(dict.fromkeys(_places(text)))[:_MAX_NAMED]
    files = {place.path.rpartition("/")[2] for place in places}
    names = [name for name in dict.fromkeys(_names(text)) if name not in files]
    return ParsedQuery(tuple(terms[:MAX_TERMS]), tuple(names[:_MAX_NAMED]), places)


def _places(text: str) -> Iterator[QueriedPlace]:
    """Files by an ending that some language has, and paths of several parts."""
    for found in _FILE.finditer(text):
        path = found.group(1).replace("\\", "/").removeprefix("./")
        if language_of(path):
            yield QueriedPlace(path, int(found.group(2)[:9]) if found.group(2) else 0)
    for found in _SET.finditer(text):
        path = found.group(1).replace("\\", "/").removeprefix("./")
        if not _FILE.fullmatch(path) and language_of(path) and " /" not in path and "/ " not in path:
            yield QueriedPlace(path, int(found.group(2) or found.group(3) or 0))
    for found in _PATH.finditer(text):
        path = found.group(1).removeprefix("./")
        if path.count("/") > 1 and not language_of(path):
            yield QueriedPlace(path)


def _names(text: str) -> Iterator[str]:
    """What looks like code, what is set as code, and the functions of a stack trace."""
    for found in _CODE.finditer(text):
        if name := _NAME.fullmatch(found.group(1).strip()):
            yield _dotted(name.group())
    for found in _NAME.finditer(text):
        if found.group(1) or _NAME_LIKE.search(found.group()):
            yield _dotted(found.group())
    for found in _FRAME.finditer(text):
        if text[max(0, found.start() - 12) : found.start()].rstrip(" ,").endswith(tuple("0123456789")):
            yield _dotted(found.group(1))


def _dotted(name: str) -> str:
    return _SEPARATOR.sub(".", name.removesuffix("()"))
