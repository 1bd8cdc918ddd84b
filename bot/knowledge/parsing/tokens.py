"""Words of code and of people, the same for a document and for a query: identifiers whole and in parts, lower
case, lightly stemmed.

`getUserNames` and `get_user_names` both give `getusernames get user name`. A token has no white space and no
ASCII but letters and digits, so that a full-text index has only to split at spaces (FTS5: `ascii`).
"""

import re
import unicodedata
from functools import lru_cache

LONGEST = 64
"""Characters of a word that are looked at: beyond are keys and data, that nobody asks for."""
_REMEMBERED = 200_000

# Vowel signs of Indic scripts and Thai are no \w, and accents may stand alone: they belong to the word.
_WORD = re.compile(r"[\w\u0300-\u036f\u0900-\u0dff\u0e00-\u109f\u1780-\u17ff]+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_ASCII_WORD = re.compile(r"[A-Za-z0-9_]+")
# Scripts without spaces: Thai, Lao, Burmese, Khmer, Kana, Han, and Hangul, whose particles stick to words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
_DOUBLED = frozenset("bdfgmnprt")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A lower-case word without its commonest English endings: `parses`, `parsing` and `parse` meet in
    `pars`. Words of other scripts, with digits, or of three letters stay."""
    if len(word) < 4 or not (word.isascii() and word.isalpha()):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-2] if word.endswith(("sses", "xes", "ches", "shes", "zes")) else word[:-1]
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if root != word and len(root) >= 3 and any(vowel in root for vowel in "aeiouy"):
            word = root[:-1] if root[-1] == root[-2] and root[-1] in _DOUBLED else root
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def _bigrams(part: str) -> list[str]:
    """Scripts without spaces as overlapping pairs; what stands between them whole."""
    found: list[str] = []
    done = 0
    for run in _UNSPACED.finditer(part):
        found.append(part[done : run.start()])
        text = run.group()
        found += [text[at : at + 2] for at in range(max(1, len(text) - 1))]
        done = run.end()
    return [piece for piece in [*found, part[done:]] if piece]


def _cut(before: str, char: str, after: str) -> bool:
    """Whether a part of an identifier ends between `before` and `char`."""
    if char.isdigit() != before.isdigit():
        return True
    return char.isupper() and (before.islower() or (before.isupper() and after.islower()))


def _parts(word: str) -> list[str]:
    """`parseHTML5` -> parse HTML 5, in any script that has cases."""
    if word.isascii():
        return _PART.findall(word)
    found: list[str] = []
    for piece in word.split("_"):
        start = 0
        for at in range(1, len(piece)):
            if _cut(piece[at - 1], piece[at], piece[at + 1 : at + 2]):
                found.append(piece[start:at])
                start = at
        found.append(piece[start:])
    return [part for part in found if part]


def _of(word: str) -> list[str]:
    """The tokens of one word as it is written."""
    parts = [part.casefold() for part in _parts(word[:LONGEST])]
    pieces = [piece for part in parts for piece in ([stem(part)] if part.isascii() else _bigrams(part))]
    if len(parts) > 1:
        pieces.insert(0, "".join(parts))
    # One letter says nothing (loop variables); one sign of another script may be a word.
    return [piece for piece in pieces if len(piece) > 1 or not piece.isascii()]


class _Memory(dict[str, str]):
    """word -> its tokens with spaces between; a source has few words, many times."""

    def __missing__(self, word: str) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        found = self[word] = " ".join(_of(word))
        return found


_memory = _Memory()


def indexed(text: str) -> str:
    """The tokens of `text` with spaces between, for a full-text index to take in."""
    words = (
        _ASCII_WORD.findall(text) if text.isascii() else _WORD.findall(unicodedata.normalize("NFKC", text))
    )
    return " ".join(map(_memory.__getitem__, words))


def tokens(text: str) -> list[str]:
    """The tokens of `text`, in order, each as often as it is there."""
    return indexed(text).split()
