"""Inputs that Hypothesis makes for a target: its samples with parts changed, pieces of them strung together,
and one piece again and again."""

from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.watching import FOUND, KEPT, read_corpus
from tests.test_growth import UNITS
from tests.test_sanitise import HOSTILE, SHAPES

MOST = 8_000
"""Bytes of one piece again and again."""
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, 0.5, -1e308, "", "\0",
    "\ud800", "\U0001f600", "a" * 400, "../x", "/x", ".git/x", "\r\n", "\u202e", "2026-03-03T20:00:00Z",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
    [], {}, [[]], [{}], {"": ""}, [None] * 300, "x\n" * 300,
)  # fmt: skip


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@cache
def pieces() -> list[bytes]:
    return [encoded(one) for one in (*UNITS, *HOSTILE, *SHAPES)]


def made_of(name: str) -> list[bytes]:
    """A target's samples."""
    target = TARGETS[name]
    return [*target.seeds, *(target.written(value) for value in target.values)]


@cache
def inputs_of(name: str) -> list[bytes]:
    """What is known of a target: its samples, and what was kept."""
    return [*made_of(name), *read_corpus(name, KEPT), *read_corpus(name, FOUND)]


def documents(name: str, most: int = MOST) -> st.SearchStrategy[bytes]:
    target, known = TARGETS[name], inputs_of(name)
    fragments = [line for one in known for line in one.splitlines(keepends=True) if len(line) < 300] or [b""]
    piece = (
        st.sampled_from(fragments)
        | st.sampled_from(pieces())
        | st.text(max_size=4).map(encoded)
        | st.binary(max_size=4)
    )
    ways = [
        st.lists(piece, max_size=30).map(b"".join),
        st.builds(
            _spliced, st.sampled_from(known), st.floats(0, 1), st.integers(0, 40), st.lists(piece, max_size=3)
        ),
        st.builds(_again, piece, piece, st.integers(1, most), piece),
    ]
    if target.values:
        changes = st.lists(st.tuples(st.integers(0, 200), st.sampled_from(ODD)), min_size=1, max_size=3)
        ways.append(st.builds(_changed, st.just(target), st.sampled_from(target.values), changes))
    return st.one_of(ways).map(lambda data: data[: 2 * most])


def _spliced(data: bytes, where: float, gone: int, new: list[bytes]) -> bytes:
    at = int(where * len(data))
    return data[:at] + b"".join(new) + data[at + gone :]


def _again(before: bytes, unit: bytes, size: int, after: bytes) -> bytes:
    return before + unit * (size // max(1, len(unit))) + after


def _changed(target: Target, value: Any, changes: list[tuple[int, Any]]) -> bytes:
    for number, odd in changes:
        value = _with(value, [number % _size(value)], odd)
    return target.written(value)


def _size(value: Any) -> int:
    """Values in it, itself one of them."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_size, inner))


def _with(value: Any, left: list[int], odd: Any) -> Any:
    """`value` with that one of its values replaced; `left` is counted down on the way."""
    left[0] -= 1
    if left[0] < 0:
        left[0] = 1_000_000
        return odd
    if isinstance(value, dict):
        return {key: _with(one, left, odd) for key, one in value.items()}
    return [_with(one, left, odd) for one in value] if isinstance(value, list) else value
