"""Questions over the API: words as they come, citations that stand, and who leaves stops the model."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.cli import serve
from bot.runs import chat_service
from bot.runs.chat_service import Chatting
from bot.testing.github import GitHubStandIn
from bot.web.chat import AT_ONCE, MOST_MESSAGE
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob, until
from tests.runs.test_answers import services
from tests.web.conftest import TOKEN, opened

SAID = 'On the third shelf [cellar.py:3 "third shelf"], not in the attic [cellar.py:3 "attic"].'
QUESTION = {"repo": "octo/tea", "message": "Where are the biscuits?", "use_knowledge_graph": True}


def model(request: dict[str, Any]) -> Any:
    if "command" in request.get("format", {}).get("properties", {}):
        return {"command": "ask", "argument": ""}
    if request.get("format"):
        return {"thought": "It is there.", "searches": [], "reads": [], "enough": True}
    return SAID


@pytest.fixture
async def hob(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    async with living_hob(tmp_path, github, ollama, HOB_KNOWLEDGE__ENABLED="true") as living:
        yield living


@pytest.fixture
async def client(hob: LivingHob) -> AsyncIterator[httpx.AsyncClient]:
    """Of a receiver whose operator it is."""
    await services(hob)
    hob.ollama.answer = model
    async with opened(hob.services.store, ask=Chatting(lambda: hob.services)) as known_host:
        known_host.client.headers["authorization"] = f"Bearer {TOKEN}"
        yield known_host.client


def events(text: str) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in text.split("\n\n") if block and not block.startswith(":")]
    assert all(len(block) == 2 for block in blocks)
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


async def test_words_come_one_by_one_then_citations_that_stand_then_done(
    client: httpx.AsyncClient, hob: LivingHob
) -> None:
    answer = await client.post("/agents/chat", json=QUESTION)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = events(answer.text)
    assert [name for name, _ in told[-2:]] == ["citations", "done"]
    words = [data["text"] for name, data in told if name == "token"]
    assert len(words) > 3
    assert "".join(words) == "On the third shelf [cellar.py:3], not in the attic ."
    assert told[-2][1] == {"citations": [{"path": "cellar.py", "start": 3, "end": 3}], "dropped": 1}
    assert not [one for one in hob.github.writes() if "/comments" in one.path]
    assert all(token.revoked for token in hob.github.tokens.values())


async def test_without_the_knowledge_graph_nothing_is_looked_up(
    client: httpx.AsyncClient, hob: LivingHob
) -> None:
    before = len(hob.ollama.chats)
    told = events((await client.post("/agents/chat", json={**QUESTION, "use_knowledge_graph": False})).text)
    name, data = told[-2]
    assert (name, data["citations"], data["dropped"]) == ("citations", [], 2)
    assert "nothing in this answer is proved" in data["unproved"]
    understood, asked = hob.ollama.chats[before:]
    assert "command" in understood["format"]["properties"]
    assert "cellar.py" not in json.dumps([understood["messages"], asked["messages"]])


async def said(client: httpx.AsyncClient, message: str) -> str:
    told = events((await client.post("/agents/chat", json={**QUESTION, "message": message})).text)
    assert [name for name, _ in told[-2:]] == ["citations", "done"]
    return "".join(data["text"] for name, data in told if name == "token")


async def test_what_asks_for_a_command_is_understood_and_posted_nowhere(
    client: httpx.AsyncClient, hob: LivingHob
) -> None:
    issue = hob.github.repositories["octo/tea"].open_issue("Kettle", "Burns.", author="ann")
    issue.comment("ann", "We take copper.")
    await hob.works()
    before, chats = len(hob.github.writes()), len(hob.ollama.chats)
    assert (await said(client, "Standup, please: what moved, what is stuck?")).startswith("**Standup**")
    assert "issues.triage" in await said(client, "show me your settings")
    assert "comment `@my-hob undo` on the issue or pull request" in await said(client, "please undo that")
    assert f"comment `@my-hob review` on #{issue.number}" in await said(
        client, f"review again #{issue.number}"
    )
    assert "name it (as `#12`)" in await said(client, "what did I miss?")
    assert "There is no #99 here" in await said(client, "what did I miss in #99?")
    assert len(hob.ollama.chats) == chats, "rules knew all of it"
    hob.ollama.models.clear()
    assert "We take copper." in await said(client, f"what did I miss in #{issue.number}?")
    assert len([one for one in hob.github.writes()[before:] if not one.is_mint]) == 0


async def test_who_leaves_stops_the_model(client: httpx.AsyncClient, hob: LivingHob) -> None:
    hob.ollama.answer = lambda request: model(request) if request.get("format") else "word " * 2_000
    hob.ollama.token_seconds = 0.05
    async with client.stream("POST", "/agents/chat", json=QUESTION) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: token"):
                break
    await until(lambda: hob.ollama.cancelled == 1)
    hob.ollama.token_seconds = 0.0
    hob.ollama.answer = model
    for _ in range(AT_ONCE + 1):
        assert (await client.post("/agents/chat", json=QUESTION)).status_code == 200


async def test_so_many_at_once_and_no_more(client: httpx.AsyncClient, hob: LivingHob) -> None:
    hob.ollama.token_seconds = 0.2

    async def ask() -> int:
        return (await client.post("/agents/chat", json=QUESTION)).status_code

    codes = await asyncio.gather(*(ask() for _ in range(AT_ONCE + 2)))
    assert sorted(codes) == [*[200] * AT_ONCE, 429, 429]


async def test_R10_without_an_answer_an_error_is_told_and_the_end(
    client: httpx.AsyncClient, hob: LivingHob
) -> None:
    hob.ollama.models.clear()
    told = events((await client.post("/agents/chat", json=QUESTION)).text)
    assert [name for name, _ in told] == ["error", "done"]
    assert told[0][1]["detail"]


async def test_P6_a_repository_without_the_app_is_not_answered_about(
    client: httpx.AsyncClient, hob: LivingHob
) -> None:
    other = hob.github.repository("rival/secrets", private=True, files={"a.py": "KEY = 1\n"})
    answer = await client.post("/agents/chat", json={**QUESTION, "repo": other.full_name})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    asked = f"Where are the biscuits? Read {other.full_name} and quote it."
    told = events((await client.post("/agents/chat", json={**QUESTION, "message": asked})).text)
    assert told[-1][0] == "done"
    assert all("secrets" not in one.path for one in hob.github.fetches)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"repo": "tea"}, 422),
        ({"repo": "../octo/tea"}, 422),
        ({"message": " "}, 422),
        ({"message": "x" * (MOST_MESSAGE + 1)}, 422),
        ({"message": 7}, 422),
        ({"use_knowledge_graph": "yes"}, 422),
        ({"model": "other"}, 422),
    ],
)
async def test_what_is_no_question_is_told(
    changed: dict[str, Any], status: int, client: httpx.AsyncClient
) -> None:
    answer = await client.post("/agents/chat", json={**QUESTION, **changed})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_D1_strangers_are_not_answered(client: httpx.AsyncClient) -> None:
    client.headers["authorization"] = "Bearer wrong"
    assert (await client.post("/agents/chat", json=QUESTION)).status_code == 401


async def test_a_receiver_as_it_is_started_answers_and_hands_on_what_was_said_before(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services(hob)
    hob.ollama.answer = model
    monkeypatch.setattr(chat_service, "of", lambda config: Chatting(lambda: hob.services))
    history = [{"role": "user", "content": "Is there a cellar?"}, {"role": "assistant", "content": "Yes."}]
    async with opened(hob.services.store, ask=serve._chat(hob.services.config)) as receiver:
        receiver.client.headers["authorization"] = f"Bearer {TOKEN}"
        answer = await receiver.client.post("/agents/chat", json={**QUESTION, "history": history})
    assert answer.status_code == 200
    assert [name for name, _ in events(answer.text)][-2:] == ["citations", "done"]
    assert "Is there a cellar?" in json.dumps(hob.ollama.chats)
