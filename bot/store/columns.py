"""Texts and numbers of the outside world, made to fit a column of any database, and looked for in some."""

from typing import Any

from sqlalchemy import ColumnElement, func, true

MOST_WORDS = 5


def fit(text: str, length: int) -> str:
    """Without NUL (PostgreSQL refuses it) and lone surrogates (no database encodes them), cut to `length`
    characters."""
    if not text.isprintable():
        text = text.replace("\0", "").encode(errors="replace").decode()
    return text[:length]


def fit_int(number: int | None) -> int | None:
    """None for what 64 bits cannot hold."""
    return number if number is not None and -(1 << 63) <= number < 1 << 63 else None


def with_words(words: str, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether each of the words, capital letters or not, stands somewhere in these columns."""
    first, *rest = columns
    for column in rest:
        first = first + " " + column
    which: ColumnElement[bool] = true()
    for word in words.split()[:MOST_WORDS]:
        which &= func.lower(first).contains(fit(word, 100).lower(), autoescape=True)
    return which
