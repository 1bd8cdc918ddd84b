"""`implement`: more files than are shown at first, and what is left when the budget is used up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.testing.github import GitHubStandIn
from bot.testing.github.issues import Issue
from tests.fakes import acts
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob
from tests.runs.test_implement import EDIT, ON, PLAN, TEA, asked, drafts, opened, patch
from tests.runs.test_implement_plan import questions

POT = {"path": "kitchen/pot.py", "search": "HOT = 60\n", "replace": "HOT = 90\n"}


def says(*patches: dict[str, Any], paths: tuple[str, ...] = (), accepted: bool = True) -> Any:
    left = list(patches)

    def answer(request: Any) -> Any:
        fields = request["format"]["properties"]
        if "paths" in fields:
            return {"thought": "The pot.", "paths": list(paths)}
        if "accepted" in fields:
            return {"reason": "No test covers it.", "accepted": accepted}
        if "edits" in fields:
            return left.pop(0) if len(left) > 1 else left[0]
        return PLAN

    return answer


def large(hob: LivingHob, body: str = "The pot is too cold.") -> Issue:
    """A repository of more files than are shown at first, none of which the issue names."""
    files = {f"rooms/room{number}.py": f"ROOM = {number}\n" for number in range(20)}
    files |= {"kitchen/pot.py": "HOT = 60\n", ".env": "KEY=1\n", "package-lock.json": "{}\n"}
    repo = hob.github.repository("octo/tea", files={".github/hob.yml": ON, "tea.py": TEA, **files})
    repo.grant("ann", "write")
    for one in hob.github.installations.values():
        one.permissions = {**one.permissions, "contents": "write"}
    return repo.open_issue("Heat the pot", body, author="eve")


async def test_a_file_that_nobody_named_is_located_among_the_others_and_then_read(hob: LivingHob) -> None:
    issue = large(hob)
    new = {"path": "kitchen/new/lid.py", "replace": "LID = 1\n"}
    wanted = ("pot.py", "rooms/room3.py", "../etc/passwd", ".env", "no.py")
    hob.ollama.answer = says(patch(POT, new), paths=wanted)
    before = len(hob.github.requests)
    await asked(hob, issue)
    (draft,) = drafts(hob)
    assert draft.text("kitchen/pot.py") == "HOT = 90\n"
    assert questions(hob) == ["steps", "paths", "edits", "accepted"]
    listed = hob.ollama.chats[1]["messages"][-1]["content"].partition("paths of files that are not shown")[2]
    assert listed.index("kitchen/pot.py") < listed.index("rooms/room3.py"), (
        "what the issue speaks of is first"
    )
    assert "package-lock.json" not in listed and ".env" not in listed and "hob.yml" not in listed
    edit = hob.ollama.chats[2]["messages"][-1]["content"]
    assert "HOT = 60" in edit and "ROOM = 3" in edit and "KEY=1" not in edit
    assert "paths of files that are not shown" not in edit
    calls = [one for one in hob.github.requests[before:] if "token" not in one.path]
    first = next(n for n, one in enumerate(calls) if "/collaborators/" in one.path)
    written = [n for n, one in enumerate(calls) if one.method == "POST" and one.path.endswith("/comments")]
    assert written[-1] - first + 1 <= 12 + 1, [repr(one) for one in calls[first:]]


async def test_where_github_does_not_tell_all_paths_the_named_files_are_read(hob: LivingHob) -> None:
    issue = large(hob, "`kitchen/pot.py` is too cold.")
    hob.github.fault("GET", "/git/trees/", kind="answer", status=409, times=9)
    hob.ollama.answer = says(patch(POT))
    await asked(hob, issue)
    (draft,) = drafts(hob)
    assert draft.text("kitchen/pot.py") == "HOT = 90\n"


async def test_a_model_that_names_no_file_goes_on_with_what_it_sees(hob: LivingHob) -> None:
    issue = large(hob, "`kitchen/pot.py` is too cold.")
    usual = says(patch(POT))
    hob.ollama.answer = lambda request: (
        "no JSON" if "paths" in request["format"]["properties"] else usual(request)
    )
    await asked(hob, issue)
    (draft,) = drafts(hob)
    assert draft.text("kitchen/pot.py") == "HOT = 90\n"


@asynccontextmanager
async def limited(
    folder: Path, github: GitHubStandIn, ollama: FakeOllama, **limits: int
) -> AsyncIterator[LivingHob]:
    told = {f"HOB_CODE__{name.upper()}": str(value) for name, value in limits.items()}
    async with living_hob(folder, github, ollama, HOB_CACHE__ENABLED="false", **told) as hob:
        yield hob


@pytest.mark.parametrize(
    ("limits", "accepted", "said"),
    [
        ({"steps": 2}, True, "its 2 questions to models are used up"),
        ({"steps": 3}, False, "No test covers it."),
        ({"steps": 3}, False, "its 3 questions to models are used up"),
        ({"tokens": 2_000}, True, "its 2,000 tokens are used up"),
    ],
)
async def test_a_used_up_budget_leaves_the_best_patch_in_a_draft_that_says_what_is_missing(
    tmp_path: Path,
    github: GitHubStandIn,
    ollama: FakeOllama,
    limits: dict[str, int],
    accepted: bool,
    said: str,
) -> None:
    async with limited(tmp_path, github, ollama, **limits) as hob:
        issue = opened(hob, body="`tea.py` fails. " + "Water! " * 500)
        hob.ollama.answer = says(patch(EDIT), accepted=accepted)
        await asked(hob, issue)
        (draft,) = drafts(hob)
        assert draft.text("tea.py") == TEA.replace("return water", "return water or None")
        missing = draft.body.partition("**Not done**")[2]
        assert said in missing and "1 step of the plan" in missing
        assert "- [ ] **Guard brew**" in draft.body
        assert len(questions(hob)) <= 3


async def test_a_budget_that_is_used_up_before_there_is_a_patch_is_said(
    tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama
) -> None:
    async with limited(tmp_path, github, ollama, steps=1) as hob:
        issue = opened(hob)
        hob.ollama.answer = says(patch(EDIT))
        (said,) = await asked(hob, issue)
        assert "I have no patch to propose: step edit: its 1 question to models is used up" in said
        assert drafts(hob) == []


async def test_what_held_once_is_not_lost_to_a_later_one_that_does_not(hob: LivingHob) -> None:
    issue = opened(hob)
    wrong = patch({**EDIT, "search": "    return milk\n"})
    hob.ollama.answer = says(patch(EDIT), wrong, accepted=False)
    await asked(hob, issue)
    (draft,) = drafts(hob)
    assert draft.text("tea.py") == TEA.replace("return water", "return water or None")
    assert "No test covers it." in draft.body.partition("**Not done**")[2]


async def test_a_second_look_that_nobody_could_take_is_said(hob: LivingHob) -> None:
    issue = opened(hob)
    usual = says(patch(EDIT))
    hob.ollama.answer = lambda request: (
        "no JSON" if "accepted" in request["format"]["properties"] else usual(request)
    )
    await asked(hob, issue)
    (draft,) = drafts(hob)
    assert "The work ended before a second look accepted it: step review: " in draft.body
    assert "- [ ] **Guard brew**" in draft.body


def with_tools(*rounds: Any, then: Any) -> Any:
    """A model that makes these calls one after the other wherever it may, and then answers."""
    left = [acts.calls(*some) for some in rounds]
    return lambda request: left.pop(0) if left and len(request.get("tools") or ()) > 1 else then(request)


async def test_a_model_with_tools_reads_writes_and_answers_within_the_same_rules(hob: LivingHob) -> None:
    issue = large(hob)
    hob.ollama.answer = with_tools(
        [("read_file", {"path": "kitchen/pot.py"}), ("read_file", {"path": ".env"})],
        [
            ("write_file", {"path": "kitchen/pot.py", "text": "HOT = 95\n"}),
            ("write_file", {"path": ".github/workflows/x.yml", "text": "on: push\n"}),
        ],
        then=says(patch(summary="It boils.")),
    )
    await asked(hob, issue)
    (draft,) = drafts(hob)
    assert [one.path for one in draft.files()] == ["kitchen/pot.py"]
    assert draft.text("kitchen/pot.py") == "HOT = 95\n" and "It boils." in draft.body
    shown = " ".join(str(one["messages"]) for one in hob.ollama.chats)
    assert "HOT = 60" in shown and "KEY=1" not in shown and "may not be written" in shown


async def test_what_tools_wrote_before_the_work_ended_is_a_draft_that_says_so(hob: LivingHob) -> None:
    issue = large(hob)
    usual = says(patch(POT))
    hob.ollama.answer = with_tools(
        [("write_file", {"path": "kitchen/pot.py", "text": "HOT = 95\n"})],
        then=lambda request: "no JSON" if "edits" in str(request.get("format")) else usual(request),
    )
    await asked(hob, issue)
    (draft,) = drafts(hob)
    assert draft.text("kitchen/pot.py") == "HOT = 95\n"
    assert "What was written before the work ended" in draft.body
    assert "The work ended before a second look accepted it: step edit: " in draft.body
    assert "- [ ] **Guard brew**" in draft.body
