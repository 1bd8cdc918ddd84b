"""`standup`: what moved, what is stuck, who is asked, told without a model."""

from bot.testing.github.issues import Issue
from bot.testing.github.repository import Repository
from tests.living import LivingHob
from tests.tea import BROKEN, TEA

DAY = 86_400


def tea(hob: LivingHob) -> Repository:
    repo = hob.github.repository("octo/tea", files={"tea.py": TEA})
    repo.grant("tom", "triage", association="MEMBER")
    return repo


def at(hob: LivingHob, days: float) -> None:
    hob.github.clock_offset = -days * DAY


async def told(hob: LivingHob, issue: Issue, text: str = "@my-hob standup", who: str = "tom") -> str:
    at(hob, 0)
    await hob.works()
    issue.comment(who, text)
    await hob.works()
    assert issue.comments[-1].author.login == "my-hob[bot]"
    return issue.comments[-1].body.partition("<!--")[0].strip()


async def some_weeks(hob: LivingHob) -> tuple[Repository, Issue]:
    repo = tea(hob)
    at(hob, 30)
    kettle = repo.open_issue("Kettle", "Burns.", author="ann")
    tray = repo.open_issue("Tray", "Wobbles.", author="ann")
    tray.assign("tom", "bob")
    kettle.block(tray)
    milestone = repo.milestone("v1.0")
    kettle.set_milestone("tom", milestone)
    at(hob, 12)
    pull = repo.open_pull_request("Brew @octo/team", {"tea.py": BROKEN}, author="ann", draft=True)
    at(hob, 5)
    pull.comment("eve", "@ann, does this still brew?")
    at(hob, 2)
    kettle.close("ann")
    await hob.works()
    return repo, tray


async def test_what_moved_what_is_stuck_who_is_asked(hob: LivingHob) -> None:
    _, tray = await some_weeks(hob)
    chats = len(hob.ollama.chats)
    said = await told(hob, tray)
    moved, rest = said.split("Can start now:")
    ready, rest = rest.split("Waits for an answer:")
    assert "- `#1` Kettle: done" in moved
    assert "`#2` Tray: what it waited for is done: `#1`" in ready
    assert "`#3` Brew `@octo/team`: `eve` asked `ann`, since " in rest and "(5 days)" in rest
    assert len(hob.ollama.chats) == chats, "no model is asked"
    assert "Kettle" in await told(hob, tray, "@my-hob standup v1.0 since 3 days")
    assert "no time" not in await told(hob, tray, "@my-hob standup since 1 day")
    await told(hob, tray, "@my-hob undo")


async def test_bad_input_is_told(hob: LivingHob) -> None:
    _, tray = await some_weeks(hob)
    assert "in the future" in await told(hob, tray, "@my-hob standup since 2999-01-01")
    assert "I find nothing in a milestone named `v9 <b>`" in await told(hob, tray, "@my-hob standup v9 <b>")
    assert "triage permission" in await told(hob, tray, who="eve")


async def test_free_text_gets_a_standup(hob: LivingHob) -> None:
    _, tray = await some_weeks(hob)
    assert (await told(hob, tray, "@my-hob Wie ist der Stand der Dinge?")).startswith("**Standup**")


async def test_what_is_asked_of_hob_waits_for_no_answer(hob: LivingHob) -> None:
    repo = tea(hob)
    issue, other = (
        repo.open_issue("Kettle", "Burns.", author="ann"),
        repo.open_issue("Pot", "Drips.", author="ann"),
    )
    issue.comment("bob", "@ann, since when?")
    issue.comment("tom", "@my-hob was this reported before?")
    other.comment("tom", "/hob blockers #1 ?")
    said = await told(hob, issue)
    assert "`bob` asked `ann`" in said, "the question before it still waits"
    assert "`tom` asked" not in said and "my-hob" not in said and "a question of" not in said
