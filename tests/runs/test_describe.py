"""`summary`, `describe`, and the walkthrough of a first review."""

from typing import Any

from bot.core.pr_description import BEGIN
from tests.living import DESCRIBED, LivingHob
from tests.runs.test_over_time import answers, asked, opened
from tests.runs.test_undo import BOT, words
from tests.tea import BROKEN, TEA


def mine(pull: Any) -> list[Any]:
    return [one for one in pull.comments if one.author.login == BOT]


async def test_a_summary_is_one_comment_with_the_files_folded_away(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.comment("mona", "/hob summary")
    await hob.works()
    (comment,) = mine(pull)
    head, _, below = words(comment.body).partition("<details>")
    assert f"as of `{pull.head_sha[:10]}`" in head
    assert "Brews stronger." in head
    assert below.startswith("\n<summary>More</summary>\n\n- `tea.py`: Divides by zero.")
    assert below.endswith("</details>")


async def test_the_next_summary_edits_it_and_undo_brings_the_old_text_back(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.comment("mona", "/hob summary")
    await hob.works()
    before = words(mine(pull)[0].body)
    answers(hob, describe={**DESCRIBED, "summary": "Breaks everything."})
    pull.comment("mona", "/hob summary")
    await hob.works()
    (comment,) = mine(pull)
    assert "Breaks everything." in comment.body
    pull.comment("mona", "/hob undo")
    await hob.works()
    assert words(comment.body) == before


async def test_a_summary_that_somebody_deleted_is_written_anew(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.comment("mona", "/hob summary")
    await hob.works()
    mine(pull)[0].delete("mona")
    pull.comment("mona", "/hob summary")
    await hob.works()
    assert len(mine(pull)) == 1


async def test_X2_X3_X4_what_a_model_folds_away_is_harmless(hob: LivingHob) -> None:
    evil = "</details> @octo/all ![x](http://evil/x) <img src=x> /merge fixes #1"
    answers(hob, describe={**DESCRIBED, "summary": evil, "files": [{"path": "tea.py", "what": evil}]})
    pull = opened(hob)
    await hob.works()
    pull.comment("mona", "/hob summary")
    await hob.works()
    body = mine(pull)[0].body
    assert body.count("</details>") == 1
    assert "<img" not in body
    assert "![x]" not in body
    assert " @octo/all" not in body.replace("`@octo/all`", "")


async def test_what_was_not_read_is_said(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob, **{"big.py": "".join(f"line_{n} = {n}\n" for n in range(3_000)), "a.lock": "x\n"})
    await hob.works()
    pull.comment("mona", "/hob summary")
    await hob.works()
    said = mine(pull)[0].body
    assert "Not read:" in said
    assert "`big.py`: read in part" in said


async def test_a_description_is_proposed_and_applied_only_when_somebody_says_so(hob: LivingHob) -> None:
    answers(hob)
    repo = hob.github.repository("octo/tea", private=True, files={"tea.py": TEA})
    repo.grant("mona", "triage")
    repo.label("bug")
    pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann", body="Fixes #7, says @ann.")
    await hob.works()
    pull.comment("mona", "/hob describe")
    await hob.works()
    proposed = mine(pull)[0].body
    assert "**Title**: Brew stronger tea" in proposed
    assert "`bug`" in proposed
    assert "none-such" not in proposed
    assert (pull.title, pull.label_names) == ("Brew", [])
    for _ in range(2):
        pull.comment("mona", "/hob describe apply")
        await hob.works()
    assert (pull.title, pull.label_names) == ("Brew stronger tea", ["bug"])
    assert pull.body.startswith("Fixes #7, says @ann.\n\n" + BEGIN)
    assert pull.body.count("The pot is **hotter** now.") == 1


async def test_A5_a_proposal_for_another_head_is_not_applied(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    pull.comment("mona", "/hob describe apply")
    await hob.works()
    assert "Nothing is proposed here yet" in pull.comments[-1].body
    pull.comment("mona", "/hob describe")
    await hob.works()
    pull.push({"pot.py": "pot = 1\n"})
    pull.comment("mona", "/hob describe apply")
    await hob.works()
    assert "There was a push since" in pull.comments[-1].body
    assert pull.title == "Brew"


async def test_a_model_that_fails_is_said_to_who_asked(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    hob.ollama.models.clear()
    pull.comment("mona", "/hob summary")
    pull.comment("mona", "/hob describe")
    await hob.works()
    assert all("I could not describe this change" in one.body for one in mine(pull))
    assert len(mine(pull)) == 2


async def test_a_walkthrough_is_posted_once_where_the_repository_wants_it(hob: LivingHob) -> None:
    answers(hob)
    files = {"tea.py": TEA, ".github/hob.yml": "review: {walkthrough: true}\n"}
    repo = hob.github.repository("octo/tea", private=True, files=files)
    pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
    await hob.works()
    assert "Brews stronger." in mine(pull)[0].body
    pull.push({"pot.py": "pot = 1\n"})
    await hob.works()
    assert len(mine(pull)) == 1
    assert len(asked(hob)) == 2


async def test_no_walkthrough_by_default(hob: LivingHob) -> None:
    answers(hob)
    pull = opened(hob)
    await hob.works()
    assert mine(pull) == []
