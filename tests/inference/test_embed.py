"""Vectors of texts from model hosts, by the port that the rooms above are given."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from starlette.responses import JSONResponse

from bot.config import Config
from bot.core.credentials import Hidden
from bot.core.hosts import Host
from bot.core.inference import Embed, Usage
from bot.core.privacy import Budget
from bot.inference.egress import EgressGuard
from bot.inference.embed import MOST_TEXTS, make_embed, prefixed
from bot.inference.hosts.pool import Pool
from bot.scripting import Workshop
from tests.fakes.models import DIMENSIONS, FakeModel, FakeOllama

Pools = Callable[..., Pool]
NAME = "all-minilm"


@pytest.fixture
def embedder(ollama: FakeOllama) -> FakeOllama:
    ollama.models = {NAME: FakeModel(8192, ("embedding",))}
    return ollama


def at(host: FakeOllama, name: str = "mini", **fields: Any) -> Host:
    return Host(name, "ollama", host.url, **fields)


def embed_on(pool: Pool, wanted: Sequence[str] = (NAME,), **options: Any) -> Embed:
    return make_embed(pool, {"embed": wanted}, **options)


def asked(host: FakeOllama) -> list[list[str]]:
    """The texts of each request for vectors."""
    return [request.json["input"] for request in host.requests if request.path == "/api/embed"]


async def test_texts_that_share_words_are_near_each_other(embedder: FakeOllama, pool_of: Pools) -> None:
    made = await embed_on(pool_of(at(embedder)))(
        ["the worker crashes on start", "crashes: the worker, on start", "a dark theme"]
    )
    first, near, far = made.vectors
    assert (made.failure, made.model, made.host, made.cut) == (None, f"{NAME}@1", "mini", 0)
    assert {len(vector) for vector in made.vectors} == {DIMENSIONS}
    assert sum(number * number for number in first) == pytest.approx(1.0)
    assert dot(first, near) == pytest.approx(1.0)
    assert dot(first, far) < 0.5


def dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(left * right for left, right in zip(one, other, strict=True))


async def test_many_texts_go_in_several_requests_and_come_back_in_order(
    embedder: FakeOllama, pool_of: Pools
) -> None:
    embed = embed_on(pool_of(at(embedder)))
    texts = [f"word{number}" for number in range(2 * MOST_TEXTS + 1)]
    made = await embed(texts)
    assert [len(batch) for batch in asked(embedder)] == [MOST_TEXTS, MOST_TEXTS, 1]
    assert made.vectors[-1] == (await embed(texts[-1:])).vectors[0]


async def test_a_text_that_is_too_long_is_cut_and_counted(embedder: FakeOllama, pool_of: Pools) -> None:
    embedder.models[NAME] = FakeModel(256, chars_per_token=1.5)  # a vocabulary that is not made for this text
    made = await embed_on(pool_of(at(embedder)))(["short", "long " * 1_000])
    assert (made.failure, made.cut, len(made.vectors)) == (None, 1, 2)
    assert [text[0] for text in asked(embedder)] == ["short"] * len(asked(embedder))
    assert max(len(text) for text in asked(embedder)[-1]) <= 256 * 1.5


async def test_what_fits_is_remembered(embedder: FakeOllama, pool_of: Pools) -> None:
    embedder.models[NAME] = FakeModel(256, chars_per_token=1.5)
    embed = embed_on(pool_of(at(embedder)))
    for _ in range(3):
        await embed(["long " * 1_000])
    assert len(asked(embedder)) <= 3 + 3


async def test_a_blank_text_has_a_vector_too(embedder: FakeOllama, pool_of: Pools) -> None:
    made = await embed_on(pool_of(at(embedder)))(["", " \n"])
    assert len(made.vectors) == 2
    assert "" not in asked(embedder)[0]


async def test_no_texts_ask_nobody(embedder: FakeOllama, pool_of: Pools) -> None:
    made = await embed_on(pool_of(at(embedder)))([])
    assert (made.vectors, made.failure) == ((), None)
    assert not embedder.requests


async def test_the_next_host_is_asked_where_one_gives_nothing_that_can_be_used(
    embedder: FakeOllama, pool_of: Pools
) -> None:
    with FakeOllama(models={NAME: FakeModel()}) as other:
        other.broken["/api/embed"] = JSONResponse({"embeddings": [["x"]]})
        pool = pool_of(at(other, "first"), at(embedder, "second"))
        made = await embed_on(pool)(["text"])
        assert (made.host, len(asked(other))) == ("second", 2)  # one such answer is forgiven


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [((NAME,), "mini: it has no local model all-minilm"), ((), "no model is configured for embed")],
)
async def test_a_failure_is_a_value(
    ollama: FakeOllama, pool_of: Pools, wanted: Sequence[str], reason: str
) -> None:
    made = await embed_on(pool_of(at(ollama)), wanted)(["text"])
    assert (made.vectors, made.failure) == ((), "no_host")
    assert reason in made.reason


async def test_only_the_model_that_made_the_other_vectors_is_asked(
    embedder: FakeOllama, pool_of: Pools
) -> None:
    embedder.models["other"] = FakeModel(digest="sha256:2")
    embed = embed_on(pool_of(at(embedder)), ("other", NAME))
    assert (await embed(["text"])).model == "other@2"
    assert (await embed(["text"], model=f"{NAME}@1")).model == f"{NAME}@1"
    gone = await embed(["text"], model=f"{NAME}@0")
    assert (gone.failure, gone.reason) == ("no_host", f"no host has {NAME}@0 now")


async def test_a_prompt_goes_before_vectors_that_nobody_waits_for(
    embedder: FakeOllama, pool_of: Pools
) -> None:
    """Between two requests of an index the place is given to whoever is more urgent."""
    pool = pool_of(at(embedder))
    index, question = embed_on(pool), embed_on(pool, priority="high")
    making = asyncio.create_task(index([f"word{number}" for number in range(20 * MOST_TEXTS)]))
    while not asked(embedder):
        await asyncio.sleep(0.001)
    await question(["who waits"], "query")
    position = asked(embedder).index(["who waits"])
    await making
    assert position < 19


async def test_X6_nothing_goes_online_that_may_not(embedder: FakeOllama, pool_of: Pools) -> None:
    made = await embed_on(pool_of(at(embedder, online=True)))(["text"])
    assert made.failure == "no_host"
    assert "[privacy] online is never" in made.reason
    assert not embedder.requests


async def test_X6_a_text_with_a_credential_stays_here_and_each_use_is_written_down(
    embedder: FakeOllama, pool_of: Pools
) -> None:
    used: list[tuple[Usage, float]] = []

    async def spent() -> Budget:
        return Budget(usd_per_day=1.0)

    async def record(use: Usage, usd: float) -> None:
        used.append((use, usd))

    guard = EgressGuard(
        "allowed",
        spent=spent,
        clean=lambda text: None if "spaced" in text else Hidden(text.replace("ghs_secret", "[hidden]")),
        record=record,
    )
    pool = pool_of(at(embedder, online=True, usd_per_mtok_in=1.0))
    made = await embed_on(pool, guard=guard)(["code", "token = ghs_secret", "spaced"])
    assert made.failure is None
    assert asked(embedder) == [["code", "token = [hidden]", "."]]
    ((use, usd),) = used
    assert (use.purpose, use.host, use.tokens_out) == ("embed", "mini", 0)
    assert usd > 0


def test_models_that_want_to_know_what_a_text_is_for_are_told() -> None:
    assert prefixed("nomic-embed-text:latest", "x", "query") == "search_query: x"
    assert prefixed("org/nomic-embed-text-v2", "x", "document") == "search_document: x"
    assert prefixed("all-minilm", "x", "query") == "x"
    assert prefixed("mxbai-embed-large", "x", "document") == "x"
    assert prefixed("mxbai-embed-large", "x", "query").startswith("Represent this sentence")


async def test_scripts_have_it_too(embedder: FakeOllama) -> None:
    config = Config.model_validate(
        {
            "models": {"embed": [NAME]},
            "hosts": [{"name": "mini", "kind": "ollama", "url": embedder.url}],
        }
    )
    async with Workshop(config) as shop:
        made = await shop.embed()(["text"])
    assert made.model == f"{NAME}@1"
