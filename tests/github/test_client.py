"""Who we are to GitHub, what we may, and what we do when it does not answer well."""

import asyncio
import logging
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot import log
from bot.core.errors import Ambiguous, ConfigError, GitHubError, Gone, RateLimited, TemporaryError
from bot.core.refs import RepoRef
from bot.github.client import GitHub
from bot.github.limits import LocalRateLimiter
from bot.http import Request, Response
from bot.testing.github import GitHubStandIn as StandIn
from bot.testing.github.pulls import PullRequest
from tests.fakes.github import Contract
from tests.github.conftest import Canned, Connect, ref

PULL = "/repos/{owner}/{repo}/pulls/{number}"
COMMENTS = "/repos/{owner}/{repo}/issues/{number}/comments"
READ = {"pull_requests": "read"}
WRITE = {"issues": "write"}


async def read(github: GitHub, repo: RepoRef) -> str:
    async with github.repository(repo, READ) as api:
        found = await api.get(PULL, {"number": 1})
    return str(found["title"])


async def comment(github: GitHub, repo: RepoRef, body: str = "hello") -> None:
    async with github.repository(repo, WRITE) as api:
        await api.post(COMMENTS, {"body": body}, {"number": 1})


async def test_a_pull_request_is_read_as_the_app(github: GitHub, repo: RepoRef, pull: PullRequest) -> None:
    assert await read(github, repo) == "Brew hotter"
    app = await github.app().get("/app")
    assert app["slug"] == "hob"
    assert github.login == "hob[bot]"


async def test_every_request_says_who_what_version_and_which_delivery(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    with log.bind(delivery="0b0e-11ee\r\nX-Evil: 1"):
        await read(github, repo)
    for request in gh.requests:
        agent = request.headers["user-agent"]
        assert agent.startswith("hob/")
        assert agent.endswith("(+0b0e-11eeX-Evil1)")
        assert request.headers["x-github-api-version"] == "2022-11-28"
        assert "x-evil" not in request.headers


async def test_K3_tokens_are_narrowed_and_revoked_after_the_job(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    async def work() -> None:
        async with github.job(repo, delivery="guid-9") as job:
            for permissions in (READ, WRITE, READ):
                await job.api(permissions).get("/repos/{owner}/{repo}/labels")
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        await work()
    minted = [one for one in gh.mints() if one.path.endswith("access_tokens")]
    assert [one.json for one in minted] == [
        {"repository_ids": [repo.id], "permissions": READ},
        {"repository_ids": [repo.id], "permissions": WRITE},
    ]
    assert len(gh.tokens) == 2
    assert all(token.revoked for token in gh.tokens.values())
    assert all("guid-9" in request.headers["user-agent"] for request in gh.requests)


async def test_K3_a_token_for_everything_cannot_be_asked_for(github: GitHub, repo: RepoRef) -> None:
    with pytest.raises(ValueError, match="permissions"):
        github.job(repo).api({})


async def test_K3_a_job_that_called_nothing_mints_nothing(gh: StandIn, github: GitHub, repo: RepoRef) -> None:
    async with github.job(repo) as job:
        job.api(READ)
    assert gh.requests == []


async def test_K3_a_token_that_cannot_be_revoked_is_logged_only(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest, caplog: pytest.LogCaptureFixture
) -> None:
    gh.fault("DELETE", "/installation/token", kind="answer", status=500, times=9)
    with caplog.at_level(logging.WARNING):
        assert await read(github, repo) == "Brew hotter"
    assert "not revoked" in caplog.text


async def test_K5_tokens_and_keys_cannot_be_logged(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest, pem: str
) -> None:
    await read(github, repo)
    (token,) = gh.tokens
    shown = [one.headers["authorization"].split()[1] for one in gh.requests]
    assert token in shown
    assert log.redact(" ".join([*shown, pem.strip()])).replace("[hidden]", "").strip() == ""


async def test_K3_a_token_that_was_given_back_is_no_secret_any_more_and_one_that_was_not_is(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    """Each hidden one costs memory, and every line and every text a look: a worker makes thousands a day."""
    before = set(log.hidden())
    for _ in range(5):
        async with github.job(repo) as job:
            shown = await job.basic({"contents": "read"})
            assert log.redact(f"git says {shown}") == f"git says Basic {log.HIDDEN}"
    await read(github, repo)
    async with github.installation(repo.installation) as api:
        await api.get_page("/installation/repositories", {})
    await github.find_repository(repo.full_name)
    await github.repository_of(repo.installation, repo.id)
    assert len(gh.tokens) == 9
    assert not [one for one in set(log.hidden()) - before if not one.startswith("eyJ")]  # the App's own stays
    gh.fault("DELETE", "/installation/token", kind="answer", status=500, times=9)
    async with github.job(repo) as job:
        shown = await job.basic({"contents": "read"})
    assert log.redact(f"git says {shown}") == f"git says Basic {log.HIDDEN}"


async def test_a_repository_out_of_reach_is_gone(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    elsewhere = gh.repository("rival/tea")
    foreign = RepoRef("rival", "tea", elsewhere.id, repo.installation)
    with pytest.raises(Gone):
        await read(github, foreign)
    async with github.repository(repo, READ) as api:
        with pytest.raises(Gone):
            await api.get(PULL, {"owner": "rival", "repo": "tea", "number": 1})


async def test_a_missing_permission_is_a_definite_refusal(
    github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    async with github.repository(repo, READ) as api:
        with pytest.raises(GitHubError) as refused:
            await api.post(COMMENTS, {"body": "x"}, {"number": 1})
    assert refused.value.status == 403
    assert not isinstance(refused.value, Gone | Ambiguous)


async def test_K2_a_suspended_or_removed_installation_is_gone(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    installation = gh.installations[repo.installation]
    async with github.repository(repo, READ) as api:
        await api.get(PULL, {"number": 1})
        gh.suspend(installation)
        with pytest.raises(Gone):
            await api.get(PULL, {"number": 1})
    with pytest.raises(Gone):
        await read(github, repo)
    gh.uninstall(installation)
    with pytest.raises(Gone):
        await read(github, repo)


@pytest.mark.parametrize("minutes", [15, -15])
async def test_R9_a_wrong_clock_is_corrected_from_the_date_header(
    gh: StandIn, connect: Connect, repo: RepoRef, pull: PullRequest, minutes: int
) -> None:
    github = connect(now=lambda: time.time() + minutes * 60)
    assert await read(github, repo) == "Brew hotter"
    mints = [one.status for one in gh.mints() if one.path.endswith("access_tokens")]
    assert mints == [401, 201]
    assert await read(github, repo) == "Brew hotter"
    assert [one.status for one in gh.mints() if one.path.endswith("access_tokens")] == [401, 201, 201]


async def test_R9_a_wrong_key_is_refused_and_not_retried_for_ever(
    gh: StandIn, connect: Connect, repo: RepoRef, tmp_path: Path
) -> None:
    with StandIn(tmp_path / "other") as other:
        other.install_app("octo")
        github = connect(private_key=other.private_key)
        with pytest.raises(GitHubError) as refused:
            await read(github, repo)
    assert refused.value.status == 401
    assert len(gh.requests) == 1


@pytest.mark.parametrize(
    "key", ["", "not a key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"]
)
async def test_a_key_that_is_none_is_a_configuration_error(connect: Connect, repo: RepoRef, key: str) -> None:
    github = connect(private_key=key)
    with pytest.raises(ConfigError) as wrong:
        await read(github, repo)
    assert wrong.value.hint


@pytest.mark.parametrize("url", ["", "api.github.com", "ftp://x", "http://"])
async def test_an_address_that_is_none_is_a_configuration_error(connect: Connect, url: str) -> None:
    with pytest.raises(ConfigError):
        connect(api_url=url)


async def test_R12_a_fresh_token_that_is_not_known_yet_is_tried_again(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    gh.young_token_seconds = 0.6
    await comment(github, repo)
    assert [one.body for one in pull.comments] == ["hello"]
    statuses = [one.status for one in gh.writes()]
    assert statuses[0] == 401
    assert statuses[-1] == 201
    assert len(gh.tokens) == 1


async def test_R12_a_token_that_ends_mid_job_is_renewed(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.github.auth.FRESH", 0.0)
    async with github.repository(repo, WRITE) as api:
        await api.get(COMMENTS, {"number": 1})
        next(iter(gh.tokens.values())).expires_at = 0.0
        await api.post(COMMENTS, {"body": "once"}, {"number": 1})
    assert [one.body for one in pull.comments] == ["once"]
    assert len(gh.tokens) == 2


async def test_R12_a_token_near_its_end_is_renewed_before_use(
    gh: StandIn, connect: Connect, repo: RepoRef, pull: PullRequest
) -> None:
    ahead = 0.0
    github = connect(now=lambda: time.time() + ahead)
    async with github.repository(repo, READ) as api:
        await api.get(PULL, {"number": 1})
        ahead = 3_500.0
        await api.get(PULL, {"number": 1})
    assert len(gh.tokens) == 2
    assert 401 not in [one.status for one in gh.calls()]


@pytest.mark.parametrize("kind", ["retry_after", "rate_limited", "secondary", "too_many"])
async def test_R8_no_call_is_made_before_the_time_that_github_named(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest, kind: str
) -> None:
    gh.fault("GET", "/pulls/1$", kind=kind, seconds=30)  # type: ignore[arg-type]
    with pytest.raises(RateLimited) as limited:
        await read(github, repo)
    expected = 60 if kind == "secondary" else 30
    assert limited.value.retry_after == pytest.approx(expected, abs=2)
    seen = len(gh.requests)
    with pytest.raises(RateLimited) as again:
        await read(github, repo)
    assert again.value.retry_after == pytest.approx(expected, abs=2)
    assert len(gh.requests) == seen


async def test_R8_other_installations_go_on(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    gh.install_app("other")
    theirs = gh.repository("other/cup", files={"a": "1\n"})
    theirs.open_pull_request("Polish", {"a": "2\n"})
    gh.fault("GET", "/octo/tea/pulls/1$", kind="retry_after", seconds=30)
    with pytest.raises(RateLimited):
        await read(github, repo)
    assert await read(github, ref(gh, theirs)) == "Polish"


async def test_R8_a_limit_that_names_no_time_doubles_each_time(
    gh: StandIn, connect: Connect, repo: RepoRef, pull: PullRequest
) -> None:
    rate_limiter = Forgetful()
    github = connect(rate_limiter=rate_limiter)
    gh.fault("GET", "/pulls/1$", kind="secondary", times=3)
    waits = []
    for _ in range(3):
        with pytest.raises(RateLimited) as limited:
            await read(github, repo)
        waits.append(limited.value.retry_after)
    assert waits == [60, 120, 240]
    assert await read(github, repo) == "Brew hotter"


class Forgetful(LocalRateLimiter):
    """As if all that time had passed."""

    async def blocked_until(self, scope: str) -> float:
        return 0.0


async def test_R8_a_short_wait_is_simply_waited(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    gh.fault("GET", "/pulls/1$", kind="retry_after", seconds=1)
    with pytest.raises(RateLimited):
        await read(github, repo)
    assert await read(github, repo) == "Brew hotter"
    limited, *later = [one.at for one in gh.requests if one.path != "/installation/token"][1:]
    assert min(later) - limited > 0.9


async def test_R8_the_last_call_of_the_hour_is_followed_by_none(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    gh.limits.per_hour = 1
    async with github.repository(repo, READ) as api:
        await api.get(PULL, {"number": 1})
        seen = len(gh.requests)
        with pytest.raises(RateLimited):
            await api.get(PULL, {"number": 1})
        assert len(gh.requests) == seen


async def test_a_403_for_another_reason_is_no_limit(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    gh.fault("GET", "/pulls/1$", kind="answer", status=403)
    with pytest.raises(GitHubError):
        await read(github, repo)
    assert await read(github, repo) == "Brew hotter"


async def test_writes_are_serial_and_spaced_and_reads_are_not(
    gh: StandIn, connect: Connect, repo: RepoRef, pull: PullRequest
) -> None:
    github = connect(write_gap=0.2)
    await asyncio.gather(*(comment(github, repo, f"{n}") for n in range(4)))
    times = [one.at for one in gh.writes()]
    assert len(times) == 4
    assert all(later - earlier > 0.15 for earlier, later in pairwise(times))


@pytest.mark.parametrize("kind", ["answer", "reset"])
async def test_a_read_is_tried_again(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest, kind: str
) -> None:
    gh.fault("GET", "/pulls/1$", kind=kind, times=2)  # type: ignore[arg-type]
    assert await read(github, repo) == "Brew hotter"


async def test_a_read_that_never_succeeds_is_temporary(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    fault = gh.fault("GET", "/pulls/1$", kind="answer", status=503, times=9)
    with pytest.raises(TemporaryError):
        await read(github, repo)
    assert fault.hits == 3


async def test_N2_a_read_without_answer_ends_at_its_deadline(
    gh: StandIn, connect: Connect, repo: RepoRef, pull: PullRequest
) -> None:
    gh.fault("GET", "/pulls/1$", kind="hang", times=9, seconds=20)
    began = time.monotonic()
    with pytest.raises(TemporaryError):
        await read(connect(deadline=0.3), repo)
    assert time.monotonic() - began < 15


async def test_N2_an_answer_over_the_cap_is_not_read(
    github: GitHub, connect: Connect, repo: RepoRef, pull: PullRequest
) -> None:
    with pytest.raises(GitHubError, match="over 2000 bytes"):
        await read(connect(cap=2_000), repo)


@pytest.mark.parametrize(
    "kind", ["apply_then_answer", "apply_then_reset", "apply_then_hang", "answer", "reset", "hang"]
)
async def test_R3_a_write_without_a_good_answer_is_ambiguous_and_sent_once(
    gh: StandIn, connect: Connect, repo: RepoRef, pull: PullRequest, kind: str
) -> None:
    gh.fault("POST", "/comments$", kind=kind, times=9, seconds=20)  # type: ignore[arg-type]
    with pytest.raises(Ambiguous):
        await comment(connect(deadline=0.5), repo)
    assert len(gh.writes()) == 1
    assert len(pull.comments) == (1 if kind.startswith("apply") else 0)


async def test_a_write_that_never_left_is_not_ambiguous(pem: str, repo: RepoRef) -> None:
    async with GitHub("http://127.0.0.1:9", 4242, pem, slug="hob") as nobody:
        with pytest.raises(TemporaryError):
            await comment(nobody, repo)


async def test_an_etag_spares_the_limit_and_is_not_shared(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    async def statuses() -> list[int]:
        return [one.status for one in gh.calls() if one.path.endswith("/pulls/1")]

    assert await read(github, repo) == "Brew hotter"
    assert await read(github, repo) == "Brew hotter"
    assert await statuses() == [200, 304]
    async with github.repository(repo, {"pull_requests": "write"}) as api:
        await api.get(PULL, {"number": 1})
    assert await statuses() == [200, 304, 200]
    other = RepoRef(repo.owner, repo.name, repo.id, gh.install_app("octo").id)
    await read(github, other)
    assert await statuses() == [200, 304, 200, 200]


async def test_a_renamed_repository_is_followed_by_reads(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    gh.fault("GET", "/octo/tea/pulls/1$", kind="redirect", location="/repos/octo/tea/pulls/1", times=1)
    assert await read(github, repo) == "Brew hotter"


async def test_a_write_is_not_redirected_elsewhere(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    for status, location in ((301, f"/repositories/{repo.id}/x"), (307, "/repos/octo/tea/issues/1/comments")):
        gh.fault("POST", "/comments$", kind="redirect", location=location, status=status)
        with pytest.raises(GitHubError) as refused:
            await comment(github, repo)
        assert refused.value.status == status
    assert pull.comments == []


async def test_a_write_to_a_renamed_repository_goes_to_the_same_id(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest, contract: Contract
) -> None:
    there = f"/repositories/{repo.id}/issues/1/comments"
    gh.fault("POST", "/repos/octo/tea/issues/1/comments$", kind="redirect", location=there, status=307)
    with pytest.raises(Gone):  # the stand-in knows repositories by name only
        await comment(github, repo)
    assert [one.path for one in gh.writes()] == ["/repos/octo/tea/issues/1/comments", there]
    assert gh.writes()[1].json == {"body": "hello"}
    contract.problems.clear()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_N1_no_token_leaves_for_another_host(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest, tmp_path: Path, method: str
) -> None:
    with StandIn(tmp_path / "thief") as thief:
        gh.fault(method, "/(pulls/1|comments)$", kind="redirect", location=f"{thief.origin}/x", status=307)
        with pytest.raises(GitHubError):
            await (read if method == "GET" else comment)(github, repo)
        assert thief.requests == []


async def test_redirects_in_a_circle_end(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    gh.fault("GET", "/pulls/1$", kind="redirect", location="/repos/octo/tea/pulls/1", times=99)
    with pytest.raises(GitHubError):
        await read(github, repo)
    assert len(gh.calls()) < 10


@pytest.mark.parametrize("name", ["..", ".", "", "\ud800"])
async def test_names_that_would_bend_a_url_are_not_sent(
    gh: StandIn, github: GitHub, repo: RepoRef, name: str
) -> None:
    async with github.repository(repo, {"contents": "read"}) as api:
        with pytest.raises(Gone):
            await api.get("/repos/{owner}/{repo}/contents{/path*}", {"path": ["a", name, "b"]})
    assert gh.requests == []


async def test_ghes_is_reached_under_its_prefix(tmp_path: Path, pem: str) -> None:
    with StandIn(tmp_path / "ghes", ghes=True) as gh:
        gh.install_app("octo", private_key=pem)
        tea = gh.repository("octo/tea")
        async with (
            GitHub(gh.api_url + "/", 4242, pem, slug="hob") as github,
            github.repository(ref(gh, tea), {"contents": "read"}) as api,
        ):
            assert (await api.get("/repos/{owner}/{repo}"))["name"] == "tea"
            found = await api.graphql(
                "query($o: String!, $n: String!) { repository(owner: $o, name: $n) { name } }",
                {"o": "octo", "n": "tea"},
            )
            assert found == {"repository": {"name": "tea"}}
            assert api.site == gh.origin
    assert all(not one.path.startswith("/v3") for one in gh.requests)


@pytest.mark.parametrize(
    ("api_url", "graphql", "site"),
    [
        ("https://api.github.com", "https://api.github.com/graphql", "https://github.com"),
        ("https://ghe.example/api/v3/", "https://ghe.example/api/graphql", "https://ghe.example"),
        ("https://api.tea.ghe.com", "https://api.tea.ghe.com/graphql", "https://tea.ghe.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql", "http://127.0.0.1:8080"),
    ],
)
async def test_where_graphql_and_the_site_are(
    connect: Connect, api_url: str, graphql: str, site: str
) -> None:
    server = connect(api_url=api_url)._server
    assert (server.graphql_url, server.site) == (graphql, site)


async def test_pages_are_followed_up_to_the_cap(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    for n in range(230):
        pull.comment("mona", f"{n}")
    async with github.repository(repo, WRITE) as api:
        everything = await api.get_all(COMMENTS, {"number": 1}, cap=1_000)
        some = await api.get_all(COMMENTS, {"number": 1}, cap=150)
    assert [one["body"] for one in everything] == [str(n) for n in range(230)]
    assert len(some) == 150
    assert len([one for one in gh.calls() if "comments" in one.path]) == 5


async def test_R8_graphql_s_own_limit_holds_back_graphql_only(connect: Connect, repo: RepoRef) -> None:
    def reply(request: Request) -> Any:
        if not request.url.path.endswith("graphql"):
            return []
        return {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}

    canned = Canned(reply)
    async with connect(transport=canned).repository(repo, READ) as api:
        for _ in range(2):
            with pytest.raises(RateLimited) as limited:
                await api.graphql("query { viewer { login } }")
            assert limited.value.retry_after == pytest.approx(60, abs=1)
        assert len(canned.requests) == 1
        assert await api.get("/repos/{owner}/{repo}/labels") == []


async def test_a_mutation_is_a_write_and_a_query_is_not(connect: Connect, repo: RepoRef) -> None:
    canned = Canned(lambda _: Response(502))
    async with connect(transport=canned).repository(repo, READ) as api:
        with pytest.raises(Ambiguous):
            await api.graphql("mutation { resolveReviewThread(input: {}) { clientMutationId } }")
        assert len(canned.requests) == 1
        with pytest.raises(TemporaryError):
            await api.graphql("query { viewer { login } }")
        assert len(canned.requests) == 4


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "application/json"}, b"{"),
        ({"content-type": "application/json"}, b"\xff"),
        ({"content-type": "application/json; charset=klingon"}, b"{}"),
        ({"content-type": "application/json"}, b"[" * 200_000),
        ({"content-type": "application/json", "x-ratelimit-remaining": "many"}, b"{"),
    ],
)
async def test_an_answer_that_cannot_be_read_is_no_crash(
    connect: Connect, repo: RepoRef, headers: dict[str, str], body: bytes
) -> None:
    canned = Canned(lambda _: Response(200, content=body, headers=headers))
    async with connect(transport=canned).repository(repo, READ) as api:
        with pytest.raises(TemporaryError):
            await api.get("/x")
        with pytest.raises(Ambiguous):
            await api.post("/x", {})


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "soon"},
        {"retry-after": "-1"},
        {"retry-after": "9" * 400},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "nan"},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 15},
    ],
)
async def test_R8_odd_limits_wait_a_sane_time(
    connect: Connect, repo: RepoRef, headers: dict[str, str]
) -> None:
    canned = Canned(lambda _: Response(429, headers=headers))
    async with connect(transport=canned).repository(repo, READ) as api:
        with pytest.raises(RateLimited) as limited:
            await api.get("/x")
    assert limited.value.retry_after
    assert 1 <= limited.value.retry_after <= 86_400


async def test_an_unknown_status_is_no_crash(connect: Connect, repo: RepoRef) -> None:
    canned = Canned(lambda _: Response(599))
    async with connect(transport=canned).repository(repo, READ) as api:
        with pytest.raises(TemporaryError):
            await api.get("/x")
        canned.reply = lambda _: Response(460)
        with pytest.raises(GitHubError):
            await api.get("/x")


async def test_a_next_page_on_another_host_is_not_asked(connect: Connect, repo: RepoRef) -> None:
    link = {"link": '<https://evil.example/x?page=2>; rel="next"'}
    canned = Canned(lambda _: Response(200, json=[1], headers=link))
    async with connect(transport=canned).repository(repo, READ) as api:
        with pytest.raises(GitHubError):
            await api.get_all("/x", cap=200)
    assert {one.url.host for one in canned.requests} == {"127.0.0.1"}
