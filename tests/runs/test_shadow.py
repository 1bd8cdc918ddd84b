"""Shadow mode: reviews are made and kept, nothing is posted, and a report tells what they would have said."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.finding_outcome import Followed
from bot.core.findings import Finding
from bot.core.shadow import Kept, ShadowReport, markdown
from bot.runs.shadow import Week, report_of, write_reports
from bot.testing.github.pulls import PullRequest
from tests.living import LivingHob
from tests.runs.test_over_time import POT, answers, asked
from tests.tea import BROKEN, TEA

EVER = 4_000_000_000.0
SHADOW = {"tea.py": TEA, ".github/hob.yml": "review: {shadow: true, walkthrough: true}\n"}


def shadowed(hob: LivingHob) -> PullRequest:
    answers(hob)
    repo = hob.github.repository("octo/tea", private=True, files=SHADOW)
    repo.grant("mona", "triage")
    return repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")


def written(hob: LivingHob) -> list[str]:
    """What was written on GitHub, tokens aside."""
    return [one.path for one in hob.github.writes() if "access_tokens" not in one.path]


async def test_nothing_is_written_on_github_and_the_review_is_kept(hob: LivingHob) -> None:
    pull = shadowed(hob)
    run = next(one for one in await hob.works() if one.handler == "pull_requests.judge")
    assert [path for path in written(hob) if "/repos/" in path] == []
    assert (pull.reviews, pull.check_runs, pull.comments) == ([], [], [])
    rows = hob.services.store.outbox.rows(run.id)
    assert [(row.kind, row.state) for row in rows] == [
        ("PostReview", "shadow"),
        ("SetCheck", "shadow"),
        ("Comment", "shadow"),
    ]
    assert run.state == "done"


async def test_a_push_is_read_as_if_the_first_review_stood_there(hob: LivingHob) -> None:
    pull = shadowed(hob)
    await hob.works()
    before = len(asked(hob))
    pull.push({"pot.py": POT})
    await hob.works()
    (prompt,) = asked(hob)[before:]
    assert "return water / 0" not in prompt
    report = await report_of(hob.services, "octo/tea", 0, EVER)
    assert [[one.finding.path for one in kept.followed] for kept in report.reviews] == [
        ["tea.py"],
        ["pot.py"],
    ]


async def test_the_report_tells_which_findings_later_commits_changed(hob: LivingHob) -> None:
    pull = shadowed(hob)
    await hob.works()
    pull.push({"pot.py": POT, "tea.py": TEA})
    await hob.works()
    report = await report_of(hob.services, "octo/tea", 0, EVER)
    text = markdown(report)
    assert "- 2 reviews of 1 pull request\n" in text
    assert "- 2 findings: 2 major" in text
    assert "- 1 changed later, 1 still there" in text
    assert "From 1970-01-01 up to 2096-10-02." in text
    assert sum(kept.tokens_in for kept in report.reviews) > 0


async def test_once_it_is_turned_off_the_same_head_is_reviewed_for_all_to_see(hob: LivingHob) -> None:
    pull = shadowed(hob)
    await hob.works()
    pull.comment("mona", "/hob review")
    await hob.works()
    assert [one.path for one in pull.review_comments] == ["tea.py"]
    assert len(pull.check_runs) == 1


def monday_after(now: datetime) -> datetime:
    """Two in the night to the next Monday, and a little."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=7 - now.weekday(), hours=2, minutes=1)


async def test_the_weekly_report_is_a_run_of_its_own_and_written_once(hob: LivingHob) -> None:
    shadowed(hob)
    now = datetime.now(UTC)
    await hob.works_at(now)
    later = monday_after(now)
    await hob.works_at(later)
    (run,) = [one for one in await hob.works_at(later) if one.handler == "shadow-report"]
    assert (run.state, run.summary) == ("done", "1 written")
    (file,) = (hob.services.config.hob.data_dir / "shadow").glob("*/*")
    assert file.parent.name == Week.before(later).name
    assert file.name == "octo--tea.md"
    assert "# What Hob would have said in octo/tea" in file.read_text()
    assert await write_reports(hob.services, later.timestamp()) == []


async def test_a_report_that_GitHub_kept_back_is_written_by_another_attempt(hob: LivingHob) -> None:
    shadowed(hob)
    now = datetime.now(UTC)
    await hob.works_at(now)
    hob.github.fault("GET", "/repos/octo/tea/installation", kind="answer", times=20)
    await hob.works_at(monday_after(now))
    (run,) = [one for one in await hob.works() if one.handler == "shadow-report"]
    assert run.state == "queued"


async def test_a_report_of_a_week_in_which_Hob_went_down_is_written_when_it_is_back(hob: LivingHob) -> None:
    shadowed(hob)
    await hob.works()
    later = datetime.now(UTC) + timedelta(days=20)
    (file,) = await write_reports(hob.services, later.timestamp())
    assert file.parent.name == Week.before(datetime.now(UTC), 0).name


async def test_a_repository_that_is_gone_keeps_no_other_from_its_report(hob: LivingHob) -> None:
    shadowed(hob)
    await hob.works()
    hob.github.repositories.pop("octo/tea")
    later = datetime.now(UTC) + timedelta(days=7)
    assert await write_reports(hob.services, later.timestamp()) == []


@pytest.mark.parametrize(
    ("now", "name"), [("2026-11-27", "2026-W47"), ("2027-01-04", "2026-W53"), ("2026-11-30", "2026-W48")]
)
def test_a_week_begins_on_monday_and_is_over_on_the_next(now: str, name: str) -> None:
    assert Week.before(datetime.fromisoformat(now).replace(tzinfo=UTC)).name == name


def test_X2_what_a_finding_says_cannot_leave_its_cell() -> None:
    evil: Any = "x` | <script>\n# @all"
    finding = Finding(
        path=evil, quote="x", severity="major", category="bug", title=evil, body="", confidence=1.0
    )
    text = markdown(ShadowReport("octo/tea", 0, 1, (Kept(1, "a" * 40, (Followed(finding, "unknown"),)),)))
    (row,) = [line for line in text.splitlines() if line.startswith("| #1")]
    assert row.count("|") == 7
    assert "<script>" not in text
    assert "\n# @all" not in text
