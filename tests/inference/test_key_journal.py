"""Keys: each goes to its own host and to no other, whatever hosts answer."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack, ExitStack

import pytest

from bot.core.hosts import Host, HostModel
from bot.inference.runners import ChatRequest, RunnerError
from bot.inference.runners.registry import make_runner
from tests.fakes import acts
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.models import FakeOllama
from tests.fakes.openai import FakeOpenAI

KINDS = {"ollama": FakeOllama, "openai": FakeOpenAI, "anthropic": FakeAnthropic}
HOSTS = [f"{kind}-{number}" for kind in KINDS for number in (1, 2)]
CALLS = 1_000


async def test_key_isolation_no_key_reaches_a_foreign_host_over_1000_random_routings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(7)
    for name in ("OLLAMA_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "XAI_API_KEY"):
        monkeypatch.setenv(name, "key-of-nobody")
    for name in HOSTS:
        monkeypatch.setenv(f"KEY_OF_{name}", f"key-of-{name}")
    with ExitStack() as stack:
        hosts = {name: stack.enter_context(KINDS[name.partition("-")[0]]()) for name in HOSTS}
        for name, host in hosts.items():
            others = [other.url + path for other in hosts.values() for path in (host.chat_path, "/v1/models")]
            redirects = [acts.redirect(address) for address in others]
            if isinstance(host, FakeAnthropic):
                host.key = f"key-of-{name}"
            host.answer = lambda _, redirects=redirects: chance.choice([*redirects, '{"kind": "bug"}'])  # type: ignore[misc]
        async with AsyncExitStack() as closing:
            runners = []
            for name, host in hosts.items():
                kind = name.partition("-")[0]
                runner = make_runner(Host(name, kind, host.url, api_key_env=f"KEY_OF_{name}"))
                closing.push_async_callback(runner.aclose)
                runners.append(runner)
            model = HostModel("qwen2.5-coder:14b", 32_768)
            request = ChatRequest(model, "Be kind.", "Hello", {}, 4096, 100)

            async def call() -> str:
                try:
                    await chance.choice(runners).chat(request)
                except RunnerError as error:
                    return f"{type(error).__name__}: {error}"
                return "answered"

            results: Counter[str] = Counter()
            for _ in range(CALLS // 20):
                results.update(await asyncio.gather(*(call() for _ in range(20))))
        moved = "HostDown: it answered 307 (it sends us elsewhere, which is not followed)"
        assert set(results) == {"answered", moved}
        assert sum(len(host.requests) for host in hosts.values()) == CALLS
        for name, host in hosts.items():
            assert len(host.requests) > 50
            for recorded in host.requests:
                keys = [value for value in recorded.headers.values() if "key-of" in value]
                assert [key.removeprefix("Bearer ") for key in keys] == [f"key-of-{name}"]
