"""The embedding model of `make bench` gives the numbers that its authors published."""

import pytest

from bot.core.hosts import Host
from bot.inference.runners import PromptTooLong
from bot.inference.runners.registry import make_runner
from tests.fakes.minilm import NAME, READS, MiniLMHost, minilm


@pytest.fixture(autouse=True)
def _installed() -> None:
    minilm()


def test_it_gives_the_published_vectors() -> None:
    """https://sbert.net/docs/quickstart.html has the similarities."""
    weather = minilm().embed(
        ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    )
    published = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    assert (weather @ weather.T).tolist() == [pytest.approx(row, abs=1e-4) for row in published]


def test_it_knows_what_words_mean() -> None:
    query, near, far = minilm().embed(
        [
            "the app crashes when I log in",
            "Segmentation fault on sign-in",
            "Add a dark theme to the settings page",
        ]
    )
    assert query @ near > query @ far + 0.3


def test_a_long_neighbour_changes_nothing() -> None:
    alone = minilm().embed(["store the row"])
    beside = minilm().embed(["store the row", "wake the worker " * 400])
    assert beside[0] == pytest.approx(alone[0], abs=1e-5)


async def test_it_is_served_as_ollama_serves_it() -> None:
    with MiniLMHost() as served:
        runner = make_runner(Host("bench", "ollama", served.url))
        try:
            (model,) = await runner.models()
            (first, _) = await runner.embed(NAME, ["a lease", "a row"])
            with pytest.raises(PromptTooLong):
                await runner.embed(NAME, ["word " * 300])
        finally:
            await runner.aclose()
    assert (model.name, model.context_length, len(first)) == (NAME, READS, 384)
