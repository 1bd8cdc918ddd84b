"""`fix` in a thread, `fix N` on the pull request: a suggestion that a person may commit."""

from typing import Any

import pytest

from bot.testing.github.pulls import PullRequest, ReviewComment
from tests.living import LivingHob, by_schema
from tests.runs.test_comments import ours
from tests.runs.test_review import teahouse
from tests.tea import BROKEN, finding


def patch(search: str = "water / 0", replace: str = "water / 3", path: str = "tea.py") -> dict[str, Any]:
    return {"summary": "Divides by three.", "edits": [{"path": path, "search": search, "replace": replace}]}


async def reviewed(hob: LivingHob, edit: dict[str, Any], **more: Any) -> PullRequest:
    """A pull request with one finding of Hob's on line 3."""
    hob.ollama.answer = by_schema(review={"findings": [finding()], "summary": ""}, patch=edit)
    repo = teahouse(hob)
    repo.grant("ann", "write")
    repo.grant("eve", "read", association="MEMBER")
    pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann", **more)
    await hob.works()
    assert len(pull.review_comments) == 1
    return pull


def suggestions(pull: PullRequest) -> list[ReviewComment]:
    return [one for one in pull.review_comments if "```suggestion" in one.body]


async def test_fix_in_a_thread_answers_there_with_a_suggestion_that_applies(hob: LivingHob) -> None:
    pull = await reviewed(hob, patch())
    pull.review_comments[0].reply("ann", "@my-hob fix")
    await hob.works()
    (reply,) = suggestions(pull)
    assert reply.in_reply_to == pull.review_comments[0].id
    assert "Divides by three." in reply.body
    pull.apply_suggestion(reply)
    assert pull.text("tea.py") == BROKEN.replace("/ 0", "/ 3")


async def test_a_fix_of_other_lines_of_the_hunk_stands_on_these(hob: LivingHob) -> None:
    pull = await reviewed(hob, patch("water += 1\n", "water += 2\n    water += 3\n"))
    pull.review_comments[0].reply("ann", "@my-hob fix")
    await hob.works()
    (offered,) = suggestions(pull)
    assert offered.in_reply_to is None
    pull.apply_suggestion(offered)
    assert pull.text("tea.py") == BROKEN.replace("water += 1\n", "water += 2\n    water += 3\n")


async def test_fix_by_number_and_the_numbers_that_there_are(hob: LivingHob) -> None:
    pull = await reviewed(hob, patch())
    pull.comment("ann", "@my-hob fix 7")
    await hob.works()
    assert "Which finding do you mean?" in ours(pull)[-1]
    assert "1. **Division by zero** in `tea.py`" in ours(pull)[-1]
    pull.comment("ann", "@my-hob fix 1")
    await hob.works()
    (offered,) = suggestions(pull)
    pull.apply_suggestion(offered)
    assert pull.text("tea.py") == BROKEN.replace("/ 0", "/ 3")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (patch(path="pot.py"), "the fix needs other files too"),
        (patch(replace="water / ("), "the file would not parse"),
    ],
)
async def test_a_fix_that_cannot_be_offered_says_so(hob: LivingHob, edit: dict[str, Any], words: str) -> None:
    pull = await reviewed(hob, edit)
    pull.review_comments[0].reply("ann", "@my-hob fix")
    await hob.works()
    assert suggestions(pull) == []
    assert words in pull.review_comments[-1].body


async def test_A1_whoever_can_only_read_is_refused_and_so_is_who_code_allow_leaves_out(
    hob: LivingHob,
) -> None:
    pull = await reviewed(hob, patch())
    pull.review_comments[0].reply("eve", "@my-hob fix")
    await hob.works()
    assert "write permission" in pull.review_comments[-1].body
    pull.code.commit({".github/hob.yml": "code: {allow: admin}\n"})
    pull.review_comments[0].reply("ann", "@my-hob fix")
    await hob.works()
    assert "admin permission" in pull.review_comments[-1].body
    assert suggestions(pull) == []
    assert any(one.path.endswith("/collaborators/eve/permission") for one in hob.github.requests)


async def test_A8_no_fix_on_a_pull_request_from_a_fork(hob: LivingHob) -> None:
    pull = await reviewed(hob, patch(), fork=True)
    asked = len(hob.ollama.chats)
    pull.review_comments[0].reply("ann", "@my-hob fix")
    await hob.works()
    assert "comes from a fork" in pull.review_comments[-1].body
    assert len(hob.ollama.chats) == asked


async def test_A5_a_push_while_the_fix_is_written_ends_it(hob: LivingHob) -> None:
    pull = await reviewed(hob, patch())
    answers = hob.ollama.answer
    assert answers is not None

    def push_meanwhile(request: dict[str, Any]) -> Any:
        if "edits" in request["format"]["properties"]:
            pull.push({"pot.py": "nothing = 1\n"})
        return answers(request)

    hob.ollama.answer = push_meanwhile
    pull.review_comments[0].reply("ann", "@my-hob fix")
    await hob.works()
    assert suggestions(pull) == []
    assert "There was a push while I wrote the fix" in pull.review_comments[-1].body


async def test_X7_a_fix_that_would_break_its_fence_or_hide_characters_cannot(hob: LivingHob) -> None:
    pull = await reviewed(hob, patch(replace='water  # """```\u202e\n```\n@octo/admins'))
    pull.review_comments[0].reply("ann", "@my-hob fix")
    await hob.works()
    body = pull.review_comments[-1].body
    assert "```suggestion" not in body
    assert "\u202e" not in body
    assert "@octo/admins" not in " ".join(body.split("```")[::2]) or "````" in body
