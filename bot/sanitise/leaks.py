"""Whether a text gives one of Hob's own secrets away, however it is written: in part, spaced out, reversed,
in hexadecimal or base64.

What is compared is letters and digits alone, without their case, so that blanks, ticks, other marks and
characters that nobody sees between them change nothing.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

from bot.core.text import strip_invisible

CUT = 7
"""A secret with so many characters missing at its ends is still given away,"""
LONGEST_RUN = 24
"""and so is as long a piece of any secret,"""
SHORTEST_RUN = 12
"""but no shorter piece: it could be a word."""
_SHORTEST = 6
# All but the signature of a JWT is the same in many and no secret.
_PUBLIC = re.compile(r"eyJ[A-Za-z0-9_-]*\.")
# An App's installation token, which may be 520 characters long with dots in it, and a private key.
_SHAPES = re.compile(
    r"\bghs_[A-Za-z0-9_.-]{36,}|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{64}"
)


def leaks(text: str, secrets: Iterable[str]) -> bool:
    """Whether `text` holds one of `secrets`, or what is shaped like a token or key of an App."""
    text = strip_invisible(text)[0]
    if _SHAPES.search(text):
        return True
    bare = _bare(text)
    pieces: dict[int, set[str]] = {}
    return any(_holds(bare, pieces, form) for secret in secrets for form in _forms(secret))


def _holds(bare: str, pieces: dict[int, set[str]], form: str) -> bool:
    """Whether a long enough part of `form` stands in `bare`. Such a part holds a whole block of the form cut
    into blocks of half its length; `pieces` keeps, by length, all that `bare` could hold of them."""
    enough = min(LONGEST_RUN, max(SHORTEST_RUN, len(form) - CUT), len(form))
    size = (enough + 1) // 2
    if size not in pieces:
        pieces[size] = {bare[at : at + size] for at in range(len(bare) - size + 1)}
    return any(
        _run(bare, form, at, size) >= enough
        for at in range(0, len(form) - size + 1, size)
        if form[at : at + size] in pieces[size]
    )


def _run(bare: str, form: str, at: int, size: int) -> int:
    """How long the longest part of `form` around its block at `at` is that stands in `bare`."""
    longest, place = 0, -1
    block = form[at : at + size]
    while longest < LONGEST_RUN and (place := bare.find(block, place + 1)) >= 0:
        start, end = 0, size
        while start < min(at, place) and bare[place - start - 1] == form[at - start - 1]:
            start += 1
        while at + end < len(form) and place + end < len(bare) and bare[place + end] == form[at + end]:
            end += 1
        longest = max(longest, start + end)
    return longest


@lru_cache(maxsize=256)
def _forms(secret: str) -> tuple[str, ...]:
    """The secret as it may be written; base64 looks different at each of three places in a text. Tokens of
    installations come and go, and each takes some 6 kB here: those that are gone are soon pushed out."""
    secret = _PUBLIC.sub("", secret)
    raw = secret.encode(errors="surrogatepass")
    written = [secret, secret[::-1], raw.hex(), raw[::-1].hex(), quote(secret, safe="")]
    written += [b64encode(raw[skipped:]).decode() for skipped in range(3)]
    return tuple(form for form in dict.fromkeys(map(_bare, written)) if not _is_word(form))


def _is_word(form: str) -> bool:
    """A password such as `teapot` stands in texts that give nothing away."""
    return len(form) < _SHORTEST or (len(form) < SHORTEST_RUN and form.isalpha())


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())
