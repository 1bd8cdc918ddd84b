"""How fast a model host reads and writes: a question of a few hundred words that is nobody's, timed."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice

from bot.cli.doctor.line import DoctorResult
from bot.core.host_slots import Served, Speed
from bot.inference.hosts.known_host import Candidate
from bot.inference.runners import ChatRequest, Runner, RunnerError
from bot.inference.runners.ollama import OllamaRunner
from bot.inference.runners.registry import make_runner

SECONDS = 60.0
"""For all hosts together."""
WORDS = 600
"""Of one token, about: more than a host reads in a moment, and little beside a review."""
WRITES = 40
"""Tokens of the answer."""
USUAL_READ, USUAL_WRITTEN = 8_000, 1_200
"""Tokens of a usual review, as it is assumed: some 300 changed lines with what is shown around them, and
three remarks."""
TEXT = "the cat sat on the mat and then it saw a dog in the sun so"


async def examine(candidates: Sequence[Candidate], seconds: float = SECONDS) -> list[DoctorResult]:
    """A line for the best model of each host in this network; one after the other, since hosts may share a
    machine. A host that is online is never asked."""
    until = time.monotonic() + seconds
    found: list[DoctorResult] = []
    best: dict[str, Candidate] = {}
    for candidate in filter(is_ours, candidates):
        best.setdefault(candidate.host.name, candidate)
    for candidate in best.values():
        runner = make_runner(candidate.host)
        try:
            found.append(await _line(candidate, runner, until - time.monotonic()))
        finally:
            await runner.aclose()
    return found


def is_ours(candidate: Candidate) -> bool:
    """A model that runs in this network, and no script in the place of one."""
    host = candidate.host
    return not host.online and not candidate.model.remote and host.kind != "scripted"


async def _line(candidate: Candidate, runner: Runner, seconds: float) -> DoctorResult:
    name, model = f"host {candidate.host.name} speed", candidate.model.shown
    if seconds <= 0:
        return DoctorResult(name, True, "not measured: the other hosts took the time there is for it")
    try:
        async with asyncio.timeout(seconds):
            started = time.monotonic()
            reply = await runner.chat(_request(candidate))
            took = time.monotonic() - started
            window = await _loaded(runner, model)
    except TimeoutError:
        hint = "ask again, since it may have been loading the model; else choose a smaller one"
        return DoctorResult(name, False, f"{model} said nothing whole within {seconds:.0f} s", hint)
    except RunnerError as wrong:
        return DoctorResult(name, False, f"{model}: {wrong}", "see the host's own log")
    if reply.tokens_in is not None and reply.tokens_in < WORDS / 2:
        said = f"{model} read {reply.tokens_in} of about {WORDS} tokens, and did not say so"
        return DoctorResult(
            name, False, said, "give the host a larger context (Ollama: OLLAMA_CONTEXT_LENGTH)"
        )
    if window and window < candidate.num_ctx:
        said = f"{model} was asked to read up to {candidate.num_ctx} tokens, and is loaded with {window}"
        hint = f"set num_ctx = {window} for host {candidate.host.name}, or give the host a larger context"
        return DoctorResult(name, False, said, hint)
    served = Served(
        took, True, reply.tokens_in or WORDS, reply.tokens_out, reply.first_token_seconds, reply.load_seconds
    )
    return DoctorResult(name, True, f"{model} {told(served)}")


def told(served: Served) -> str:
    """For a person: speed, and what that means."""
    speed = Speed().after(served)
    review = replace(speed, length=float(USUAL_WRITTEN)).seconds(USUAL_READ)
    loading = f", loading took {served.load_seconds:.0f} s" if served.load_seconds >= 1 else ""
    return (
        f"reads {speed.prompt:,.0f} tokens/s, writes {speed.answer:,.0f}: a usual review takes about "
        f"{_span(review)} ({USUAL_READ:,} tokens read, {USUAL_WRITTEN:,} written, as is assumed){loading}"
    )


def _span(seconds: float) -> str:
    if seconds < 1:
        return "a second"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _request(candidate: Candidate) -> ChatRequest:
    """With a beginning that nobody has read before: hosts keep what they have read."""
    words = " ".join(islice(cycle(TEXT.split()), WORDS))
    return ChatRequest(
        candidate.model,
        f"{secrets.token_hex(4)}. You count.",
        f"{words}\n\nCount from one to one hundred in words.",
        {},
        candidate.num_ctx,
        WRITES,
        prompt="doctor",
    )


async def _loaded(runner: Runner, model: str) -> int:
    """The window in tokens with which the model is loaded, where the host tells; else 0."""
    if not isinstance(runner, OllamaRunner):
        return 0
    return (await runner.windows()).get(model, 0)
