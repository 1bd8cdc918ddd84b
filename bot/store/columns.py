"""Texts and numbers of the outside world, made to fit a column of any database."""


def fit(text: str, length: int) -> str:
    """Without NUL (PostgreSQL refuses it) and lone surrogates (no database encodes them), cut to `length`
    characters."""
    if not text.isprintable():
        text = text.replace("\0", "").encode(errors="replace").decode()
    return text[:length]


def fit_int(number: int | None) -> int | None:
    """None for what 64 bits cannot hold."""
    return number if number is not None and -(1 << 63) <= number < 1 << 63 else None
