"""Deliveries taken apart."""

import json
from typing import Any

import pytest

from bot.core import events
from bot.core.errors import BadPayload
from bot.github.payloads import parse, routing

SHA = "a" * 40
DEEP = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
ODD = {
    "empty": b"",
    "text": b"hello",
    "not closed": b'{"action": "opened"',
    "an array": b"[]",
    "null": b"null",
    "a number": b"1",
    "100k deep": DEEP,
    "100k deep, not closed": b"[" * 100_000,
    "NaN": b'{"action": "opened", "number": NaN}',
    "Infinity": b'{"number": -Infinity}',
    "bad UTF-8": b'{"action": "\xff"}',
    "raw NUL": b'{"action": "a\x00"}',
    "two documents": b"{} {}",
}


def user(login: str = "octocat", kind: str = "User") -> dict[str, Any]:
    return {"login": login, "id": 1, "type": kind}


def delivery(action: str, **more: Any) -> dict[str, Any]:
    return {
        "action": action,
        "repository": {
            "id": 5,
            "name": "spoon",
            "full_name": "octo/spoon",
            "owner": {"login": "octo"},
            "private": False,
        },
        "sender": user(),
        "installation": {"id": 7},
        **more,
    }


def pull_request(**changes: Any) -> dict[str, Any]:
    pull = {
        "head": {"sha": SHA, "repo": {"id": 5}},
        "base": {"sha": "b" * 40, "ref": "main", "repo": {"id": 5}},
        "title": "Sharpen the spoon",
        "user": user(),
        "draft": False,
        "labels": [{"name": "tools"}],
    }
    return delivery("opened", number=3, pull_request={**pull, **changes})


def comment(action: str = "created", body: str = "@hob help", **more: Any) -> dict[str, Any]:
    issue = {"number": 3, "title": "t", "user": user("author"), "labels": []}
    return delivery(action, issue=issue, comment={"id": 9, "body": body, "user": user("asker")}, **more)


def read(event: str, body: dict[str, Any]) -> events.Event | None:
    return parse(event, "guid-1", json.dumps(body).encode())


def test_routing_tells_what_a_delivery_is_about() -> None:
    seen = routing(json.dumps(pull_request()).encode())
    assert seen.action == "opened"
    assert seen.installation and seen.installation.id == 7
    assert seen.repository and (seen.repository.id, seen.repository.full_name) == (5, "octo/spoon")
    assert seen.sender and (seen.sender.login, seen.sender.type) == ("octocat", "User")
    assert seen.target == 3


@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
def test_W8_a_body_that_is_no_json_object_is_refused_not_fatal(body: bytes) -> None:
    with pytest.raises(BadPayload):
        routing(body)
    with pytest.raises(BadPayload):
        parse("pull_request", "guid-1", body)


@pytest.mark.parametrize("name", ["number", "action"])
def test_W8_an_integer_of_5000_digits_crashes_nothing(name: str) -> None:
    first = b'"action": "opened", ' if name == "number" else b""
    huge = b"{" + first + b'"' + name.encode() + b'": ' + b"9" * 5_000 + b"}"
    with pytest.raises(BadPayload):
        routing(huge)
    with pytest.raises(BadPayload):
        parse("pull_request", "guid-1", huge)


def test_W8_ids_that_no_database_holds_are_refused() -> None:
    body = pull_request()
    body["repository"]["id"] = 2**63
    assert routing(json.dumps(body).encode()).repository is None
    with pytest.raises(BadPayload):
        read("pull_request", body)


def test_W8_nul_and_lone_surrogates_are_cleaned_from_text() -> None:
    event = read("pull_request", pull_request(title="a\0b\ud800c"))
    assert isinstance(event, events.PullRequestOpened)
    assert event.title == "ab\N{REPLACEMENT CHARACTER}c"


@pytest.mark.parametrize("event", ["", "a_future_event", "watch", "security_advisory"])
def test_W10_unknown_events_are_not_ours(event: str) -> None:
    assert read(event, {"action": "opened"}) is None
    assert parse(event, "guid-1", b"not even read") is None


@pytest.mark.parametrize("action", ["", "assigned", "enqueued_in_the_year_2030"])
def test_W10_unknown_actions_are_not_ours(action: str) -> None:
    assert read("pull_request", {**pull_request(), "action": action}) is None


def test_W10_future_values_in_fields_we_do_not_interpret_pass() -> None:
    body = pull_request(user=user(kind="Robot"), state="quantum", labels=[{"name": "x", "shape": []}])
    event = read("pull_request", body)
    assert isinstance(event, events.PullRequestOpened)
    assert event.author.type == "Robot"


def test_W10_an_event_of_tomorrow_with_other_types_is_still_routed() -> None:
    body = {"action": "sung", "number": "three", "issue": "x", "installation": {"id": 7}}
    seen = routing(json.dumps(body).encode())
    assert (seen.action, seen.target, seen.installation and seen.installation.id) == ("sung", None, 7)


@pytest.mark.parametrize(
    "spoil",
    [
        {"pull_request": None},
        {"number": "3"},
        {"repository": None},
        {"sender": {"login": 5}},
        {"installation": None},
        {"pull_request": {"title": 5}},
    ],
)
def test_a_body_that_is_not_what_its_event_promises_is_refused(spoil: dict[str, Any]) -> None:
    with pytest.raises(BadPayload):
        read("pull_request", {**pull_request(), **spoil})


@pytest.mark.parametrize("name", ["..", ".", "a/b", "a?b", "", "a b", "é"])
def test_a_repository_name_that_would_bend_a_url_is_refused(name: str) -> None:
    body = pull_request()
    body["repository"]["name"] = name
    with pytest.raises(BadPayload):
        read("pull_request", body)


@pytest.mark.parametrize("sha", ["HEAD", "a" * 39, "A" * 40, "a" * 40 + "\n"])
def test_a_head_that_is_no_commit_id_is_refused(sha: str) -> None:
    with pytest.raises(BadPayload):
        read("pull_request", pull_request(head={"sha": sha, "repo": {"id": 5}}))


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("opened", events.PullRequestOpened),
        ("reopened", events.PullRequestReopened),
        ("ready_for_review", events.PullRequestReadyForReview),
        ("synchronize", events.PullRequestSynchronized),
        ("closed", events.PullRequestClosed),
    ],
)
def test_each_action_has_its_kind(action: str, kind: type[events.Event]) -> None:
    event = read("pull_request", {**pull_request(), "action": action})
    assert type(event) is kind
    assert event.repo.installation == 7
    assert event.delivery == "guid-1"


@pytest.mark.parametrize(("repo", "fork"), [({"id": 5}, False), ({"id": 6}, True), (None, True)])
def test_a_fork_is_seen_even_when_it_is_gone(repo: dict[str, int] | None, fork: bool) -> None:
    event = read("pull_request", pull_request(head={"sha": SHA, "repo": repo}))
    assert isinstance(event, events.PullRequestOpened)
    assert event.from_fork is fork


@pytest.mark.parametrize(("repo", "fork"), [({"id": 5}, False), ({"id": 6}, True)])
def test_a_base_that_names_no_repository_is_in_that_of_the_delivery(repo: dict[str, int], fork: bool) -> None:
    base = {"sha": "b" * 40, "ref": "main"}
    event = read("pull_request", pull_request(base=base, head={"sha": SHA, "repo": repo}))
    assert isinstance(event, events.PullRequestOpened)
    assert event.from_fork is fork


def test_a_repository_that_does_not_say_so_is_private_and_a_missing_sender_the_ghost() -> None:
    body = pull_request(user={"login": "ann"})
    del body["sender"], body["repository"]["private"]
    event = read("pull_request", body)
    assert isinstance(event, events.PullRequestOpened)
    assert event.repo.private
    assert (event.sender.login, event.author.login) == ("ghost", "ann")


def test_a_deleted_account_is_the_ghost() -> None:
    event = read("pull_request", pull_request(user=None))
    assert isinstance(event, events.PullRequestOpened)
    assert event.author.login == "ghost"


def test_a_comment_says_who_asks_where_and_through_which_app() -> None:
    body = comment()
    body["issue"]["pull_request"] = {"url": "https://example.com"}
    body["comment"]["performed_via_github_app"] = {"id": 44}
    event = read("issue_comment", body)
    assert isinstance(event, events.IssueCommentCreated)
    assert (event.author.login, event.issue_author, event.app_id) == ("asker", "author", 44)
    assert event.on_pull_request
    assert event.previous_body is None


@pytest.mark.parametrize(
    ("changes", "previous"),
    [
        ({"body": {"from": "hello"}}, "hello"),
        ({}, "@hob help"),
        (None, "@hob help"),
        ({"body": {}}, "@hob help"),
    ],
)
def test_A2_an_edit_without_the_text_before_adds_nothing(changes: Any, previous: str) -> None:
    event = read("issue_comment", comment("edited", changes=changes))
    assert isinstance(event, events.IssueCommentEdited)
    assert event.previous_body == previous


def test_a_comment_on_a_line_knows_its_thread() -> None:
    body = delivery(
        "created",
        pull_request={"number": 3, "user": user("author")},
        comment={
            "id": 9,
            "body": "why?",
            "user": user(),
            "path": "a.py",
            "diff_hunk": "@@",
            "in_reply_to_id": 8,
        },
    )
    event = read("pull_request_review_comment", body)
    assert isinstance(event, events.ReviewCommentCreated)
    assert (event.path, event.diff_hunk, event.in_reply_to) == ("a.py", "@@", 8)
    assert event.on_pull_request


def test_the_text_of_a_submitted_review_is_a_comment_on_the_pull_request() -> None:
    pull = {"number": 3, "user": user("author")}
    review = {"id": 9, "body": "@hob help", "user": user("asker"), "state": "approved"}
    event = read("pull_request_review", delivery("submitted", pull_request=pull, review=review))
    assert isinstance(event, events.ReviewSubmitted)
    assert (event.number, event.body, event.author.login, event.issue_author) == (
        3, "@hob help", "asker", "author",
    )  # fmt: skip
    assert event.on_pull_request and event.previous_body is None
    silent = delivery("submitted", pull_request=pull, review={**review, "body": None})
    assert isinstance(read("pull_request_review", silent), events.ReviewSubmitted)
    assert read("pull_request_review", delivery("dismissed", pull_request=pull, review=review)) is None


def test_an_edited_review_tells_what_its_text_was() -> None:
    pull = {"number": 3, "user": user("author")}
    review = {"id": 9, "body": "@hob help", "user": user("asker"), "state": "approved"}
    told = {"pull_request": pull, "review": review}
    event = read("pull_request_review", delivery("edited", **told, changes={"body": {"from": "Hm."}}))
    assert isinstance(event, events.ReviewEdited)
    assert (event.body, event.previous_body, event.comment_id) == ("@hob help", "Hm.", 9)
    for unsaid in ({"changes": {}}, {}):
        event = read("pull_request_review", delivery("edited", **told, **unsaid))
        assert isinstance(event, events.ReviewEdited)
        assert event.previous_body == event.body


def pushed(ref: str, **more: Any) -> bytes:
    repository = {"id": 1, "name": "tea", "owner": {"login": "octo"}, "default_branch": "trunk"}
    told = {"ref": ref, "before": "a" * 40, "after": "b" * 40, "repository": repository}
    return json.dumps({**told, "installation": {"id": 7}, **more}).encode()


def test_a_push_to_the_default_branch_is_told_from_others() -> None:
    found = parse("push", "g", pushed("refs/heads/trunk", forced=True))
    assert isinstance(found, events.DefaultBranchPushed)
    assert (found.before, found.after, found.forced) == ("a" * 40, "b" * 40, True)
    for ref in ("refs/heads/main", "refs/tags/trunk", "refs/heads/trunk/x", "trunk"):
        assert type(parse("push", "g", pushed(ref))) is events.Pushed
    gone = parse("push", "g", pushed("refs/heads/x", after="0" * 40, deleted=True))
    assert isinstance(gone, events.Pushed)
    assert gone.deleted


def access(event: str, action: str, **more: Any) -> events.AccessEvent:
    account = {"login": "octo", "id": 1}
    told = {"action": action, "installation": {"id": 7, "account": account}, **more}
    found = parse(event, "g", json.dumps(told).encode())
    assert isinstance(found, events.AccessEvent)
    return found


def test_K2_whose_access_ended_is_read_from_deliveries_that_name_no_repository() -> None:
    listed = [{"id": 3, "full_name": "octo/tea", "private": True}]
    gone = access("installation", "deleted", repositories=listed)
    assert (gone.installation, gone.account, gone.whole) == (7, "octo", True)
    assert [(repo.id, repo.full_name, repo.installation) for repo in gone.repos] == [(3, "octo/tea", 7)]
    assert access("installation", "suspend").repos == ()
    removed = access("installation_repositories", "removed", repositories_removed=listed)
    assert (removed.whole, [repo.id for repo in removed.repos]) == (False, [3])


@pytest.mark.parametrize("name", ["octo", "a/b/c", "../x/y", "octo/te a", "", 7])
def test_a_listed_repository_whose_name_could_not_be_one_is_refused(name: object) -> None:
    with pytest.raises(BadPayload):
        access("installation", "deleted", repositories=[{"id": 3, "full_name": name}])


def check_run(external_id: Any, action: str = "requested_action", identifier: str = "review-all") -> bytes:
    run = {"head_sha": SHA, "external_id": external_id, "pull_requests": []}
    more = {"requested_action": {"identifier": identifier}} if action == "requested_action" else {}
    return json.dumps(delivery(action, check_run=run, **more)).encode()


def test_a_button_of_our_check_run_leads_to_its_pull_request() -> None:
    pressed = parse("check_run", "g", check_run(f"{'ab' * 20}#12"))
    assert isinstance(pressed, events.CheckRunRequested)
    assert (pressed.number, pressed.head_sha, pressed.everything) == (12, SHA, True)
    again = parse("check_run", "g", check_run(f"{'ab' * 20}#12", "rerequested"))
    assert isinstance(again, events.CheckRunRequested)
    assert not again.everything


@pytest.mark.parametrize(
    "external_id", [None, "", "ab" * 20, f"{'ab' * 20}#0", f"{'ab' * 20}#12x", f"x#{'9' * 400}", "a\nb#1"]
)
def test_W10_a_check_run_that_is_not_ours_is_ignored(external_id: Any) -> None:
    assert parse("check_run", "g", check_run(external_id)) is None


@pytest.mark.parametrize("action", ["created", "completed", "someday"])
def test_W10_what_else_happens_to_check_runs_is_ignored(action: str) -> None:
    assert parse("check_run", "g", check_run(f"{'ab' * 20}#12", action)) is None
    assert parse("check_run", "g", check_run(f"{'ab' * 20}#12", identifier="delete-all")) is None
