"""A key goes to its own host's origin, whatever is routed where and whoever redirects."""

import random
from contextlib import ExitStack

import pytest

from bot.core.credentials import Hidden
from bot.core.hosts import Host, HostModel
from bot.core.privacy import Budget
from bot.inference.egress import EgressGuard
from bot.inference.hosts.pool import Pool
from bot.inference.runners import ChatRequest, RunnerError
from tests.fakes import acts
from tests.fakes.models import FakeModel, FakeOllama
from tests.fakes.openai import FakeOpenAI

MODEL = "m:7b"


async def _rich() -> Budget:
    return Budget(usd_per_day=1.0)


async def test_X6_no_key_reaches_a_foreign_host_over_a_thousand_routings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance, clock = random.Random(3), [0.0]
    monkeypatch.setenv("OLLAMA_API_KEY", "key-of-somebody-else")
    with ExitStack() as stack:
        fakes: list[FakeOllama] = [
            stack.enter_context(kind(models={MODEL: FakeModel()}))
            for kind in (FakeOpenAI, FakeOpenAI, FakeOllama, FakeOpenAI)
        ]
        keys = ["key-of-h0-000", "key-of-h1-111", "", "key-of-h3-333"]
        for key in filter(None, keys):
            monkeypatch.setenv(f"KEY_{keys.index(key)}", key)
        for fake in fakes:
            others = [f"{other.url}/v1/chat/completions" for other in fakes if other is not fake]
            fake.answer = lambda _, others=others: (  # type: ignore[misc]
                acts.redirect(chance.choice(others)) if chance.random() < 0.3 else "{}"
            )
        hosts = [
            Host(
                f"h{number}",
                "openai" if isinstance(fake, FakeOpenAI) else "ollama",
                f"{fake.url}/v1" if isinstance(fake, FakeOpenAI) else fake.url,
                parallel=8,
                online=number != 2,
                api_key_env=f"KEY_{number}" if keys[number] else "",
            )
            for number, fake in enumerate(fakes)
        ]
        pool = Pool(hosts, clock=lambda: clock[0])
        guard = EgressGuard("allowed", False, spent=_rich, clean=Hidden)
        for _ in range(1_000):
            candidates = list((await pool.candidates("chat", [MODEL], guard)).candidates)
            chance.shuffle(candidates)
            async with pool.place(candidates[:1], 1, guard=guard) as place:
                request = ChatRequest(HostModel(MODEL, 4096), "s", "u", {"type": "object"}, 4096, 16)
                try:
                    await place.chat(request)
                except RunnerError as error:
                    pool.failed(place.candidate.host, error)
                    clock[0] += 6.0
        await pool.aclose()
        for fake, key in zip(fakes, keys, strict=True):
            assert len(fake.chats if key == "" else fake.requests) > 100
            for request in fake.requests:
                sent = " ".join([*request.headers.values(), str(request.json), request.path])
                assert not [other for other in keys if other and other != key and other in sent]
                assert "somebody-else" not in sent
                assert not key or request.headers["authorization"] == f"Bearer {key}"
