"""`explain`: what code does and why, from its history."""

import json
from typing import Any

from tests.living import LivingHob
from tests.runs.test_over_time import answers, opened, replies
from tests.runs.test_undo import BOT, words
from tests.tea import TEA


def prompts(hob: LivingHob) -> list[str]:
    """What models were asked to explain."""
    chats = (chat for chat in hob.ollama.chats if "You explain code" in json.dumps(chat["messages"][0]))
    return [str(chat["messages"][-1]["content"]) for chat in chats]


def said(pull: Any) -> str:
    return words([one for one in pull.comments if one.author.login == BOT][-1].body)


def cites(*lines: tuple[str, int, int]) -> dict[str, Any]:
    named = [{"path": path, "start": start, "end": end} for path, start, end in lines]
    return {"answer": "It brews.", "citations": named}


async def test_lines_of_a_file_with_the_commits_and_issues_that_tell_why(hob: LivingHob) -> None:
    answers(hob, answer=cites(("tea.py", 1, 2), ("tea.py", 1, 99), ("pot.py", 1, 1)))
    repo = hob.github.repository("octo/tea", private=True, files={"tea.py": TEA})
    repo.grant("ann", "read")
    issue = repo.open_issue("Tea is too strong", "Halve the water.", author="ann")
    repo.commit({"tea.py": TEA + "\n\nleaf = 1\n"}, message=f"Count leaves, as #{issue.number} asks")
    await hob.works()
    issue = repo.open_issue("How?", "How does it work?", author="ann")
    issue.comment("ann", "/hob explain `tea.py:1-2` and say who wanted it")
    await hob.works()
    (prompt,) = prompts(hob)
    assert "1: def brew(water):" in prompt
    assert "Count leaves, as #1 asks" in prompt
    assert "Halve the water." in prompt
    assert "tea.py:1-2" in prompt
    assert "and say who wanted it" in prompt
    assert said(issue) == "It brews.\n\nSee `tea.py:1-2`."


async def test_in_a_thread_its_lines_are_meant(hob: LivingHob) -> None:
    answers(hob, answer=cites(("tea.py", 3, 3)))
    pull = opened(hob)
    await hob.works()
    pull.review_comments[0].reply("ann", "/hob explain")
    await hob.works()
    (prompt,) = prompts(hob)
    assert "tea.py:3" in prompt
    assert replies(pull)[-1] == "It brews.\n\nSee `tea.py:3`."


async def test_without_a_place_the_whole_change_is_meant(hob: LivingHob) -> None:
    answers(hob, answer=cites(("tea.py", 3, 3)))
    pull = opened(hob)
    await hob.works()
    pull.comment("ann", "/hob explain why it divides")
    await hob.works()
    (prompt,) = prompts(hob)
    assert "+    return water / 0" in prompt
    assert "the whole change" in prompt
    assert "why it divides" in prompt


async def test_what_is_not_there_is_said_and_no_model_asked(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.comment("ann", "/hob explain ../../etc/passwd")
    await hob.works()
    assert "there is no such text there" in said(pull)
    pull.comment("ann", "/hob explain tea.py:70-80")
    await hob.works()
    assert "`tea.py` has 3 lines" in said(pull)
    issue = pull.code.open_issue("How?", "How?", author="ann")  # type: ignore[attr-defined]
    issue.comment("ann", "/hob explain")
    await hob.works()
    assert "Name a file" in said(issue)
    assert prompts(hob) == []


async def test_a_model_that_fails_is_said(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    hob.ollama.models.clear()
    pull.comment("ann", "/hob explain tea.py")
    await hob.works()
    assert "I could not explain it" in said(pull)
