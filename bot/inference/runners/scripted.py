"""Answers from a script instead of a model: for tests and for showing Hob where no model is."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bot.core.hosts import Host, HostModel
from bot.inference.runners import Broken, ChatRequest, Heard, ModelMissing, Reply, RunnerError, Unsupported

ScriptedReply = str | Mapping[str, Any] | Reply | RunnerError
Script = Callable[[ChatRequest], ScriptedReply] | Iterable[ScriptedReply]
"""A function of the request, or lines one after the other; an error among them is raised,
and a reply given as it is."""


class ScriptedRunner:
    """Says what its script says and keeps every request; without one what its host's `answers` hold for each
    prompt, in their order. A script that has run out says nothing (an empty text)."""

    def __init__(self, host: Host, script: Script = (), models: tuple[HostModel, ...] | None = None) -> None:
        self.host = host
        self.requests: list[ChatRequest] = []
        self._models = models or (HostModel("scripted", context_length=16_384),)
        self._script: Callable[[ChatRequest], ScriptedReply] = (
            script if callable(script) else _one_by_one(iter(script))
        )
        if host.answers and script == ():
            self._script = _by_prompt(host)

    async def models(self) -> tuple[HostModel, ...]:
        return self._models

    async def chat(self, request: ChatRequest, heard: Heard | None = None) -> Reply:
        self.requests.append(request)
        if request.model.name not in await self.loaded():
            raise ModelMissing(f"it does not have the model ({request.model.name})")
        line = self._script(request)
        if isinstance(line, RunnerError):
            raise line
        if isinstance(line, Reply):
            return line
        text = line if isinstance(line, str) else json.dumps(line)
        if heard is not None:
            heard(text)
        return Reply(
            text, tokens_in=(len(request.system) + len(request.user)) // 4, tokens_out=len(text) // 4
        )

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        raise Unsupported("a script has no embeddings")

    async def loaded(self) -> tuple[str, ...]:
        return tuple(model.name for model in self._models)

    async def aclose(self) -> None:
        """Nothing to close."""


def _by_prompt(host: Host) -> Callable[[ChatRequest], ScriptedReply]:
    """From `answers`; `*` holds those of prompts that have none of their own."""
    left = {prompt: iter(texts) for prompt, texts in host.answers}

    def say(request: ChatRequest) -> ScriptedReply:
        lines = left.get(request.prompt, left.get("*", iter(())))
        if (line := next(lines, None)) is None:
            return Broken(f"its script has no answer (left) for {request.prompt or 'this prompt'}")
        return line

    return say


def _one_by_one(lines: Iterator[ScriptedReply]) -> Callable[[ChatRequest], ScriptedReply]:
    return lambda _: next(lines, "")
