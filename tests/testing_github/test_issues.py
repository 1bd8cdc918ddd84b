"""Issues as people and programs order them: types, milestones, assignees, sub-issues, dependencies."""

from bot.testing.github.state import EVENTS, PERMISSIONS
from bot.testing.github.world import stamp
from tests.testing_github.caller import with_token
from tests.testing_github.conftest import Tea


def told(tea: Tea, event: str = "issues") -> list[str | None]:
    """The actions that webhooks told, oldest first."""
    return [one.action for one in tea.gh.deliveries if one.event == event]


def test_an_issue_opened_by_a_program_has_what_it_asked_for(tea: Tea) -> None:
    tea.gh.set_issue_types("octo", "Bug", "Task")
    tea.repo.milestone("v1.0", due_on=2_000_000_000)
    tea.repo.grant("lisa", "triage")
    asked = {"title": "Cold", "body": "Brr", "labels": ["bug"], "type": "bug", "milestone": 1}
    made = tea.call("POST", f"{tea.path}/issues", asked | {"assignees": ["lisa", "stranger"]})
    assert (made.status, made.json["number"], made.json["user"]["login"]) == (201, 2, "hob[bot]")
    assert (made.json["type"]["name"], made.json["milestone"]["title"]) == ("Bug", "v1.0")
    assert [one["login"] for one in made.json["assignees"]] == ["lisa"]
    assert told(tea) == ["opened", "labeled", "assigned", "typed", "milestoned"]
    for wrong in ({"type": "Epic"}, {"milestone": 9}, {"title": " "}):
        assert tea.call("POST", f"{tea.path}/issues", {"title": "x"} | wrong).status == 422
    assert len(tea.repo.issues) == 2


def test_a_program_changes_what_it_names_and_nothing_else(tea: Tea) -> None:
    tea.gh.set_issue_types("octo", "Bug", "Task")
    issue = tea.repo.open_issue(
        "Cold", "Brr", labels=["bug"], kind="Bug", milestone="v1.0", assignees=["lisa"]
    )
    path = f"{tea.path}/issues/{issue.number}"
    before = len(tea.gh.deliveries)
    assert tea.call("PATCH", path, {"type": "Task"}).json["type"]["name"] == "Task"
    assert [one.action for one in tea.gh.deliveries[before:]] == ["untyped", "typed"]
    assert tea.gh.deliveries[-2].payload["type"]["name"] == "Bug"
    assert tea.call("PATCH", path, {"type": None, "milestone": None}).json["type"] is None
    assert (issue.label_names, issue.title, [one.login for one in issue.assignees]) == (
        ["bug"],
        "Cold",
        ["lisa"],
    )
    closed = tea.call("PATCH", path, {"state": "closed", "state_reason": "not_planned"}).json
    assert (closed["state"], closed["state_reason"]) == ("closed", "not_planned")
    assert tea.call("PATCH", path, {"state": "open"}).json["state_reason"] == "reopened"
    assert tea.call("PATCH", path, {"labels": ["question"], "body": "Hot"}).json["body"] == "Hot"
    assert issue.label_names == ["question"]


def test_lists_of_issues_are_narrowed_as_asked(tea: Tea) -> None:
    tea.gh.set_issue_types("octo", "Bug")
    one = tea.repo.open_issue("One", labels=["bug"], kind="Bug", milestone="v1.0", author="ann", at=1000)
    two = tea.repo.open_issue("Two", labels=["bug", "question"], assignees=["bob"], at=2000)
    for query, numbers in (
        ("labels=bug", [3, 2]), ("labels=bug,question", [3]), ("milestone=1", [2]),
        ("milestone=none", [1, 3]), ("milestone=*", [2]), ("assignee=bob", [3]),
        ("assignee=none&creator=ann", [2]), ("type=Bug", [2]),
        ("since=" + stamp(1500), [1, 3]), ("sort=created&direction=asc&since=" + stamp(10), [2, 3, 1]),
    ):  # fmt: skip
        listed = tea.call("GET", f"{tea.path}/issues?{query}").json
        assert [found["number"] for found in listed] == numbers, query
    assert (one.number, two.number) == (2, 3)


def test_comments_since_a_moment(tea: Tea) -> None:
    issue = tea.repo.open_issue("One")
    old, new = issue.comment("ann", "old"), issue.comment("ann", "new")
    old.created_at = old.updated_at = 1000
    path = f"{tea.path}/issues/{issue.number}/comments"
    assert [one["id"] for one in tea.call("GET", f"{path}?since={stamp(5000)}").json] == [new.id]


def test_sub_issues_have_one_parent_and_no_cycles(tea: Tea) -> None:
    assert tea.gh.app is not None
    tea.gh.app.events += ["sub_issues"]
    whole, part, other = (tea.repo.open_issue(title) for title in ("Whole", "Part", "Other"))
    path = f"{tea.path}/issues/{whole.number}"
    added = tea.call("POST", f"{path}/sub_issues", {"sub_issue_id": part.id})
    assert (added.status, added.json["sub_issues_summary"]["total"]) == (201, 1)
    assert told(tea, "sub_issues") == ["sub_issue_added", "parent_issue_added"]
    payload = tea.gh.deliveries[-1].payload
    assert (payload["sub_issue"]["number"], payload["parent_issue_id"]) == (part.number, whole.id)
    assert [one["number"] for one in tea.call("GET", f"{path}/sub_issues").json] == [part.number]
    below = f"{tea.path}/issues/{part.number}"
    assert tea.call("GET", f"{below}/parent").json["number"] == whole.number
    assert tea.call("GET", below).json["parent_issue_url"].endswith(f"/issues/{whole.number}")
    assert tea.call("POST", f"{below}/sub_issues", {"sub_issue_id": whole.id}).status == 422
    beside = f"{tea.path}/issues/{other.number}/sub_issues"
    assert tea.call("POST", beside, {"sub_issue_id": part.id}).status == 422
    assert tea.call("POST", beside, {"sub_issue_id": part.id, "replace_parent": True}).status == 201
    assert (whole.sub_issues, part.parent) == ([], other)
    gone = tea.call("DELETE", beside.removesuffix("s"), {"sub_issue_id": part.id})
    assert (gone.status, tea.call("GET", f"{below}/parent").status) == (200, 404)


def test_dependencies_are_told_from_both_ends(tea: Tea) -> None:
    assert tea.gh.app is not None
    tea.gh.app.events += ["issue_dependencies"]
    first, then = tea.repo.open_issue("First"), tea.repo.open_issue("Then")
    path = f"{tea.path}/issues/{then.number}/dependencies/blocked_by"
    assert tea.call("POST", path, {"issue_id": first.id}).status == 201
    assert tea.call("POST", path, {"issue_id": first.id}).status == 422
    assert told(tea, "issue_dependencies") == ["blocked_by_added", "blocking_added"]
    first.close("ann")
    summary = tea.call("GET", f"{tea.path}/issues/{then.number}").json["issue_dependencies_summary"]
    assert summary == {"blocked_by": 0, "blocking": 0, "total_blocked_by": 1, "total_blocking": 0}
    assert tea.call("DELETE", f"{path}/{first.id}").status == 200
    assert tea.call("GET", path).json == []


def test_a_locked_issue_takes_no_comment_of_a_program(tea: Tea) -> None:
    issue = tea.repo.open_issue("Hot")
    path = f"{tea.path}/issues/{issue.number}"
    assert tea.call("PUT", f"{path}/lock", {"lock_reason": "too heated"}).status == 204
    locked = tea.call("GET", path).json
    assert (locked["locked"], locked["active_lock_reason"]) == (True, "too heated")
    refused = tea.call("POST", f"{path}/comments", {"body": "hello"})
    assert (refused.status, "locked" in refused.json["message"]) == (403, True)
    assert tea.call("POST", f"{path}/labels", {"labels": ["bug"]}).status == 200
    assert tea.call("DELETE", f"{path}/lock").status == 204
    assert tea.call("POST", f"{path}/comments", {"body": "hello"}).status == 201
    assert {"locked", "unlocked"} < set(told(tea))


def test_a_transferred_issue_leads_to_where_it_went(tea: Tea) -> None:
    other = tea.gh.repository("octo/cups")
    other.open_issue("First there")
    issue = tea.repo.open_issue("Cold", labels=["bug", "only-here"], author="ann")
    said = issue.comment("ann", "brr")
    moved = tea.repo.transfer_issue(issue.number, other, "mona")
    assert [(one.action, one.payload["repository"]["name"]) for one in tea.gh.deliveries[-2:]] == [
        ("transferred", "tea"),
        ("opened", "cups"),
    ]
    assert tea.gh.deliveries[-2].payload["changes"]["new_issue"]["number"] == 2
    assert tea.gh.deliveries[-1].payload["changes"]["old_repository"]["name"] == "tea"
    for rest in ("", "/comments"):
        answer = tea.call("GET", f"{tea.path}/issues/{issue.number}{rest}")
        assert (answer.status, answer.headers["location"]) == (
            301,
            f"{tea.gh.api_url}/repos/octo/cups/issues/2{rest}",
        )
    assert [one["number"] for one in tea.call("GET", f"{tea.path}/issues?state=all").json] == [1]
    assert (moved.label_names, moved.comments) == (["bug"], [said])
    assert tea.call("GET", f"/repos/octo/cups/issues/comments/{said.id}").status == 200
    assert with_token(tea.gh, tea.repo.id)("GET", "/repos/octo/cups/issues/2").status == 404


def test_milestones_releases_and_types_are_listed(tea: Tea) -> None:
    tea.repo.milestone("later")
    tea.repo.milestone("v1.0", due_on=2_000_000_000, description="first")
    tea.repo.open_issue("One", milestone="v1.0").close("ann")
    tea.repo.close_milestone("later")
    (one,) = tea.call("GET", f"{tea.path}/milestones").json
    assert (one["title"], one["closed_issues"], one["due_on"]) == ("v1.0", 1, "2033-05-18T03:33:20Z")
    both = tea.call("GET", f"{tea.path}/milestones?state=all").json
    assert [found["title"] for found in both] == ["v1.0", "later"]
    assert tea.call("GET", f"{tea.path}/milestones/1").json["state"] == "closed"
    tea.repo.release("v0.9", body="Old", at=1000)
    tea.repo.release("v1.0", body="Fixes #1", prerelease=True, at=2000)
    tea.repo.release("v1.1", draft=True)
    listed = tea.call("GET", f"{tea.path}/releases").json
    assert [found["tag_name"] for found in listed] == ["v1.0", "v0.9"]
    assert tea.call("GET", f"{tea.path}/releases/tags/v1.0").json["prerelease"]
    assert tea.call("GET", f"{tea.path}/releases/tags/v1.1").status == 404
    assert tea.call("GET", f"{tea.path}/commits/v1.0").json["sha"] == tea.repo.git.resolve("main")
    tea.gh.set_issue_types("octo", "Bug", "Feature")
    assert [found["name"] for found in tea.call("GET", "/orgs/octo/issue-types").json] == ["Bug", "Feature"]
    assert tea.call("GET", "/orgs/nobody/issue-types").json == []


def test_what_a_deleted_account_wrote_has_no_author(tea: Tea) -> None:
    issue = tea.repo.open_issue("One", author="ann")
    said = issue.comment("ann", "two")
    tea.gh.delete_user("ann")
    assert tea.call("GET", f"{tea.path}/issues/{issue.number}").json["user"] is None
    assert tea.call("GET", f"{tea.path}/issues/comments/{said.id}").json["user"] is None


def test_people_order_issues_and_webhooks_tell_it(tea: Tea) -> None:
    tea.gh.set_issue_types("octo", "Bug")
    issue = tea.repo.open_issue("One", author="ann")
    before = len(tea.gh.deliveries)
    issue.set_type("mona", "Bug")
    issue.set_type("mona", "")
    issue.set_milestone("mona", tea.repo.milestone("v1"))
    issue.set_milestone("mona", None)
    issue.assign("mona", "lisa")
    issue.unassign("mona", "lisa")
    made = [one.action for one in tea.gh.deliveries[before:]]
    assert made == ["typed", "untyped", "milestoned", "demilestoned", "assigned", "unassigned"]
    payloads = [one.payload for one in tea.gh.deliveries[before:]]
    assert (payloads[0]["type"]["name"], payloads[2]["milestone"]["title"]) == ("Bug", "v1")
    assert (payloads[4]["assignee"]["login"], payloads[4]["sender"]["login"]) == ("lisa", "mona")
    assert payloads[5]["issue"]["assignees"] == []
    assert {"sub_issues", "issue_dependencies"}.isdisjoint(EVENTS)
    assert "issues" in PERMISSIONS
