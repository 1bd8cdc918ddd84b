"""Each kind of host as a test has it: something that can be told what to say, and the runner for it."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.core.hosts import Host, HostModel
from bot.inference.runners import ChatRequest, Runner
from bot.inference.runners.mlx import MlxRunner
from bot.inference.runners.registry import RUNNERS, make_runner
from bot.inference.runners.scripted import ScriptedRunner
from tests import needs
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.models import FakeModel, FakeOllama
from tests.fakes.openai import FakeOpenAI

NAME = "tests/model"
WINDOW = 8192
KEY = "sk-ant-right"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"kind": {"type": "string", "enum": ["bug", "feature"]}},
    "required": ["kind"],
}
WIRED: dict[str, type[FakeOllama]] = {"ollama": FakeOllama, "openai": FakeOpenAI, "anthropic": FakeAnthropic}
"""Kinds with a protocol, and who stands in for a server of it."""

LACKS: dict[str, set[str]] = {
    "ollama": set(),
    "openai": {"loaded"},
    "anthropic": {"embeddings", "loaded"},
    "mlx": {"embeddings", "tools"},
    # A script is not held to a schema, a length or a window, and what it says is there at once.
    "scripted": {"embeddings", "schema", "length", "window", "pieces", "cancel"},
}
"""What a kind has not, by its nature. Everything else holds for it."""


def having(*features: str) -> Sequence[str]:
    """The kinds that have all of these."""
    return [kind for kind in RUNNERS if not LACKS[kind] & set(features)]


@dataclass(frozen=True)
class Rig:
    """A host with one model, `NAME`. `says`: what it answers from now on. `endless`: its next answer
    does not stop."""

    kind: str
    runner: Runner
    says: Callable[[str | Mapping[str, Any]], None]
    endless: Callable[[], None]
    close: Callable[[], Awaitable[None]]


def asking(user: str = "Hello", **fields: Any) -> ChatRequest:
    model = HostModel(fields.pop("model", NAME), WINDOW)
    given = {"schema": {}, "num_ctx": WINDOW, "max_tokens": 500, **fields}
    return ChatRequest(model, "Be kind.", user, **given)


def wired(kind: str, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A stand-in on loopback."""
    from tests.fakes import acts

    monkeypatch.setenv("TEST_KEY", KEY)
    host = WIRED[kind](models={NAME: FakeModel(WINDOW)})
    host.__enter__()
    runner = make_runner(Host("mini", kind, host.url, api_key_env="TEST_KEY"))

    async def close() -> None:
        await runner.aclose()
        host.__exit__()

    return Rig(kind, runner, host.says, lambda: host.says(acts.endless, "on and on"), close)


def in_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """The real mlx-lm, on a tiny model whose weights say what it is told to."""
    needs.mlx()
    from tests.fakes.tiny import cached

    monkeypatch.setenv("HF_HOME", str(folder))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("MLX_DISABLE_COMPILE", "1")
    cached(folder, NAME)
    runner = MlxRunner(Host("here", "mlx", ""))

    def says(answer: str | Mapping[str, Any]) -> None:
        cached(folder, NAME, answer if isinstance(answer, str) else json.dumps(answer))

    return Rig("mlx", runner, says, lambda: _done(cached(folder, NAME, "on ", endless=True)), runner.aclose)


def scripted() -> Rig:
    lines: list[Any] = [""]
    runner = ScriptedRunner(Host("script", "scripted", ""), lambda _: lines[-1], (HostModel(NAME, WINDOW),))
    return Rig("scripted", runner, lines.append, lambda: None, runner.aclose)


def _done(_: object) -> None:
    """Nothing more to do."""
