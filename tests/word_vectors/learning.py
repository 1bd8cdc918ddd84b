"""Vectors of words that bring what people say near the code that they mean. With numpy, from a seed: the same
pairs and start always give the same table.

A text is the sum of its words' vectors, each times 1 + ln of how often it is there; how much a word says is
the length of its vector. A message shall be nearer to the file that its commit touched than to files that
other commits of the same repository touched (InfoNCE over a batch): telling repositories apart helps nobody.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.word_vectors.pairs import Pair

LONGEST, SHORTEST = 24, 2
"""Characters of a word that gets a vector: longer ones are names of one project."""
FEWEST_REPOSITORIES = 2
"""That have a word: what only one has is its own."""
MOST_SAID, MOST_CODE = 40, 250
"""Different words of a text, the rarest: what is common tells little, and costs the same."""

Array = np.ndarray[Any, np.dtype[Any]]
Repositories = Mapping[str, Sequence[Pair]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is learned."""

    words: int = 16_000
    numbers: int = 128
    epochs: int = 3
    batch: int = 320
    rate: float = 0.01
    heat: float = 0.1
    keep: float = 0.0
    """How strongly a vector is held to where it began."""
    seed: int = 1


def vocabulary(repositories: Repositories, most: int) -> list[str]:
    """The words that most pairs of most repositories have, those of messages five times."""
    held: Counter[str] = Counter()
    share: Counter[str] = Counter()
    for pairs in repositories.values():
        counts: Counter[str] = Counter()
        for pair in pairs:
            counts.update(dict.fromkeys(pair.said, 5))
            counts.update(pair.code.keys())
        held.update(word for word in counts if _is_word(word))
        for word, count in counts.items():
            share[word] += count / (len(pairs) or 1)
    known = [word for word, many in held.items() if many >= min(FEWEST_REPOSITORIES, len(repositories))]
    return sorted(sorted(known, key=lambda word: (-share[word], word))[:most])


def _is_word(word: str) -> bool:
    return SHORTEST <= len(word) <= LONGEST and word.isascii() and word.isalpha()


@dataclass(frozen=True, slots=True)
class _Bags:
    """Texts as rows of numbers of words, each with how often it counts."""

    words: list[Array]
    times: list[Array]

    def batch(self, rows: Sequence[int]) -> tuple[Array, Array, Array]:
        """(words, times, the row of each) of some."""
        sizes = [len(self.words[row]) for row in rows]
        return (
            np.concatenate([self.words[row] for row in rows]),
            np.concatenate([self.times[row] for row in rows]),
            np.repeat(np.arange(len(rows)), sizes),
        )


def _bags(texts: Sequence[Mapping[str, int]], numbers: Mapping[str, int], rare: Array, most: int) -> _Bags:
    words, times = [], []
    for text in texts:
        known = [(numbers[word], count) for word, count in text.items() if word in numbers]
        known.sort(key=lambda each: (-rare[each[0]], each[0]))
        words.append(np.array([number for number, _ in known[:most]], np.int64))
        times.append(1 + np.log(np.array([count for _, count in known[:most]], np.float32)))
    return _Bags(words, times)


def rarity(pairs: Sequence[Pair], numbers: Mapping[str, int]) -> Array:
    """What each word says before anything is learned: ln of one over the share of texts that have it."""
    held = np.ones(len(numbers), np.float32)
    for pair in pairs:
        for word in {*pair.said, *pair.code}:
            if word in numbers:
                held[numbers[word]] += 1
    return np.log(1 + len(pairs) / held)


def learn(repositories: Repositories, words: Sequence[str], start: Array, plan: Plan) -> Array:
    """A vector for each word, from those that it begins with (of any length; they are made as long as the
    words are rare)."""
    numbers = {word: number for number, word in enumerate(words)}
    every = [pair for pairs in repositories.values() for pair in pairs]
    rare = rarity(every, numbers)
    size = np.linalg.norm(start, axis=1, keepdims=True)
    vectors = (start / np.where(size > 0, size, 1) * rare[:, None]).astype(np.float32)
    vectors /= vectors.std() or 1
    first = vectors.copy()
    said = _bags([dict.fromkeys(pair.said, 1) for pair in every], numbers, rare, MOST_SAID)
    code = _bags([pair.code for pair in every], numbers, rare, MOST_CODE)
    chance = np.random.default_rng(plan.seed)
    adam = _Adam(vectors.shape)
    batches = _batches(repositories, said, code, plan.batch)
    total = plan.epochs * len(batches)
    paths = np.array([hash_of(pair.path) for pair in every])
    for epoch in range(plan.epochs):
        for at, number in enumerate(chance.permutation(len(batches))):
            rows = chance.permutation(batches[number])
            slope = _slope(vectors, said.batch(rows), code.batch(rows), paths[rows], plan.heat)
            if plan.keep:
                slope += plan.keep * (vectors - first)
            rate = plan.rate * (1 - (epoch * len(batches) + at) / total)
            adam.step(vectors, slope, rate)
    return vectors


def hash_of(path: str) -> int:
    """The same in every process."""
    return int.from_bytes(path.encode()[-64:], "big") % (2**61 - 1)


def _batches(repositories: Repositories, said: _Bags, code: _Bags, size: int) -> list[Array]:
    """Rows of one repository each, from all of its history."""
    batches, first = [], 0
    for pairs in repositories.values():
        rows = [
            row for row in range(first, first + len(pairs)) if len(said.words[row]) and len(code.words[row])
        ]
        first += len(pairs)
        parts = max(1, round(len(rows) / size))
        batches += [np.array(rows[part::parts]) for part in range(parts) if len(rows[part::parts]) > 1]
    return batches


def _sums(vectors: Array, bag: tuple[Array, Array, Array], rows: int) -> tuple[Array, Array]:
    """The texts' vectors at length 1, and their lengths before."""
    words, times, _ = bag
    starts = np.concatenate([[0], np.flatnonzero(np.diff(bag[2])) + 1])
    sums = np.add.reduceat(vectors[words] * times[:, None], starts, axis=0)
    size = np.linalg.norm(sums, axis=1, keepdims=True) + 1e-6
    return sums / size, size


def _slope(vectors: Array, said: Any, code: Any, paths: Array, heat: float) -> Array:
    """How the loss changes with each number: that each message finds its file, and each file its message. A
    file that two pairs of a batch have is not held against either."""
    many = len(paths)
    (a, a_size), (b, b_size) = _sums(vectors, said, many), _sums(vectors, code, many)
    scores = a @ b.T / heat
    same = (paths[:, None] == paths[None, :]) & ~np.eye(many, dtype=bool)
    scores[same] = -1e9
    pull = (_softmax(scores, 1) + _softmax(scores, 0)) / 2 - np.eye(many, dtype=np.float32)
    pull /= heat * many
    slope = np.zeros_like(vectors)
    for (words, times, row), own, size, towards in (
        (said, a, a_size, pull @ b),
        (code, b, b_size, pull.T @ a),
    ):
        flat = (towards - own * (towards * own).sum(1, keepdims=True)) / size
        order = np.argsort(words, kind="stable")
        starts = np.concatenate([[0], np.flatnonzero(np.diff(words[order])) + 1])
        moved = flat[row[order]] * times[order][:, None]
        slope[words[order][starts]] += np.add.reduceat(moved, starts, axis=0)
    return slope


def _softmax(scores: Array, axis: int) -> Array:
    raised = np.exp(scores - scores.max(axis, keepdims=True))
    return np.asarray(raised / raised.sum(axis, keepdims=True), np.float32)


class _Adam:
    def __init__(self, shape: tuple[int, ...]) -> None:
        self.mean, self.square, self.steps = np.zeros(shape, np.float32), np.zeros(shape, np.float32), 0

    def step(self, vectors: Array, slope: Array, rate: float) -> None:
        self.steps += 1
        self.mean += 0.1 * (slope - self.mean)
        self.square += 0.001 * (slope**2 - self.square)
        mean, square = self.mean / (1 - 0.9**self.steps), self.square / (1 - 0.999**self.steps)
        vectors -= (rate * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)


def eight_bits(vectors: Array) -> bytes:
    """All in one scale: how long a vector is says how much its word counts. The few that are far longer than
    the others are cut."""
    most = np.quantile(np.abs(vectors), 0.9999) or 1.0
    return np.clip(np.rint(vectors * (127 / most)), -127, 127).astype(np.int8).tobytes()
