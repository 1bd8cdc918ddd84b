"""A small table of vectors of words, in which what people say lies near the code that they mean: `retry` near
`backoff`. It comes with Hob and needs no host; `python -m tests.word_vectors` made it of public histories,
`word_vectors.json` beside it says of which.

A text's vector is the sum of its words', each times 1 + ln of how often it is there. How much a word says is
in the length of its vector. The sums are made of all numbers at once: a vector as one int, 32 bits a number.
"""

import hashlib
import logging
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from operator import mul
from pathlib import Path

from bot.core.errors import HobError

TABLE = Path(__file__).with_name("word_vectors.bin")
MAGIC = "hob-word-vectors"
MOST_BYTES, MOST_WORDS, MOST_NUMBERS = 8 << 20, 1 << 16, 1_024
MOST_DIFFERENT = 50_000
"""Words of a text that are added up: no sum goes over 32 bits then."""
_HEAD = re.compile(rb"hob-word-vectors (\d{1,6}) (\d{1,4})")
_LANE, _MIDDLE, _BITS = 4, 128, 7
"""Bytes of a number in a sum, what it is raised by so that none is below 0, and its bits at last."""
_RAISED = bytes(number ^ 0x80 for number in range(256))
"""From an octet with a sign to the same raised by 128, and back."""
_STEPS, _MOST_STEPS = 4, 48
"""How often a word counts is told in quarters."""
_MEND = "install Hob again; until then it searches by words alone"
log = logging.getLogger(__name__)


class WordVectorsError(HobError):
    """The table is missing or is none."""


class _Lanes(dict[str, int]):
    """word -> its vector as one int, each number raised above 0; made when it is first asked for."""

    def __init__(self, words: Sequence[str], numbers: int, rows: bytes) -> None:
        self.numbers, self.rows = numbers, rows
        self.places = {word: place for place, word in enumerate(words)}

    def __missing__(self, word: str) -> int:
        first = self.places[word] * self.numbers
        wide = bytearray(_LANE * self.numbers)
        wide[::_LANE] = self.rows[first : first + self.numbers].translate(_RAISED)
        self[word] = made = int.from_bytes(wide, "little")
        return made


class WordVectors:
    """`name` tells this table from any other: vectors of two tables have nothing in common."""

    def __init__(self, name: str, words: Sequence[str], numbers: int, rows: bytes) -> None:
        self.name, self.numbers = name, numbers
        self._lanes = _Lanes(words, numbers, rows)
        self._ones = int.from_bytes((b"\1" + b"\0" * (_LANE - 1)) * numbers, "little")

    def of(self, tokens: Iterable[str]) -> bytes:
        """The vector of a text, 8 bits a number; empty where no word of it has one."""
        times = Counter(tokens)
        alike: dict[int, list[str]] = defaultdict(list)
        for word in islice(times.keys() & self._lanes.places.keys(), MOST_DIFFERENT):
            alike[_steps(times[word])].append(word)
        if not alike:
            return b""
        total = sum(steps * sum(map(self._lanes.__getitem__, words)) for steps, words in alike.items())
        raised = _MIDDLE * sum(steps * len(words) for steps, words in alike.items())
        return self._narrow(total, raised)

    def _narrow(self, total: int, raised: int) -> bytes:
        """Sums, each of which was raised by so much, in 8 bits: all without as many of their lowest bits as
        the largest has too many."""
        size = _LANE * self.numbers
        lanes = memoryview(total.to_bytes(size, sys.byteorder)).cast("I")
        spare = max(0, max(max(lanes) - raised, raised - min(lanes)).bit_length() - _BITS)
        middle = total + ((_MIDDLE << spare) - raised) * self._ones
        return (middle >> spare).to_bytes(size, "little")[::_LANE].translate(_RAISED)


def _steps(times: int) -> int:
    return min(_MOST_STEPS, round(_STEPS * (1 + math.log(times))))


def cosine(one: bytes, other: bytes) -> float:
    """Of two vectors as `packed` gives them; 0 where one is empty or they are of two lengths."""
    if len(one) != len(other) or not one:
        return 0.0
    a, b = memoryview(one).cast("b"), memoryview(other).cast("b")
    size = math.sqrt(sum(map(mul, a, a)) * sum(map(mul, b, b)))
    return sum(map(mul, a, b)) / size if size else 0.0


def written(words: Sequence[str], rows: bytes) -> bytes:
    """The file of a table: `hob-word-vectors WORDS NUMBERS`, the words, a line each, and their numbers."""
    numbers = len(rows) // max(1, len(words))
    return "\n".join([f"{MAGIC} {len(words)} {numbers}", *words, ""]).encode() + rows


def read(path: Path = TABLE) -> WordVectors:
    """The table in a file. WordVectorsError where there is none, or one that is not whole."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as wrong:
        raise WordVectorsError(f"{path} cannot be read: {wrong.strerror}", _MEND) from None
    head, _, rest = data.partition(b"\n")
    found = _HEAD.fullmatch(head)
    if not found or len(data) > MOST_BYTES:
        raise WordVectorsError(f"{path} is no table of word vectors", _MEND)
    many, numbers = int(found[1]), int(found[2])
    size = many * numbers
    words = rest[: max(0, len(rest) - size)].decode("ascii", "replace").split("\n")
    if (
        not 0 < many <= MOST_WORDS
        or not 0 < numbers <= MOST_NUMBERS
        or len(set(words)) != many + 1
        or words[-1]
    ):
        raise WordVectorsError(f"{path} is not whole", _MEND)
    return WordVectors(hashlib.sha256(data).hexdigest()[:12], words[:-1], numbers, rest[len(rest) - size :])


@cache
def shipped() -> WordVectors | None:
    """The table that comes with Hob, read when it is first asked for; None, said once, where it is damaged:
    search goes on by words then."""
    try:
        return read()
    except WordVectorsError as wrong:
        log.warning("searching without word vectors: %s", wrong)
        return None
