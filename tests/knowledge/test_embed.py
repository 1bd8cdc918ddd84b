"""Vectors of an index, made by a model host over HTTP."""

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from bot.core.hosts import Host
from bot.core.inference import Embed, Embedding, Purpose
from bot.core.knowledge import KnownIssue
from bot.inference.embed import make_embed
from bot.inference.hosts.pool import Pool
from bot.knowledge.embedding import AT_ONCE, MODEL, fill, near_chunks, near_issues
from bot.knowledge.issues import RepositoryIssues
from bot.knowledge.storage import IndexStore
from tests.fakes.models import DIMENSIONS, FakeModel, FakeOllama
from tests.knowledge.conftest import Services

NAME = "all-minilm"


@pytest.fixture
def index_store(tmp_path: Path) -> Iterator[IndexStore]:
    opened = IndexStore.open(tmp_path / "vectors.db")
    yield opened
    opened.close()


@pytest.fixture
def host() -> Iterator[FakeOllama]:
    with FakeOllama(models={NAME: FakeModel(8192, ("embedding",))}) as made:
        yield made


@pytest.fixture
async def embed(host: FakeOllama) -> AsyncIterator[Embed]:
    pool = Pool([Host("mini", "ollama", host.url)])
    yield make_embed(pool, {"embed": (NAME,)})
    await pool.aclose()


def issue(number: int, title: str, body: str = "") -> tuple[KnownIssue, str]:
    return KnownIssue(number, "issue", "open", title, body, "ada"), title


def embedded(host: FakeOllama) -> list[str]:
    """Texts that were sent."""
    return [text for one in host.requests if one.path == "/api/embed" for text in one.json["input"]]


async def test_issues_are_near_that_mean_the_same(index_store: IndexStore, embed: Embed) -> None:
    index_store.put_issues(
        [
            issue(1, "Worker crashes on start", "It dies when Redis is away."),
            issue(2, "Dark theme", "Please make the page dark."),
        ]
    )
    assert await near_issues(index_store, embed, "Crash", "") == {}
    told: list[tuple[int, int]] = []
    filled = await fill(index_store, None, embed, lambda done, of: told.append((done, of)))
    assert (filled.made, filled.reason, told[-1]) == (4, "", (4, 4))
    assert index_store.state(MODEL) == f"{NAME}@1 {DIMENSIONS}"
    near = await near_issues(index_store, embed, "The worker crashes", "Redis is away")
    assert sorted(near, key=near.__getitem__) == [2, 1]
    assert near[1] > 0.5 > near[2]
    found = RepositoryIssues(index_store, near=lambda *_: near).duplicates(
        "The worker crashes", "Redis is away"
    )
    assert (found[0].number, found[0].why[-1]) == (1, "close in meaning")


async def test_passages_are_found_by_what_they_say(
    tea: Services, index_store: IndexStore, embed: Embed
) -> None:
    """Words that the lexical part knows too, so that the scripted model can: `leaves` stand in `steep`."""
    checkout = Services(tea.repo, index_store)
    checkout.index()
    filled = await fill(index_store, checkout.git, embed)
    assert filled.made == index_store.sizes().chunks
    near = await near_chunks(index_store, embed, "waits for the leaves", limit=1)
    (found,) = index_store.chunks([near[0].id])
    assert found.chunk.symbol == "steep"
    assert near[0].score > 0


async def test_functions_come_first_and_a_second_time_nothing_is_asked(
    tea: Services, host: FakeOllama, embed: Embed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.knowledge.embedding.AT_ONCE", 3)
    await fill(tea.index_store, tea.git, embed)
    texts = embedded(host)[1:]
    assert {text.split("\n")[1] for text in texts[:3]} == {"Cup.fill", "steep", "Pot.pour"}
    assert any(text.startswith("src/cup.py\nCup.fill\n    def fill(self, tea):") for text in texts)
    await fill(tea.index_store, tea.git, embed)
    assert len(embedded(host)) == len(texts) + 2  # to see whether the model is still the same


async def test_an_end_in_the_middle_loses_nothing(
    index_store: IndexStore, host: FakeOllama, embed: Embed
) -> None:
    index_store.put_issues([issue(number, f"Crash {number}") for number in range(2 * AT_ONCE)])
    asked = 0

    async def dying(texts: Sequence[str], /, purpose: Purpose = "document", model: str = "") -> Embedding:
        nonlocal asked
        asked += 1
        if asked > 2:
            return Embedding(failure="no_host", reason="mini is gone")
        return await embed(texts, purpose, model)

    first = await fill(index_store, None, dying)
    assert (first.made, first.reason) == (AT_ONCE, "mini is gone")
    second = await fill(index_store, None, embed)
    assert (second.made, second.reason) == (3 * AT_ONCE, "")


async def test_another_model_takes_the_place_of_the_one_that_is_gone(
    index_store: IndexStore, host: FakeOllama, embed: Embed
) -> None:
    index_store.put_issues([issue(1, "Crash")])
    await fill(index_store, None, embed)
    host.models[NAME] = FakeModel(8192, ("embedding",), digest="sha256:2")
    pool = Pool([Host("mini", "ollama", host.url)])
    try:
        other = make_embed(pool, {"embed": (NAME,)})
        assert await near_issues(index_store, other, "Crash", "") == {}
        assert (await fill(index_store, None, other)).made == 2
        assert list(await near_issues(index_store, other, "Crash", "")) == [1]
    finally:
        await pool.aclose()
    assert index_store.nearest("issue", f"{NAME}@1 {DIMENSIONS}", [1.0] * DIMENSIONS, 5) == []


async def test_what_changes_while_its_vector_is_made_gets_none(index_store: IndexStore, embed: Embed) -> None:
    index_store.put_issues([issue(1, "Crash"), issue(2, "Theme")])

    async def meanwhile(texts: Sequence[str], /, purpose: Purpose = "document", model: str = "") -> Embedding:
        if "Crash" in texts:
            index_store.put_issues([issue(1, "Something else")])
        return await embed(texts, purpose, model)

    await fill(index_store, None, meanwhile)
    await fill(index_store, None, embed)
    near = await near_issues(index_store, embed, "Something else", "")
    assert near[1] == pytest.approx(1.0, abs=0.02)


async def test_without_a_host_everything_else_works(tea: Services, host: FakeOllama) -> None:
    pool = Pool([Host("mini", "ollama", host.url)])
    try:
        none = make_embed(pool, {"embed": ("not-there",)})
        filled = await fill(tea.index_store, tea.git, none)
        assert filled.made == 0
        assert "mini: it has no local model not-there" in filled.reason
        assert await near_chunks(tea.index_store, none, "leaves") == []
    finally:
        await pool.aclose()
    assert next(each.path for each in tea.search.search("steep leaves")) == "src/tea.py"
