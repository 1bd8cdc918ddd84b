"""Who may do what: JWTs, tokens, permissions, other people's repositories."""

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.testing.github import GitHubStandIn
from tests.fakes.contract import Contract
from tests.testing_github.caller import Caller, with_jwt, with_token
from tests.testing_github.conftest import Tea

REVIEW = {"event": "COMMENT", "body": "Looked."}


def test_a_token_is_narrowed_shaped_and_dated_like_githubs(tea: Tea) -> None:
    installation = next(iter(tea.gh.installations))
    asked = {"repository_ids": [tea.repo.id], "permissions": {"contents": "read"}}
    reply = with_jwt(tea.gh)("POST", f"/app/installations/{installation}/access_tokens", asked)
    assert reply.status == 201
    assert reply.json["permissions"] == {"contents": "read", "metadata": "read"}
    assert [repo["full_name"] for repo in reply.json["repositories"]] == ["octo/tea"]
    token = reply.json["token"]
    assert token.startswith(f"ghs_{tea.gh.app.id if tea.gh.app else 0}_")
    assert 480 < len(token) < 560
    assert tea.gh.mints()[-1].json == asked


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"issued": 30}, "iat"),
        ({"expires": -1}, "exp"),
        ({"expires": 700}, "too far"),
    ],
)
def test_K3_a_jwt_must_be_fresh_and_short(tea: Tea, claims: dict[str, float], words: str) -> None:
    reply = with_jwt(tea.gh, **claims)("GET", "/app")
    assert reply.status == 401
    assert words in reply.json["message"]


@pytest.mark.parametrize("minutes", [15, -15])
def test_R9_a_wrong_clock_refuses_jwts_and_says_its_time(tea: Tea, minutes: int) -> None:
    tea.gh.clock_offset = minutes * 60
    reply = with_jwt(tea.gh)("GET", "/app")
    assert reply.status == 401
    assert "date" in reply.headers
    right = with_jwt(tea.gh, issued=minutes * 60 - 60, expires=minutes * 60 + 540)
    assert right("GET", "/app").status == 200


def test_a_jwt_signed_by_another_key_or_garbage_is_refused(tea: Tea) -> None:
    foreign = generate_private_key(public_exponent=65537, key_size=2048)
    pem = foreign.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert with_jwt(tea.gh, key=pem)("GET", "/app").status == 401
    for credential in ("a.b.c", "nonsense", "ghs_nobody", ""):
        assert Caller(tea.gh, credential)("GET", "/app").status == 401
        assert Caller(tea.gh, credential)("GET", tea.path).status == 401


def test_a_token_cannot_do_what_it_was_not_given(tea: Tea) -> None:
    reader = with_token(tea.gh, contents="read", pull_requests="read")
    reply = reader("POST", f"{tea.path}/pulls/1/reviews", REVIEW)
    assert (reply.status, reply.json["message"]) == (403, "Resource not accessible by integration")
    assert reply.headers["x-accepted-github-permissions"] == "pull_requests=write"
    assert reader("GET", f"{tea.path}/pulls/1").status == 200
    assert reader("GET", f"{tea.path}/contents/brew.py").status == 200
    assert reader("GET", f"{tea.path}/commits/main/check-runs").status == 403
    writer = with_token(tea.gh, pull_requests="write")
    assert writer("POST", f"{tea.path}/pulls/1/reviews", REVIEW).status == 200
    assert writer("GET", f"{tea.path}/contents/brew.py").status == 403
    assert [one.permissions for one in tea.gh.writes()] == [
        {"contents": "read", "pull_requests": "read"},
        {"pull_requests": "write"},
    ]


def test_rights_on_pull_requests_do_not_reach_issues(tea: Tea) -> None:
    issue = tea.repo.open_issue("Too cold", author="lisa")
    writer = with_token(tea.gh, pull_requests="write")
    assert writer("POST", f"{tea.path}/issues/1/comments", {"body": "x"}).status == 201
    assert writer("POST", f"{tea.path}/issues/{issue.number}/comments", {"body": "x"}).status == 403
    assert issue.comments == []


def test_P6_another_repository_is_not_there(tea: Tea) -> None:
    tea.gh.repository("octo/secret", private=True, files={"a": "b"})
    tea.gh.repository("elsewhere/public", files={"a": "b"})
    narrow = with_token(tea.gh, tea.repo.id)
    assert narrow("GET", "/repos/octo/secret/contents/a").status == 404
    assert narrow("GET", "/repos/elsewhere/public").status == 404
    assert tea.call("GET", "/repos/octo/secret/contents/a").status == 200
    query = 'query{repository(owner:"octo",name:"secret"){object(expression:"main:a"){oid}}}'
    reply = narrow("POST", "/graphql", {"query": query})
    assert (reply.json["data"], reply.json["errors"][0]["type"]) == ({"repository": None}, "NOT_FOUND")


def test_no_token_reaches_beyond_its_installation(tea: Tea) -> None:
    foreign = tea.gh.repository("elsewhere/public", files={"a": "b"})
    path = f"/app/installations/{next(iter(tea.gh.installations))}/access_tokens"
    as_app = with_jwt(tea.gh)
    assert as_app("POST", path, {"repository_ids": [foreign.id]}).status == 422
    assert as_app("POST", path, {"permissions": {"administration": "read"}}).status == 422
    assert as_app("POST", path, {"permissions": {"contents": "write"}}).status == 422
    assert as_app("POST", "/app/installations/1/access_tokens").status == 404


def test_R12_a_young_an_old_and_a_revoked_token_are_refused(tea: Tea) -> None:
    tea.gh.young_token_seconds = 3600
    assert tea.call("GET", tea.path).status == 401
    tea.gh.young_token_seconds = 0
    assert tea.call("GET", tea.path).status == 200
    tea.gh.clock_offset = 3601
    assert tea.call("GET", tea.path).status == 401
    tea.gh.clock_offset = 0
    assert tea.call("DELETE", "/installation/token").status == 204
    assert tea.call("GET", tea.path).status == 401


def test_K2_a_suspended_or_removed_installation_is_told_and_closed(tea: Tea) -> None:
    installation = next(iter(tea.gh.installations.values()))
    tea.gh.suspend(installation)
    assert tea.call("GET", tea.path).status == 403
    assert (tea.gh.deliveries[-1].event, tea.gh.deliveries[-1].action) == ("installation", "suspend")
    assert tea.gh.deliveries[-1].payload["installation"]["suspended_at"]
    installation.suspended_at = None
    tea.gh.take_away(installation, tea.repo)
    assert tea.call("GET", tea.path).status == 404
    assert tea.gh.deliveries[-1].payload["repositories_removed"][0]["full_name"] == "octo/tea"
    tea.gh.uninstall(installation)
    assert tea.call("GET", tea.path).status == 401
    assert with_jwt(tea.gh)("GET", f"/app/installations/{installation.id}").status == 404


def test_A1_the_permission_of_a_person_is_told_coarse_and_fine(tea: Tea) -> None:
    tea.repo.grant("lisa", "triage", association="MEMBER")
    told = tea.call("GET", f"{tea.path}/collaborators/lisa/permission").json
    assert (told["permission"], told["role_name"]) == ("read", "triage")
    tea.repo.grant("lisa", "maintain")
    told = tea.call("GET", f"{tea.path}/collaborators/lisa/permission").json
    assert (told["permission"], told["role_name"]) == ("write", "maintain")
    assert tea.call("GET", f"{tea.path}/collaborators/mona/permission").json["permission"] == "none"
    assert tea.call("GET", f"{tea.path}/collaborators/octo/permission").json["permission"] == "admin"
    assert tea.call("GET", f"{tea.path}/collaborators/nobody/permission").status == 404


def test_enterprise_server_mounts_the_same_api_elsewhere(contract: Contract, tea: Tea) -> None:
    with GitHubStandIn(tea.gh.directory / "ghes", ghes=True) as gh:
        gh.observers.append(contract)
        gh.repository("octo/tea", files={"a": "b"})
        gh.install_app("octo")
        assert gh.api_url.endswith("/api/v3")
        assert gh.graphql_url.endswith("/api/graphql")
        call = with_token(gh)
        assert call("GET", "/repos/octo/tea").json["url"].startswith(gh.api_url)
        query = {"query": 'query{repository(owner:"octo",name:"tea"){object(expression:"main:a"){oid}}}'}
        assert call("POST", "", query, url=gh.graphql_url).json["data"]["repository"]["object"]["oid"]
        assert {one.path for one in gh.calls()} == {"/repos/octo/tea", "/graphql"}
