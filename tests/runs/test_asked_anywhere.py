"""A question is answered alike wherever it is asked: in a comment, over the API, by `hob ask`."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.prompting import load_persona
from bot.runs.chat_service import Chatting
from bot.testing.github import GitHubStandIn
from tests import commands
from tests.agents.conftest import make_repository
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob
from tests.runs.test_answers import CELLAR, services
from tests.runs.test_chatting import events
from tests.tea import TEA
from tests.web.conftest import TOKEN, opened

QUESTION = "Where are the biscuits fetched from?"
SAID = 'On the third shelf [cellar.py:3 "third shelf"], not in the attic [cellar.py:3 "attic"].'
CHECKED = "On the third shelf [cellar.py:3], not in the attic ."
LISTED = [
    {"path": "cellar.py", "start": 7, "end": 7, "quote": "return BISCUITS"},
    {"path": "cellar.py", "start": 7, "end": 7, "quote": "return tea"},
]


def model(request: dict[str, Any]) -> Any:
    """Of a scout's, a whole and a spoken answer; the whole one lists places beside its text."""
    fields = (request.get("format") or {}).get("properties", {})
    if "reads" in fields:
        looked = "looked for already" in request["messages"][-1]["content"]
        reads = [{"path": "tea.py", "start": 1, "end": 3}]
        return {"thought": "And tea?", "searches": [], "reads": reads, "enough": looked}
    return {"answer": SAID, "citations": []} if "citations" in fields else SAID


@pytest.fixture
async def hob(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    async with living_hob(
        tmp_path, github, ollama, HOB_KNOWLEDGE__ENABLED="true", HOB_CACHE__ENABLED="false"
    ) as living:
        living.repo = await services(living)  # type: ignore[attr-defined]
        ollama.answer = model
        yield living


async def commented(hob: LivingHob) -> tuple[str, list[str]]:
    issue = hob.repo.open_issue("Hungry", author="ann")  # type: ignore[attr-defined]
    await hob.works()
    issue.comment("ann", f"@my-hob ask {QUESTION}")
    await hob.works()
    text, _, places = issue.comments[-1].body.partition("\n\nSee ")
    return text, re.findall(r"`([^`]+)`", places.split("\n")[0])


async def told_over_the_api(hob: LivingHob) -> tuple[str, list[str]]:
    async with opened(hob.services.store, ask=Chatting(lambda: hob.services)) as known:
        known.client.headers["authorization"] = f"Bearer {TOKEN}"
        asked = {"repo": "octo/tea", "message": QUESTION, "use_knowledge_graph": True}
        told = events((await known.client.post("/agents/chat", json=asked)).text)
    text = "".join(data["text"] for name, data in told if name == "token")
    (ended,) = [data for name, data in told if name == "citations"]
    return text, [f"{one['path']}:{one['start']}" for one in ended["citations"]]


async def printed(hob: LivingHob, folder: Path) -> tuple[str, list[str]]:
    folder.mkdir()
    make_repository(folder, {"tea.py": TEA, "cellar.py": CELLAR})
    hosts = json.dumps([{"name": "mini", "url": hob.ollama.url}])
    environ = {
        "HOB_HOSTS": hosts,
        "HOB_HOB__DATA_DIR": str(folder / ".git" / "hob"),
        "HOB_MODELS__CHAT": next(iter(hob.ollama.models)),
        "HOME": str(folder),
    }
    done = await asyncio.to_thread(
        commands.run, "ask", "--json", QUESTION, "--repo", str(folder), folder=folder, environ=environ
    )
    told = json.loads(done.stdout)
    return told["answer"], [f"{one['path']}:{one['start']}" for one in told["citations"]]


async def test_one_answer_with_the_same_checked_citations_wherever_it_is_asked(
    hob: LivingHob, tmp_path: Path
) -> None:
    answers, asked = [], []
    for ask in (commented, told_over_the_api, partial(printed, folder=tmp_path / "local")):
        before = len(hob.ollama.chats)
        answers.append(await ask(hob))
        chats = hob.ollama.chats[before:]
        scouts = [one for one in chats if "reads" in (one.get("format") or {}).get("properties", {})]
        assert len(scouts) == 2, "each looked, and looked again"
        asked.append(chats[-1]["messages"])
    assert answers == [(CHECKED, ["cellar.py:3"])] * 3
    systems, users = zip(*((one[0]["content"], one[-1]["content"]) for one in asked), strict=True)
    assert all(system.startswith(load_persona("research").system) for system in systems)
    shown = [re.sub("data-[0-9a-f]+", "data", user) for user in users]
    found = {tuple(re.findall(r'<data name="(\S+\.py)">\n(.*?)\n</data>', user, re.S)) for user in shown}
    assert len(found) == 1, "each was shown the same of the repository"
    assert [path for path, _ in found.pop()] == ["cellar.py", "tea.py"]
    assert len({user.partition("The question.")[2] for user in shown}) == 1


async def test_places_beside_a_whole_answer_are_checked_like_those_in_it(hob: LivingHob) -> None:
    def whole(request: dict[str, Any]) -> Any:
        said = model(request)
        return {**said, "citations": LISTED} if "answer" in said else said

    hob.ollama.answer = whole
    assert await commented(hob) == (CHECKED, ["cellar.py:3", "cellar.py:7"])
