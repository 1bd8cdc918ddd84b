"""The stand-in's answers are GitHub's own, and what a caller misspells does not pass."""

import pytest

from bot.testing.github.ci import begin, set_status
from bot.testing.github.pages import Registered
from bot.testing.github.wire import ROUTES, match
from tests.fakes.contract import Contract
from tests.samples.webhooks import example_payloads
from tests.testing_github.caller import with_jwt, with_token
from tests.testing_github.conftest import Tea

QUERY = (
    "query($owner:String!,$name:String!){repository(owner:$owner,name:$name){"
    'a0:object(expression:"main:brew.py"){... on Blob{text isBinary isTruncated byteSize oid}}}}'
)


def test_every_route_answers_as_github_describes_it(tea: Tea, contract: Contract) -> None:
    call, as_app, path = tea.call, with_jwt(tea.gh), tea.path
    installation = next(iter(tea.gh.installations))
    mine = call(
        "POST", f"{path}/pulls/1/reviews", {"event": "COMMENT", "body": "hm", "comments": [_line(10)]}
    ).json
    comment = call("POST", f"{path}/issues/1/comments", {"body": "hello"}).json
    line = tea.pull.review_comments[0].id
    run = call("POST", f"{path}/check-runs", {"name": "Hob", "head_sha": tea.pull.head_sha}).json
    blob = tea.pull.files()[0].sha
    _work_with_issues(tea)
    _write_code(tea)
    told = {"path": "brew.py", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m"}
    ci = tea.repo.check_run(tea.pull.head_sha, "CI", told)
    suite = begin(tea.repo, tea.pull.head_sha, "test")
    suite.finish({"test": "Boom"})
    set_status(tea.repo, tea.pull.head_sha, "jenkins", "failure", "Red")
    left = tea.repo.upload("coverage", tea.pull.head_sha, {"lcov.info": "SF:brew.py"})
    for suffix in (
        "", "/labels", "/contents/brew.py?ref=main", "/contents/", f"/git/blobs/{blob}", "/commits/main",
            "/commits?path=brew.py&sha=main",
        "/pulls", "/pulls/1", "/pulls/1/files", "/pulls/1/commits", "/pulls/1/reviews", "/pulls/1/comments",
        f"/pulls/1/reviews/{mine['id']}", f"/pulls/1/reviews/{mine['id']}/comments",
        f"/pulls/comments/{line}", "/issues", "/issues/1", "/issues/1/comments", "/issues/1/events",
        "/issues/comments?sort=created&direction=desc&since=2026-01-01T00:00:00Z",
        "/pulls/comments?sort=created&direction=asc",
        "/issues/1/dependencies/blocked_by", "/issues/1/dependencies/blocking",
        f"/issues/comments/{comment['id']}", "/issues/1/labels", f"/check-runs/{run['id']}",
        f"/check-runs/{ci.id}/annotations",
        f"/commits/{tea.pull.head_sha}/check-runs?check_name=Hob&app_id=4242",
        "/actions/artifacts", f"/actions/jobs/{suite.runs[0].id}",
        f"/commits/{tea.pull.head_sha}/check-suites",
        "/collaborators/mona/permission", f"/compare/main...{tea.pull.head_sha}", ):  # fmt: skip
        assert call("GET", path + suffix).status == 200, suffix
    for subject in ("issues/1", f"issues/comments/{comment['id']}", f"pulls/comments/{line}"):
        new = call("POST", f"{path}/{subject}/reactions", {"content": "eyes"})
        assert (new.status, call("POST", f"{path}/{subject}/reactions", {"content": "eyes"}).status) == (
            201,
            200,
        )
        assert len(call("GET", f"{path}/{subject}/reactions").json) == 1
        assert call("DELETE", f"{path}/{subject}/reactions/{new.json['id']}").status == 204
    archive = call("GET", f"{path}/actions/artifacts/{left.id}/zip")
    assert (archive.status, f"/{left.id}?sig=" in archive.headers["location"]) == (302, True)
    log = call("GET", f"{path}/actions/jobs/{suite.runs[0].id}/logs")
    assert (log.status, "/_artifacts/logs/" in log.headers["location"]) == (302, True)
    for one in tea.gh.installations.values():
        one.permissions = {**one.permissions, "statuses": "read"}
    status = with_token(tea.gh, statuses="read")("GET", f"{path}/commits/{tea.pull.head_sha}/status").json
    assert (status["state"], status["statuses"][0]["context"]) == ("failure", "jenkins")
    done = {"status": "completed", "conclusion": "neutral", "output": {"title": "t", "summary": "s"}}
    assert call("PATCH", f"{path}/check-runs/{run['id']}", done).status == 200
    assert call("POST", f"{path}/pulls/1/comments/{line}/replies", {"body": "yes"}).status == 201
    assert call("PATCH", f"{path}/pulls/comments/{line}", {"body": "no"}).status == 200
    assert call("PATCH", f"{path}/issues/comments/{comment['id']}", {"body": "hi"}).status == 200
    assert call("DELETE", f"{path}/issues/comments/{comment['id']}").status == 204
    assert call("PUT", f"{path}/pulls/1/reviews/{mine['id']}", {"body": "hm!"}).status == 200
    asking = call("POST", f"{path}/pulls/1/reviews", {"event": "REQUEST_CHANGES", "body": "no"}).json["id"]
    dismissal = {"message": "mended", "event": "DISMISS"}
    for status in (200, 422):
        assert call("PUT", f"{path}/pulls/1/reviews/{asking}/dismissals", dismissal).status == status
    assert call("PATCH", f"{path}/pulls/1", {"title": "Brew it"}).status == 200
    own = call("GET", f"{path}/pulls/1/reviews/{mine['id']}/comments").json[0]["id"]
    assert call("DELETE", f"{path}/pulls/comments/{own}").status == 204
    assert call("POST", f"{path}/issues/1/labels", {"labels": ["bug"]}).status == 200
    assert call("DELETE", f"{path}/issues/1/labels/bug").status == 200
    assert (
        call("POST", "/graphql", {"query": QUERY, "variables": {"owner": "octo", "name": "tea"}}).status
        == 200
    )
    assert call("GET", "/rate_limit").status == 200
    delivery = tea.gh.deliveries[0].id
    for app_path in (
        "/app", "/app/installations", f"/app/installations/{installation}", f"{path}/installation",
        "/app/hook/config", "/app/hook/deliveries", f"/app/hook/deliveries/{delivery}",
    ):  # fmt: skip
        assert as_app("GET", app_path).status == 200, app_path
    assert as_app("POST", f"/app/hook/deliveries/{delivery}/attempts").status == 202
    assert with_token(tea.gh)("GET", "/installation/repositories?per_page=10").status == 200
    assert with_token(tea.gh)("DELETE", "/installation/token").status == 204
    tea.gh.registered["0dd"] = Registered({"name": "Hob", "default_events": []}, "octo", tea.gh.now())
    assert [call("POST", "/app-manifests/0dd/conversions").status for _ in range(2)] == [201, 404]
    contract.check()
    hit = {found[0] for one in tea.gh.requests if (found := match(one.method, one.path))}
    assert hit == set(ROUTES), "routes that this test forgot"


def _work_with_issues(tea: Tea) -> None:
    """Every route of tests/testing_github/test_issues.py once."""
    tea.gh.set_issue_types("octo", "Bug")
    tea.repo.milestone("v1")
    tea.repo.release("v0", body="Old")
    whole, part = (tea.repo.open_issue(title, author="ann") for title in ("Whole", "Part"))
    path = f"{tea.path}/issues/{whole.number}"
    made = tea.call("POST", f"{tea.path}/issues", {"title": "Cold", "type": "Bug", "milestone": 1})
    assert made.status == 201
    assert tea.call("PATCH", path, {"type": "Bug", "milestone": 1}).status == 200
    assert tea.call("PUT", f"{path}/lock", {"lock_reason": "spam"}).status == 204
    assert tea.call("DELETE", f"{path}/lock").status == 204
    assert tea.call("POST", f"{path}/sub_issues", {"sub_issue_id": part.id}).status == 201
    assert tea.call("POST", f"{path}/dependencies/blocked_by", {"issue_id": part.id}).status == 201
    below = f"{tea.path}/issues/{part.number}"
    for read in (
        path, f"{path}/sub_issues", f"{below}/parent", f"{path}/dependencies/blocked_by",
        f"{below}/dependencies/blocking", f"{tea.path}/milestones", f"{tea.path}/milestones/1",
        f"{tea.path}/releases", f"{tea.path}/releases/tags/v0", "/orgs/octo/issue-types",
    ):  # fmt: skip
        assert tea.call("GET", read).status == 200, read
    assert tea.call("DELETE", f"{path}/sub_issue", {"sub_issue_id": part.id}).status == 200
    assert tea.call("DELETE", f"{path}/dependencies/blocked_by/{part.id}").status == 200


def _write_code(tea: Tea) -> None:
    """Every route of bot/testing/github/rest/git_data.py once."""
    for one in tea.gh.installations.values():
        one.permissions = {**one.permissions, "contents": "write"}
    git, call = f"{tea.path}/git", with_token(tea.gh, contents="write", pull_requests="write")
    tip = call("GET", f"{git}/ref/heads/main").json["object"]["sha"]
    base = call("GET", f"{git}/commits/{tip}").json["tree"]["sha"]
    assert call("GET", f"{git}/trees/{base}?recursive=1").status == 200
    entries = [{"path": "new.py", "mode": "100644", "type": "blob", "content": "x = 1\n"}]
    tree = call("POST", f"{git}/trees", {"base_tree": base, "tree": entries}).json["sha"]
    made = call("POST", f"{git}/commits", {"message": "New", "tree": tree, "parents": [tip]}).json["sha"]
    assert call("POST", f"{git}/refs", {"ref": "refs/heads/new", "sha": made}).status == 201
    asked = {"title": "New", "head": "new", "base": "main", "draft": True}
    assert call("POST", f"{tea.path}/pulls", asked).status == 201
    assert call("PATCH", f"{git}/refs/heads/new", {"sha": made, "force": False}).status == 200
    assert call("DELETE", f"{git}/refs/heads/new").status == 204


def _line(number: int, body: str = "hm") -> dict[str, object]:
    return {"path": "brew.py", "line": number, "body": body}


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("/pulls/1/reviews", {"event": "COMMENT", "body": "x", "comment": []}, "comment"),
        (
            "/pulls/1/reviews",
            {"event": "COMMENT", "body": "x", "comments": [_line(10) | {"start": 9}]},
            "start",
        ),
        ("/pulls/1/reviews", {"event": "APPLAUD", "body": "x"}, "APPLAUD"),
        ("/pulls/1/reviews", {"event": "COMMENT", "body": 7}, "7"),
        ("/issues/1/comments", {"text": "x"}, "body"),
        ("/check-runs", {"name": "Hob", "head": "x"}, "head_sha"),
        ("/issues/1/reactions", {"content": "shrug"}, "shrug"),
    ],
)
def test_a_misspelt_or_mistyped_request_is_caught(
    tea: Tea, contract: Contract, path: str, body: object, complaint: str
) -> None:
    tea.call("POST", tea.path + path, body)
    assert any(complaint in problem for problem in contract.problems), contract.problems
    contract.problems.clear()


def test_a_misspelt_key_of_a_check_run_update_is_caught(tea: Tea, contract: Contract) -> None:
    run = tea.call("POST", f"{tea.path}/check-runs", {"name": "Hob", "head_sha": tea.pull.head_sha}).json
    contract.check()
    tea.call(
        "PATCH", f"{tea.path}/check-runs/{run['id']}", {"conclusion": "neutral", "outptu": {"summary": "s"}}
    )
    assert any("outptu" in problem for problem in contract.problems)
    contract.problems.clear()


def test_an_unknown_query_parameter_is_caught(tea: Tea, contract: Contract) -> None:
    tea.call("GET", f"{tea.path}/pulls/1/files?perpage=100")
    assert any("perpage" in problem for problem in contract.problems)
    contract.problems.clear()


def test_a_path_that_github_has_not_is_caught(tea: Tea, contract: Contract) -> None:
    assert tea.call("GET", f"{tea.path}/pull/1").status == 404
    assert any("no such operation" in problem for problem in contract.problems)
    contract.problems.clear()


def test_a_graphql_field_that_github_has_not_is_caught(tea: Tea, contract: Contract) -> None:
    variables = {"owner": "octo", "name": "tea"}
    tea.call("POST", "/graphql", {"query": QUERY.replace("isBinary", "isBinry"), "variables": variables})
    assert any("isBinry" in problem for problem in contract.problems)
    contract.problems.clear()
    tea.call("POST", "/graphql", {"query": QUERY, "variables": {**variables, "nmae": "tea"}})
    assert any("nmae" in problem for problem in contract.problems)
    contract.problems.clear()


def test_all_published_example_payloads_are_there() -> None:
    listed = example_payloads()
    assert len(listed) == 329
    assert {"pull_request", "issues", "issue_comment", "check_run"} <= {event for event, _, _ in listed}
    assert all(payload.get("action") == action for _, action, payload in listed)
