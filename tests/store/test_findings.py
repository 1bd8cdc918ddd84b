"""What reviews judged, and what issues are called, as people look them up."""

import json
import time

import pytest

from bot.core.findings import Finding, JudgedFinding, fingerprint
from bot.core.inference import ModelCall
from bot.core.memory import dismissal
from bot.core.refs import IssueTitle, Login, RepoRef
from bot.github.issue_title import issue_title
from bot.store import Store
from bot.store.findings import FindingGroup, FindingQuery
from bot.store.known_issues import IssueQuery, learn

REPO = RepoRef("acme", "shop", 7, 1)


def found(title: str, **more: object) -> Finding:
    values: dict[str, object] = {"path": "src/a.py", "severity": "major", "category": "bug", "body": "It is."}
    return Finding(title=title, **{**values, **more})  # type: ignore[arg-type]


def titles(store: Store, **query: object) -> list[str]:
    return [one.title for one in store.findings.page(FindingQuery(**query), None, 50)]  # type: ignore[arg-type]


def test_what_a_run_judged_is_kept_once_and_found_by_what_it_is(store: Store) -> None:
    judged = [
        JudgedFinding(found("Loses the last row", line=3)),
        JudgedFinding(found("Unused import", source="ruff", category="F401", severity="nit")),
        JudgedFinding(found("100% sure\0 of nothing_here"), "refused", "quoting code that is not there"),
    ]
    for _ in range(2):  # a run that is resumed tells it again
        store.findings.add(1, REPO.id, 12, "a" * 40, "qwen", judged)
    store.findings.add(2, REPO.id, 13, "b" * 40, "qwen", [JudgedFinding(found("Another"))])
    assert titles(store) == ["Another", "100% sure of nothing_here", "Unused import", "Loses the last row"]
    assert titles(store, state="refused") == ["100% sure of nothing_here"]
    assert titles(store, number=12, source="ruff") == ["Unused import"]
    assert titles(store, severity="nit") == ["Unused import"]
    assert titles(store, run_id=2) == ["Another"]
    assert titles(store, words="LAST src/a.py") == ["Loses the last row"]
    assert titles(store, words="100% _here") == ["100% sure of nothing_here"]
    assert titles(store, words="%o% s_r") == []
    assert titles(store, repo="acme/other") == []
    store.findings.add(3, 8, 13, "c" * 40, "qwen", [JudgedFinding(found("In another repository"))])
    assert titles(store, repo_id=REPO.id, number=13) == ["Another"]
    assert titles(store, repo_id=8) == ["In another repository"]
    (newest,) = store.findings.page(FindingQuery(repo_id=REPO.id), None, 1)
    assert [one.title for one in store.findings.page(FindingQuery(), newest.id, 1)] == [
        "100% sure of nothing_here"
    ]
    assert [one.model for one in store.findings.page(FindingQuery(number=12), None, 9)] == [
        "qwen",
        "",
        "qwen",
    ]


def test_what_was_fixed_dismissed_or_disliked_is_counted_and_a_thumb_dismisses_nothing(store: Store) -> None:
    gone, unwanted, stays = found("Gone", line=1), found("Unwanted", line=2), found("Stays", line=3)
    store.findings.add(1, REPO.id, 12, "a" * 40, "qwen", [*map(JudgedFinding, (gone, unwanted, stays))])
    store.findings.add(2, REPO.id, 12, "b" * 40, "qwen", [], fixed=[fingerprint(gone)])
    store.findings.opinions(REPO.id, 12, [(fingerprint(stays), 1, 2)])
    lesson = dismissal(unwanted, "by design", Login("ann"), 12)
    with store.database.write() as connection:
        store.memory.remember(connection, REPO, lesson, None)
    outcomes = {one.title: one.outcome for one in store.findings.page(FindingQuery(), None, 9)}
    assert outcomes == {"Gone": "fixed", "Unwanted": "dismissed", "Stays": ""}
    assert titles(store, outcome="") == ["Stays"]
    assert store.findings.groups("source", FindingQuery()) == [FindingGroup("model", 3, 1, 1, 1, 2)]
    (week,) = store.findings.groups("week", FindingQuery())
    assert 0 <= time.time() - float(week.value) < 7 * 86_400
    assert time.gmtime(float(week.value)).tm_wday == 0
    store.memory.forget(REPO.id, 1)
    assert titles(store, outcome="dismissed") == []


def test_a_run_that_marks_as_fixed_leaves_what_it_says_itself(store: Store) -> None:
    again = found("Comes back", line=1)
    store.findings.add(1, REPO.id, 12, "a" * 40, "qwen", [JudgedFinding(again)], fixed=[fingerprint(again)])
    assert titles(store, outcome="fixed") == []


def test_an_issue_is_called_what_the_latest_delivery_calls_it(store: Store) -> None:
    def told(at: float, *titled: IssueTitle) -> None:
        with store.database.write() as connection:
            learn(store.database, connection, [(REPO.id, at, one) for one in titled])

    told(20.0, IssueTitle(3, False, "Renamed", "ann", "closed"), IssueTitle(4, True, "Add tea", "bo"))
    told(10.0, IssueTitle(3, False, "First name", "ann"))
    found = store.issues.get(REPO.id, 3)
    assert found is not None
    assert (found.title, found.state) == ("Renamed", "closed")
    told(30.0, IssueTitle(4, True, "Add tea\0", "bo", "merged"))
    assert [one.number for one in store.issues.page(IssueQuery(is_pull=True, words="TEA"), None, 9)] == [4]
    assert store.issues.page(IssueQuery(is_pull=False, state="open"), None, 9) == []
    told(30.0, *(IssueTitle(n, False, f"Issue {n}", "ann") for n in range(10, 20)))
    seen: list[int] = []
    before = None
    while page := store.issues.page(IssueQuery(is_pull=False), before, 4):
        seen += [one.number for one in page]
        before = (page[-1].changed_at, page[-1].repo_id, page[-1].number)
    assert seen == [*range(19, 9, -1), 3]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"issue": {"number": 3, "title": "A", "user": {"login": "ann"}}}, IssueTitle(3, False, "A", "ann")),
        ({"issue": {"number": 3, "title": "A\0", "pull_request": {}, "state": "closed"}},
         IssueTitle(3, True, "A", "", "closed")),
        ({"pull_request": {"number": 4, "title": "B", "state": "closed", "merged": True, "user": None}},
         IssueTitle(4, True, "B", "", "merged")),
        ({"issue": {"number": "3", "title": "A"}}, None),
        ({"issue": None}, None),
        ([], None),
    ],
)  # fmt: skip
def test_a_delivery_tells_what_its_issue_is_called(body: object, told: IssueTitle | None) -> None:
    assert issue_title(json.dumps(body).encode()) == told


def test_what_was_asked_and_answered_is_kept_without_credentials(store: Store) -> None:
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    said = (("system", "Be kind."), ("user", f"key = '{token}'"), ("assistant", "{}"))
    call = ModelCall(1.0, "review", "review", "mini", "qwen", said=said)
    store.calls.add(5, "acme/shop", [call, ModelCall(2.0, "verify", "review", "mini", "qwen")])
    kept = store.calls.said(5, 0)
    assert kept[0] == ("system", "Be kind.")
    assert kept[2] == ("assistant", "{}")
    assert token not in str(kept)
    assert store.calls.said(5, 1) == ()
    assert store.calls.said(5, 9) == ()
    assert store.calls.of_run(5)[0].said == ()
