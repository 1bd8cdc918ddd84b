"""What the dashboard issue finds in a repository that Hob knows."""

import re

from bot.testing.github.repository import Repository
from tests.living import LivingHob
from tests.runs.test_duplicates import NEW, OLD, hob, same
from tests.runs.test_nightly import DAY, EVENING, ours

__all__ = ["hob"]

LINES = "".join(f"line {n}\n" for n in range(30))
SETTINGS = "issues: {nightly: true, triage: false}\nreview: {auto: false}\n"


def repository(hob: LivingHob) -> Repository:
    files = {".github/hob.yml": SETTINGS, "a.txt": LINES, "b.txt": LINES}
    return hob.github.repository("octo/tea", private=True, files=files)


async def night(hob: LivingHob, repo: Repository) -> dict[str, list[str]]:
    """The sections of the dashboard issue and their lines."""
    await hob.works()
    await hob.works_at(EVENING)
    await hob.works_at(EVENING + DAY)
    (issue,) = ours(repo)
    text = issue.body.partition("\n\nA box that")[0].partition("\n\n`@")[0]
    parts = re.split(r"^### (.*)\n\n", text, flags=re.MULTILINE)
    return {title: text.strip().split("\n") for title, text in zip(parts[1::2], parts[2::2], strict=True)}


async def test_pull_requests_that_conflict_or_touch_the_same_are_named_with_paths(hob: LivingHob) -> None:
    repo = repository(hob)
    one = repo.open_pull_request("One", {"a.txt": LINES.replace("line 3\n", "one\n")}, author="ann")
    two = repo.open_pull_request("Two", {"a.txt": LINES.replace("line 3\n", "two\n")}, author="ann")
    three = repo.open_pull_request("`Three` @x", {"a.txt": LINES.replace("line 25\n", "x\n")}, author="ann")
    told = (await night(hob, repo))["Pull requests in each other's way"]
    assert told[0] == f"- `#{two.number}` `Two` will conflict with `#{one.number}` `One` in `a.txt`"
    assert len(told) == 3
    assert all(f"`#{three.number}` `` `Three` @x `` changes the same files as" in line for line in told[1:])


async def test_open_issues_that_were_merged_away_are_named_with_their_source(hob: LivingHob) -> None:
    repo = repository(hob)
    by_pull, by_commit, again, other = (repo.open_issue(f"Issue {n}", author="ann") for n in range(4))
    pull = repo.open_pull_request("Mend", {"c.txt": "1\n"}, author="ann", body=f"Fixes #{by_pull.number}")
    pull.merge("ann")
    sha = repo.commit({"d.txt": "1\n"}, f"Fix #{by_commit.number}: leak")
    repo.commit({"e.txt": "1\n"}, f"Fixes #{again.number}")
    for issue in (by_pull, by_commit):
        issue.state = "open"
    again.close("ann")
    again.reopen("ann")
    told = (await night(hob, repo))["Open, and probably fixed"]
    assert f"- `#{by_pull.number}` `Issue 0`: `#{pull.number}`, merged, says that it closes it" in told
    assert f"- `#{by_commit.number}` `Issue 1`: commit `{sha[:10]}` says that it fixes it" in told
    assert not [line for line in told if f"#{other.number}`" in line or f"#{again.number}`" in line]


async def test_reviews_that_nobody_goes_on_with_are_named_with_whom_they_wait_for(hob: LivingHob) -> None:
    repo = repository(hob)
    asked, wants, fresh, draft = (
        repo.open_pull_request(f"Pull {n}", {f"{n}.txt": "1\n"}, author="ann") for n in range(4)
    )
    for pull in (asked, fresh, draft):
        pull.ask_review("bob")
    draft.draft = True
    wants.review("cid", "No.", "CHANGES_REQUESTED")
    await hob.works()
    for pull in (asked, wants, draft):
        pull.updated_at -= 20 * 86_400
    told = (await night(hob, repo))["Reviews that nobody goes on with"]
    assert [line.partition(";")[0] for line in sorted(told)] == [
        f"- [ ] `#{asked.number}` `Pull 0`: a review is asked of `bob`",
        f"- [ ] `#{wants.number}` `Pull 1`: `cid` asks for changes",
    ]
    assert all(line.endswith("(20 days): `/hob catch-up`") for line in told)


async def test_questions_that_were_answered_since_are_named_with_a_box(hob: LivingHob) -> None:
    repo = repository(hob)
    repo.grant("tom", "triage")
    answered, stranger, open_still, settled = (repo.open_issue(f"Issue {n}", author="ann") for n in range(4))
    for issue, who in ((answered, "tom"), (stranger, "eve"), (open_still, "tom"), (settled, "tom")):
        issue.comment(who, "Which kettle is it?")
    for issue in (answered, stranger, settled):
        issue.comment("ann", "The red one. Is that bad?")
    settled.comment("tom", "I see.")
    told = await night(hob, repo)
    (line,) = told["Answered, and nobody has gone on"]
    assert line.startswith(f"- [ ] `#{answered.number}` `Issue 0`: `ann` has answered `tom` on ")
    assert line.endswith("`/hob triage`")
    assert any("new issue of `ann`" in line for line in told["How it stands"])


async def test_issues_that_say_the_same_are_one_line_with_a_box(hob: LivingHob) -> None:
    repo = repository(hob)
    first = repo.open_issue(*OLD, author="bob")
    repo.open_issue("Teapot is too small", "Only one cup.", author="bob")
    second = repo.open_issue(*NEW, author="eve")
    hob.ollama.answer = same()
    (line,) = (await night(hob, repo))["The same?"]
    assert line.startswith(
        f"- [ ] `#{first.number}` `{OLD[0]}`, `#{second.number}` `{NEW[0]}`: a model says so"
    )
    assert line.endswith("`/hob duplicates`")
    assert {one.state for one in repo.issues.values()} == {"open"}


async def test_P4_a_model_that_calls_everything_the_same_without_quoting_makes_no_pair(
    hob: LivingHob,
) -> None:
    repo = repository(hob)
    for n in range(15):
        repo.open_issue(f"Kettle {n} leaks", f"It burns at {n} degrees when the kettle boils.", author="eve")
    hob.ollama.answer = same(new="ignore all that", old="ignore all that")
    await hob.works()
    await hob.works_at(EVENING)
    before = len(hob.ollama.requests)
    await hob.works_at(EVENING + DAY)
    assert not [line for one in ours(repo) for line in one.body.split("\n") if "a model says" in line]
    asked = [one for one in hob.ollama.requests[before:] if one.path == "/api/chat"]
    assert len(asked) <= 10


async def test_P2_a_report_of_a_weakness_is_named_as_nobodys_duplicate(hob: LivingHob) -> None:
    repo = repository(hob)
    repo.open_issue(*OLD, author="bob")
    repo.open_issue(NEW[0], f"{NEW[1]} By SQL injection an attacker can do so: remote code execution.")
    for title in ("One", "Two"):
        repo.open_pull_request(title, {"a.txt": LINES.replace("line 3\n", title)}, author="ann")
    hob.ollama.answer = same()
    assert "The same?" not in await night(hob, repo)
