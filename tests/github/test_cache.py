"""Answers kept for their ETag: few, small, the oldest out first."""

from bot.github.cache import ETagCache
from bot.github.wire import GitHubResponse


def answer(size: int = 10) -> GitHubResponse:
    return GitHubResponse(200, {"etag": '"x"'}, b"x" * size)


def test_the_oldest_goes_first_and_use_keeps_young() -> None:
    cache = ETagCache(entries=2)
    for key in ("a", "b"):
        cache.put((key,), answer())
    assert cache.get(("a",))
    cache.put(("c",), answer())
    assert cache.get(("b",)) is None
    assert cache.get(("a",))
    assert len(cache) == 2


def test_bytes_are_bounded_also_when_an_answer_is_replaced() -> None:
    cache = ETagCache(size=100)
    for _ in range(50):
        cache.put(("a",), answer(20))
    for n in range(50):
        cache.put((n,), answer(20))
    assert len(cache) == 5


def test_large_answers_and_those_without_an_etag_are_not_kept() -> None:
    cache = ETagCache(size=100)
    cache.put(("large",), answer(26))
    cache.put(("none",), GitHubResponse(200, {}, b""))
    assert len(cache) == 0
