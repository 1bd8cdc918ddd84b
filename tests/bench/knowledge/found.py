"""What was found of what should be. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from bot.knowledge.parsing.languages import is_source
from bot.knowledge.search.ranking import WEIGHTS, Part, functions, rank
from tests.bench.knowledge.walk import Answered

Name = TypeVar("Name", int, str)
SIZE_PER_TOKEN = 3.5
HEADING = 12
"""Tokens of a path and a line number above a passage."""
WORTH_TRYING = 60
"""Tokens: less room holds no function."""


def recall(ranked: Sequence[Name], gold: Collection[Name], k: int) -> float:
    """The share of gold among the first k."""
    return len(set(ranked[:k]) & set(gold)) / len(gold)


def mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


def files(answered: Answered, weights: Mapping[Part, float] = WEIGHTS, plain: bool = False) -> list[str]:
    """Paths, best first. `plain`: tests and documents are as good as code."""
    parts = answered.signals.parts
    return [path for path, _ in (rank(parts, weights) if plain else rank(parts, weights, is_source))]


def functions_packed(answered: Answered, tokens: int, longest: int = 0) -> float:
    """The share of the gold functions inside so many tokens, functions of source files packed best first.
    `longest`: of longer ones only as much is shown, around what was asked for; 0: all of each."""
    signals, places = answered.deep, answered.deep.places()
    scores = dict(rank(signals.parts, WEIGHTS, is_source))
    order = [
        number
        for number, _ in functions(signals.chunks, signals.symbols, places, scores)
        if signals.stored[number].chunk.kind == "function" and is_source(places[number])
    ]
    sizes = {number: _tokens(answered.sizes[number], longest) for number in order}
    return len(packed(order, sizes, tokens) & answered.functions) / len(answered.functions)


def files_packed(answered: Answered, tokens: int) -> float:
    """The share of the gold files that go whole into so many tokens."""
    order = [path for path in files(answered) if path in answered.files]
    sizes = {path: _tokens(answered.files[path], 0) for path in order}
    return len(packed(order, sizes, tokens) & set(answered.case.lines)) / len(answered.case.lines)


def packed(order: Iterable[Name], sizes: Mapping[Name, int], tokens: int) -> set[Name]:
    """What goes in, in this order; what is too large is passed over."""
    chosen, left = set(), tokens
    for name in order:
        if left < WORTH_TRYING:
            break
        if sizes[name] <= left:
            chosen.add(name)
            left -= sizes[name]
    return chosen


def _tokens(size: int, longest: int) -> int:
    tokens = int(size / SIZE_PER_TOKEN) + HEADING
    return min(tokens, longest) if longest else tokens
