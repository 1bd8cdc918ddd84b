"""Issues are sorted: what people see of it, what it takes, and what it leaves alone."""

import json
from collections.abc import Sequence
from typing import Any

from bot.core.effects import KeepDraft
from bot.runs.effect_policy import load
from bot.testing.github.issues import Issue, IssueComment
from bot.testing.github.repository import Repository
from tests.living import LivingHob
from tests.runs.test_issues import triage
from tests.runs.test_settings import stored

ALWAYS = "issues: {comment: always}\n"
FORM = """
name: Bug
body:
  - type: markdown
    attributes: {value: Thanks}
  - type: input
    attributes: {label: Version}
    validations: {required: true}
  - type: textarea
    attributes: {label: What happened, render: shell}
    validations: {required: true}
  - type: dropdown
    attributes: {label: System, options: [Linux, macOS]}
  - type: checkboxes
    attributes: {label: Before you send, options: [{label: I looked, required: true}]}
"""
HALF = """### Version

_No response_

### What happened

```shell
### Version
boom
```

### System

Linux"""
TRACE = 'It burns:\n\n  File "/home/ann/app/src/kettle/boil.py", line 2, in boil\n'


def teapot(hob: LivingHob, config: str = "", **more: Any) -> Repository:
    files = {"README.md": "Tea", **({".github/hob.yml": config} if config else {}), **more.pop("files", {})}
    repo = hob.github.repository("octo/tea", files=files, **more)
    repo.grant("mona", "write")
    repo.grant("tom", "triage")
    return repo


def drafts(hob: LivingHob) -> Sequence[KeepDraft]:
    """What Hob keeps for people to post, oldest first."""
    runs = hob.services.store.runs.latest(500)[::-1]
    rows = (row for run in runs for row in hob.services.store.outbox.rows(run.id))
    effects = [load(row.kind, row.payload) for row in rows if row.kind == "KeepDraft"]
    return [one for one in effects if isinstance(one, KeepDraft)]


def reads(hob: LivingHob, after: int) -> list[str]:
    """What GitHub was asked, beside for tokens."""
    calls = [one for one in hob.github.requests[after:] if "token" not in one.path]
    return [one.path for one in calls if one.method == "GET" or one.path.endswith("/graphql")]


def ours(issue: Issue) -> list[str]:
    return [one.body for one in issue.comments if one.author.login == "my-hob[bot]"]


async def undoes(hob: LivingHob, issue: Issue, times: int) -> None:
    """The answer to `why` is the first thing that is taken back."""
    for _ in range(times):
        issue.comment("tom", "@my-hob undo")
        await hob.works()


async def test_a_stack_trace_leads_to_its_file_owner_label_and_type(hob: LivingHob) -> None:
    hob.github.set_issue_types("octo", "Bug", "Feature")
    files = {
        "src/kettle/boil.py": "def boil():\n    return 1 / 0\n",
        ".github/CODEOWNERS": "* @mona\nsrc/kettle/ @octo/kettles ann@example.org\n",
        ".github/hob/triage.md": "Everything about heat is urgent.",
    }
    repo = teapot(hob, ALWAYS, files=files)
    repo.label("area/kettle")
    hob.ollama.answer = triage(priority="urgent")
    issue = repo.open_issue("Kettle burns", TRACE, author="ann")
    before = len(hob.github.requests)
    (run,) = [run for run in await hob.works() if run.handler == "issues.triage"]
    assert issue.label_names == ["bug", "area/kettle"]
    assert issue.type is not None
    assert issue.type.name == "Bug"
    (said,) = ours(issue)
    assert "src/kettle/boil.py:2" in said
    assert "`octo/kettles`" in said
    assert "@octo" not in said
    shown = hob.ollama.chats[0]["messages"][1]["content"]
    assert "2:     return 1 / 0" in shown
    assert "Everything about heat is urgent." in shown
    assert len(reads(hob, before)) <= 4
    assert len(hob.ollama.chats) == 1
    assert run.state == "done"


async def test_what_people_changed_by_hand_stays_when_it_is_sorted_again(hob: LivingHob) -> None:
    hob.github.set_issue_types("octo", "Bug", "Feature")
    repo = teapot(hob)
    repo.label("area/web")
    hob.ollama.answer = triage(labels=["area/web"])
    issue = repo.open_issue("Kettle burns", "It burns.", author="ann")
    await hob.works()
    assert issue.label_names == ["bug", "area/web"]
    issue.remove_label("mona", "bug")
    issue.set_type("mona", "Feature")
    issue.edit("ann", body="It burns whenever the water is cold and the lid is open.")
    await hob.works()
    assert issue.label_names == ["area/web"]
    issue.set_type("mona", "")
    issue.comment("tom", "@my-hob triage")
    await hob.works()
    assert issue.label_names == ["area/web"]
    assert issue.type is None
    assert "There is nothing new to set." in ours(issue)[-1]
    chats = len(hob.ollama.chats)
    issue.edit("ann", body="It burns whenever the water is cold, and the lid is open!")
    issue.edit("ann", title="Kettle  burns")
    await hob.works()
    assert len(hob.ollama.chats) == chats


async def test_a_half_filled_form_is_asked_for_what_is_empty_and_once_ever(hob: LivingHob) -> None:
    repo = teapot(hob, ALWAYS, files={".github/ISSUE_TEMPLATE/bug.yml": FORM})
    repo.label("needs information")
    hob.ollama.answer = triage(missing=["the version", "which system", "a log"], reply="Which system is it?")
    issue = repo.open_issue("Kettle burns", HALF, author="ann")
    await hob.works()
    (said,) = ours(issue)
    assert "- `Version`\n- `Before you send`\n- a log" in said
    assert "ystem" not in said
    assert issue.label_names == ["bug", "needs information"]
    issue.edit("ann", body=HALF + "\n\nIt has burnt my hand, too, and the table.")
    issue.close("ann")
    issue.reopen("ann")
    await hob.works()
    issue.comment("tom", "/hob triage")
    await hob.works()
    assert len([one for one in ours(issue) if "it would help to know" in one]) == 1


async def test_an_answer_takes_the_label_off_and_sorting_goes_on_with_it(hob: LivingHob) -> None:
    repo = teapot(hob, ALWAYS)
    for name in ("status: needs info", "priority: high"):
        repo.label(name)
    hob.ollama.answer = triage(missing=["version"], reply="Which version is it?")
    issue = repo.open_issue("Kettle burns", "It burns.", author="ann")
    await hob.works()
    assert issue.label_names == ["bug", "status: needs info"]
    issue.comment("eve", "Me too")
    await hob.works()
    assert issue.label_names == ["bug", "status: needs info"]
    hob.ollama.answer = triage(priority="high", missing=["logs"], reply="And the logs?")
    issue.comment("ann", "It is 2.1")
    await hob.works()
    assert issue.label_names == ["bug", "priority: high"]
    assert "It is 2.1" in hob.ollama.chats[-1]["messages"][1]["content"]
    assert len(ours(issue)) == 1
    issue.comment("tom", "@my-hob why")
    await hob.works()
    told = ours(issue)[-1]
    assert "`status: needs info`: by rule, its author answered" in told
    assert "`priority: high`: its priority, said by the model `qwen2.5-coder:14b` on `mini`" in told
    await undoes(hob, issue, 2)
    assert issue.label_names == ["bug", "status: needs info"]


async def test_nothing_is_said_unasked_in_mention_and_all_of_it_is_kept_in_draft(hob: LivingHob) -> None:
    files = {"src/kettle/boil.py": "def boil():\n    return 1 / 0\n"}
    hob.ollama.answer = triage(missing=["version"], reply="Which version is it?")
    repo = teapot(hob, files=files)
    issue = repo.open_issue("Kettle burns", TRACE, author="ann")
    await hob.works()
    assert ours(issue) == []
    assert [(one.about, one.body) for one in drafts(hob)] == [("question", "Which version is it?")]
    issue.comment("tom", "@my-hob draft post")
    await hob.works()
    hob.ollama.answer = triage(priority="high")
    repo.label("priority: high")
    issue.comment("ann", "It is 2.1")
    issue.comment("ann", "On Linux")
    await hob.works()
    assert issue.label_names == ["bug", "priority: high"]
    assert len(hob.ollama.chats) == 2
    issue.comment("tom", "@my-hob triage")
    await hob.works()
    (asked, said) = ours(issue)
    assert "Which version" in asked
    assert said.startswith("I take this for a bug, of high priority. There is nothing new to set.")
    assert "src/kettle/boil.py:2" in said
    hob.ollama.answer = triage(missing=["version"], reply="Which version is it?")
    other = hob.github.repository(
        "octo/pot", files={**files, ".github/hob.yml": "issues: {comment: draft}\n"}
    )
    issue = other.open_issue("Kettle burns", TRACE, author="ann")
    await hob.works()
    assert ours(issue) == []
    assert "src/kettle/boil.py:2" in drafts(hob)[-1].body
    assert "Which version" in drafts(hob)[-1].body


async def test_a_report_of_a_weakness_is_pointed_to_the_policy_and_given_away_by_nothing(
    hob: LivingHob,
) -> None:
    repo = teapot(hob, ALWAYS, files={"SECURITY.md": "Write to us.", "src/login.py": "x = 1\n"})
    repo.label("area/login")
    hob.ollama.answer = triage(labels=["area/login"], priority="urgent")
    text = "An attacker can read every password by SQL injection in src/login.py:1: `' OR 1=1`"
    issue = repo.open_issue("SQL injection in the login", text, author="ann")
    await hob.works()
    (said,) = ours(issue)
    assert "SECURITY.md" in said
    assert not [word for word in ("SQL", "injection", "login", "attacker", "password", "1=1") if word in said]
    assert issue.labels == []
    assert hob.ollama.chats == []
    issue.edit("ann", body=text + " And every user's name, too, and all of their mails.")
    await hob.works()
    assert len(ours(issue)) == 1
    hob.ollama.answer = triage(security=True)
    suspected = repo.open_issue(
        "Strange login", "Could this be a vulnerability? See src/login.py", author="ann"
    )
    plain = repo.open_issue("Kettle burns", "It burns", author="ann")
    await hob.works()
    assert len(ours(suspected)) == 1
    assert suspected.labels == []
    assert plain.label_names == ["bug"]  # a model's word alone is not enough


async def test_status_follows_pull_requests_and_their_reverts(hob: LivingHob) -> None:
    repo = teapot(hob)
    for name in ("status: in progress", "Fixed", "needs review"):
        repo.label(name)
    issue = repo.open_issue("Kettle burns", "It burns.", author="ann")
    other = repo.open_issue("Pot leaks", "It leaks.", author="ann")
    await hob.works()
    pull = repo.open_pull_request(
        "Cool it", {"a.py": "x = 1\n"}, body=f"Fixes #{issue.number}", author="mona"
    )
    branch = repo.open_pull_request(
        "Seal it", {"b.py": "x = 1\n"}, branch=f"{other.number}-seal", author="mona"
    )
    await hob.works()
    assert issue.label_names == ["bug", "status: in progress"]
    assert other.label_names == ["bug", "status: in progress"]
    pull.merge("mona")
    branch.close("mona")
    await hob.works()
    assert issue.label_names == ["bug", "Fixed"]
    assert other.label_names == ["bug"]
    back = repo.open_pull_request(
        'Revert "Cool it"', {"a.py": "x = 2\n"}, body=f"Reverts octo/tea#{pull.number}", author="mona"
    )
    await hob.works()
    assert issue.label_names == ["bug", "Fixed"]
    back.merge("mona")
    await hob.works()
    assert issue.label_names == ["bug"]
    issue.comment("tom", "@my-hob why")
    await hob.works()
    assert f"`Fixed`: by rule, #{back.number} reverted the fix" in ours(issue)[-1].replace("`#", "#").replace(
        "` r", " r"
    )
    await undoes(hob, issue, 2)
    assert issue.label_names == ["bug", "Fixed"]


async def test_P4_strangers_pull_requests_move_few_issues_and_no_label_that_acts(hob: LivingHob) -> None:
    workflow = "on: {issues: {types: [labeled]}}\njobs: {a: {if: github.event.label.name == 'in progress'}}\n"
    repo = teapot(hob, files={".github/workflows/a.yml": workflow})
    for name in ("in progress", "wip", "fixed"):
        repo.label(name)
    issues = [repo.open_issue(f"Kettle {n}", "It burns.", author="ann") for n in range(7)]
    await hob.works()
    said = " ".join(f"fixes #{one.number}" for one in issues)
    repo.open_pull_request("All", {"a.py": "x\n"}, body=said, author="eve", fork=True)
    repo.open_pull_request("Elsewhere", {"b.py": "x\n"}, body="fixes #7", author="eve", base="dev")
    await hob.works()
    moved = [one for one in issues if "wip" in one.label_names]
    assert len(moved) == 5
    assert not [one for one in issues if {"in progress", "fixed"} & set(one.label_names)]
    assert {one.state for one in issues} == {"open"}


async def test_P4_a_strangers_pull_request_begins_no_work_on_what_is_closed(hob: LivingHob) -> None:
    repo = teapot(hob)
    repo.label("in progress")
    issue = repo.open_issue("Kettle burns", "It burns.", author="ann")
    await hob.works()
    issue.close("ann")
    body = f"Fixes #{issue.number}"
    pull = repo.open_pull_request("Cool it", {"a.py": "x = 1\n"}, body=body, author="eve", fork=True)
    await hob.works()
    assert issue.label_names == ["bug"]
    issue.reopen("ann")
    pull.close("eve")
    pull.reopen("eve")
    await hob.works()
    assert issue.label_names == ["bug", "in progress"]


async def test_a_deleted_author_a_locked_issue_a_closed_and_a_transferred_one(hob: LivingHob) -> None:
    repo = teapot(hob, ALWAYS)
    hob.ollama.answer = triage(missing=["version"], reply="Which version is it?")
    ghost = repo.open_issue("Kettle burns", "", author="gone")
    locked = repo.open_issue("Pot leaks", "It leaks.", author="ann")
    closed = repo.open_issue("Cup breaks", "It breaks.", author="ann")
    moved = repo.open_issue("Lid sticks", "It sticks.", author="ann")
    there = hob.github.repository("octo/pot")
    hob.github.delete_user("gone")
    locked.lock("mona")
    closed.close("ann")
    new = repo.transfer_issue(moved.number, there, "mona")
    runs = [run for run in await hob.works() if run.handler == "issues.triage"]
    assert {run.state for run in runs} <= {"done", "ignored"}
    assert (ghost.label_names, ours(ghost)) == (["bug"], [])
    assert (locked.label_names, ours(locked)) == (["bug"], [])
    assert any("locked: no comment" in run.summary for run in runs)
    assert (closed.label_names, ours(closed)) == ([], [])
    assert (moved.label_names, ours(moved)) == ([], [])
    assert (new.label_names, ours(new)) == (["bug"], [])  # by the settings of where it is now


async def test_a_long_issue_with_a_thousand_comments_is_read_in_few_calls(hob: LivingHob) -> None:
    repo = teapot(hob, ALWAYS)
    issue = repo.open_issue("Kettle burns", "🔥 src/a.py:1 " * 5_000, author="ann")
    issue.body = issue.body[:65_536]
    issue.comments += [IssueComment(issue, issue.author, f"more {n}") for n in range(1_000)]
    await hob.works()
    before = len(hob.github.requests)
    issue.comment("tom", "@my-hob triage")
    await hob.works()
    assert len(reads(hob, before)) <= 4
    assert issue.label_names == ["bug"]
    shown = hob.ollama.chats[-1]["messages"][1]["content"]
    assert "more 999" in shown
    assert len(shown) < 40_000
    assert len(json.dumps(shown)) < 200_000


async def test_an_organisations_settings_hold_in_all_its_repositories(hob: LivingHob) -> None:
    stored(hob, "org", "octo", issues__comment="always", issues__labels=["enhancement"])
    hob.ollama.answer = triage(labels=["enhancement"], missing=["version"], reply="Which version is it?")
    quiet = {".github/hob.yml": "issues: {comment: never}\n"}
    said = []
    for name, files in (("octo/tea", {}), ("octo/pot", {}), ("octo/cup", quiet)):
        issue = hob.github.repository(name, files={"a": "b", **files}).open_issue(
            "Kettle burns", author="ann"
        )
        await hob.works()
        assert issue.label_names == ["enhancement"]
        said.append(len(ours(issue)))
    assert said == [1, 1, 0]
    assert drafts(hob) == []


async def test_whoever_has_no_rights_has_nothing_sorted_again(hob: LivingHob) -> None:
    repo = teapot(hob)
    issue = repo.open_issue("Kettle burns", "It burns.", author="ann")
    await hob.works()
    issue.edit("eve", title="Something else altogether")
    issue.edit("my-hob[bot]", title="And now something else again")
    issue.comment("eve", "@my-hob triage")
    await hob.works()
    assert len(hob.ollama.chats) == 1
    assert "triage permission" in ours(issue)[-1]
    issue.edit("tom", title="Pot leaks and burns the table")
    await hob.works()
    assert len(hob.ollama.chats) == 2


async def test_a_github_that_knows_less_is_read_as_far_as_it_goes(hob: LivingHob) -> None:
    """An old server has no types; one whose GraphQL is of no use is asked by REST."""
    files = {".github/ISSUE_TEMPLATE/bug.yml": FORM, "src/kettle/boil.py": "x = 1\ny = 1 / 0\n"}
    repo = teapot(hob, ALWAYS, files=files)
    for number, lacking in enumerate(("Repository.issueTypes", "Repository.labels")):
        hob.github.lacking = {lacking}
        issue = repo.open_issue(f"Kettle {number}", f"{TRACE}\n\n{HALF}", author="ann")
        await hob.works()
        assert issue.label_names == ["bug"]
        assert "src/kettle/boil.py:2" in ours(issue)[0]
        assert "- `Version`" in ours(issue)[0]


async def test_why_tells_what_it_rests_on_and_undo_takes_all_of_it_back_for_good(hob: LivingHob) -> None:
    hob.github.set_issue_types("octo", "Bug")
    files = {"src/kettle/boil.py": "x = 1\ny = 1 / 0\n"}
    repo = teapot(hob, ALWAYS, files=files)
    repo.label("area/kettle")
    hob.ollama.answer = triage()
    issue = repo.open_issue("Kettle burns", TRACE, author="ann")
    await hob.works()
    issue.comment("tom", "@my-hob why")
    await hob.works()
    told = ours(issue)[-1]
    for line in (
        "- `bug`: its kind, said by the model `qwen2.5-coder:14b` on `mini`",
        "- `area/kettle`: by rule: the text names `src/kettle/boil.py`",
        "- `Bug`: its kind, said by the model",
        "- `src/kettle/boil.py:2`: named in the text",
    ):
        assert line in told
    await undoes(hob, issue, 2)
    assert (issue.label_names, issue.type) == ([], None)
    assert not [one for one in ours(issue) if "It leads to" in one]
    issue.comment("tom", "@my-hob triage")
    await hob.works()
    assert (issue.label_names, issue.type) == ([], None)
