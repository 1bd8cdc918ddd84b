"""`GET /openapi.json` against a living receiver: whatever it allows to be asked, each answer is described."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.core.chat import Answered
from bot.core.errors import UserError
from bot.core.hosts import Host
from bot.core.inference import Completion, Spoken, Turn
from bot.store import Store
from bot.web.chat import ChatPiece
from bot.web.openapi import document
from tests import needs
from tests.long import LONG
from tests.web.conftest import TOKEN, opened
from tests.web.test_pages import lived_in

MINI = Host("mini", "ollama", "http://127.0.0.1:9")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance"
)


class Taken:
    """Takes what workers are to do, of one repository."""

    async def _run(self, full_name: str) -> int:
        if full_name.casefold() != "octo/hello":
            raise UserError(f"there is no {full_name[:80]!r}")
        return 1

    async def triage(self, full_name: str, number: int, auto_comment: bool, /) -> int:
        return await self._run(full_name)

    async def triage_new(self, full_name: str, auto_comment: bool, /) -> int:
        return await self._run(full_name)

    async def review(self, full_name: str, number: int, focus: Sequence[str], /) -> int:
        return await self._run(full_name)

    async def implement(self, full_name: str, number: int, context: str, /) -> int:
        return await self._run(full_name)


async def ask(
    full_name: str, question: str, graph: bool, before: tuple[Turn, ...]
) -> AsyncIterator[ChatPiece]:
    await Taken()._run(full_name)

    async def pieces() -> AsyncIterator[ChatPiece]:
        yield "Sixty seconds."
        yield Answered(Completion(Spoken("Sixty seconds.")))

    return pieces()


@pytest.mark.timeout(900)
async def test_no_request_that_is_described_meets_an_answer_that_is_not(store: Store, tmp_path: Path) -> None:
    """Some hundred requests that the description allows, or nearly; some thousand with `make test-long`."""
    program = needs.schemathesis()
    phases = ("coverage,fuzzing", "20") if LONG else ("fuzzing", "6")
    async with opened(store, model_hosts=(MINI,), ask=ask, requests=Taken()) as front:
        await lived_in(front, store)
        arguments = (
            *("run", f"{front.url}/openapi.json", "-H", f"Authorization: Bearer {TOKEN}"),
            *("--checks", CHECKS, "--phases", phases[0], "--max-examples", phases[1], "--seed", "1"),
            *("--continue-on-failure", "--no-shrink", "--warnings", "off", "--request-timeout", "20"),
            *("--workers", "1", "--suppress-health-check", "all"),
        )
        told = await asyncio.to_thread(
            subprocess.run,
            [program, *arguments],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
        )
    assert told.returncode == 0, told.stdout[-20_000:] + told.stderr[-2_000:]


def test_every_refusal_is_explained_and_none_is_left_to_default() -> None:
    """What no operation says it may answer, none answers."""
    for path, item in document()["paths"].items():
        for method, one in item.items():
            if method != "parameters":
                assert "default" not in one["responses"], (path, method)
                assert all(each["description"] for each in one["responses"].values()), (path, method)
    guarded = document()["paths"]["/runs"]["get"]["responses"]
    assert {"401", "421", "429", "503"} <= set(guarded)
    assert "403" in document()["paths"]["/runs/{id}/retry"]["post"]["responses"]
