"""Effects on GitHub: each exactly once, found again, nothing lost."""

from typing import Any

import pytest

from bot.core.diff import FileDiff, parse_patch
from bot.core.effect_history import without_hint
from bot.core.effects import (
    AddLabels,
    Annotation,
    Comment,
    Effect,
    LineComment,
    PostReview,
    React,
    ReplyInThread,
    SetCheck,
)
from bot.core.errors import Ambiguous, GitHubError
from bot.core.refs import RepoRef, Sha
from bot.effects import on_github
from bot.effects.base import CAP, Applied, Destination
from bot.effects.review import new_side
from bot.github.api import Api
from bot.github.client import GitHub
from bot.github.idempotency_marker import MOST_BYTES, IdempotencyMarker, fit
from bot.github.manifest import EVENTS, UNASKED, manifest
from bot.http import Request, Response
from bot.testing.github import GitHubStandIn as StandIn
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from tests.github.conftest import KEY, MARKER, Canned, Connect

OTHER = "ffffffffffffffff"


def effects(pull: PullRequest) -> dict[str, Effect]:
    """One of each kind on this pull request."""
    head = Sha(pull.head_sha)
    thread = pull.review_comment("mona", "tea.py", 19, "Why?")
    said = pull.comment("mona", "/hob help")
    return {
        "review": PostReview(1, head, "Two remarks.", (LineComment("tea.py", 20, "Too hot."),)),
        "check": SetCheck(head, "neutral", "No findings", "Read 1 of 1 files.", annotations=notes(120)),
        "comment": Comment(1, "Hello."),
        "reply": ReplyInThread(1, thread.id, "Because."),
        "labels": AddLabels(1, ("bug", "question")),
        "reaction": React("issue_comment", said.id, "eyes"),
        "reaction to a line": React("review_comment", thread.id, "+1"),
        "reaction to a pull request": React("issue", 1, "confused"),
    }


KINDS = [
    "review",
    "check",
    "comment",
    "reply",
    "labels",
    "reaction",
    "reaction to a line",
    "reaction to a pull request",
]


def notes(count: int) -> tuple[Annotation, ...]:
    return tuple(Annotation("tea.py", n, n, "notice", f"note {n}", "Look.") for n in range(1, count + 1))


def things(pull: PullRequest) -> list[int]:
    """How many there are of everything that Hob can make."""
    remarks = [pull, *pull.comments, *pull.review_comments]
    return [
        len([one for one in pull.reviews if one.author.login == "hob[bot]"]),
        len(pull.check_runs),
        sum(len(run.annotations) for run in pull.check_runs),
        len([one for one in pull.comments if one.author.login == "hob[bot]"]),
        len([one for one in pull.review_comments if one.author.login == "hob[bot]"]),
        len(pull.labels),
        sum(len(one.reactions) for one in remarks),
    ]


def needs(effect: Effect) -> dict[str, str]:
    return on_github(effect).needs(effect)


async def send(
    api: Api, repo: RepoRef, effect: Effect, key: str = KEY, marker: IdempotencyMarker = MARKER
) -> Applied:
    return await on_github(effect).send(effect, Destination(api, repo, key, marker))


async def find(
    api: Api, repo: RepoRef, effect: Effect, key: str = KEY, marker: IdempotencyMarker = MARKER
) -> Applied | None:
    return await on_github(effect).find(effect, Destination(api, repo, key, marker))


async def complete(api: Api, repo: RepoRef, effect: Effect, found: Applied) -> Applied:
    return await on_github(effect).completed(effect, Destination(api, repo, KEY, MARKER), found)


async def mended(api: Api, repo: RepoRef, review: PostReview) -> PostReview:
    """As GitHub will take it after it refused a line."""
    to = Destination(api, repo, KEY, MARKER)
    found = await on_github(review).mended(review, to, GitHubError(422, "refused", "line"))
    assert found
    return found


async def deliver(github: GitHub, repo: RepoRef, effect: Effect) -> Applied:
    """As a job does it: send; when nobody knows, look, and send again only what is not there."""
    async with github.repository(repo, needs(effect)) as api:
        for _ in range(3):
            try:
                return await send(api, repo, effect)
            except Ambiguous:
                if found := await find(api, repo, effect):
                    return await complete(api, repo, effect, found)
    raise AssertionError("not delivered")


@pytest.mark.parametrize("kind", KINDS)
async def test_each_effect_is_made_with_its_least_permissions_and_found_again(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest, kind: str
) -> None:
    effect = effects(pull)[kind]
    async with github.repository(repo, needs(effect)) as api:
        assert await find(api, repo, effect) is None
        made = await send(api, repo, effect)
        found = await find(api, repo, effect)
    assert found == made
    assert len(gh.writes()) == (3 if kind == "check" else 1)
    assert made.url or kind.startswith("reaction")
    expected = {tuple(sorted(needs(effect).items()))}
    assert {tuple(sorted((one.permissions or {}).items())) for one in gh.writes()} == expected


@pytest.mark.parametrize(
    "fault", ["apply_then_answer", "apply_then_reset", "apply_then_hang", "answer", "reset"]
)
@pytest.mark.parametrize("kind", KINDS)
async def test_R3_whatever_the_answer_there_is_exactly_one(
    gh: StandIn, connect: Connect, repo: RepoRef, pull: PullRequest, kind: str, fault: Any
) -> None:
    effect = effects(pull)[kind]
    before = things(pull)
    gh.fault("POST", "^/repos/", kind=fault, status=500, seconds=20)
    made = await deliver(connect(deadline=1.0), repo, effect)
    after = things(pull)
    expected = {
        "review": [1, 0, 0, 0, 1, 0, 0],
        "check": [0, 1, 120, 0, 0, 0, 0],
        "comment": [0, 0, 0, 1, 0, 0, 0],
        "reply": [1, 0, 0, 0, 1, 0, 0],
        "labels": [0, 0, 0, 0, 0, 2, 0],
    }.get(kind, [0, 0, 0, 0, 0, 0, 1])
    assert [now - then for then, now in zip(before, after, strict=True)] == expected
    assert made.github_id or kind == "labels"


@pytest.mark.parametrize("fault", ["apply_then_answer", "answer"])
@pytest.mark.parametrize("call", [1, 2])
async def test_R3_annotations_are_neither_lost_nor_doubled(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest, fault: Any, call: int
) -> None:
    gh.fault("PATCH", "/check-runs/", kind=fault, times=call)
    await deliver(github, repo, effects(pull)["check"])
    (run,) = pull.check_runs
    assert [one["title"] for one in run.annotations] == [f"note {n}" for n in range(1, 121)]


async def test_R3_a_crash_between_two_parts_of_a_check_is_made_good(
    github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    check = effects(pull)["check"]
    assert isinstance(check, SetCheck)
    async with github.repository(repo, needs(check)) as api:
        first = SetCheck(check.head_sha, check.conclusion, check.title, check.summary, annotations=notes(50))
        await send(api, repo, first)
        found = await find(api, repo, check)
        assert found
        await complete(api, repo, check, found)
        await complete(api, repo, check, found)
    assert len(pull.check_runs[0].annotations) == 120


async def test_R5_a_stranger_with_our_mark_is_not_us(
    github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    thread = pull.review_comment("mona", "tea.py", 19, "Why?")
    body = MARKER.signed("Hello.", KEY)
    for who in ("mallory", "rival[bot]", "hob", "hob-bot"):
        pull.comment(who, body)
        pull.review(who, body)
        thread.reply(who, body)
    all_of_them = effects(pull)
    for kind in ("comment", "review", "reply"):
        effect = all_of_them[kind]
        async with github.repository(repo, needs(effect)) as api:
            assert await find(api, repo, effect) is None


async def test_R5_our_own_app_with_a_wrong_mac_or_another_key_is_not_it(
    github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    forged = IdempotencyMarker(b"another server's key", MARKER.app_slug, MARKER.app_id)
    effect = Comment(1, "Hello.")
    async with github.repository(repo, needs(effect)) as api:
        await send(api, repo, effect, KEY, forged)
        await send(api, repo, effect, OTHER)
        quoting = Comment(1, f"As it was said: {MARKER.mark(KEY)} and so on")
        await send(api, repo, quoting, OTHER)
        assert await find(api, repo, effect) is None
        made = await send(api, repo, effect)
        assert await find(api, repo, effect) == made


async def test_R5_another_app_s_check_run_is_not_ours(
    gh: StandIn, github: GitHub, connect: Connect, repo: RepoRef, pull: PullRequest
) -> None:
    check = SetCheck(Sha(pull.head_sha), "success", "Fine", "All read.")
    async with github.repository(repo, needs(check)) as api:
        await send(api, repo, check, OTHER)
        assert await find(api, repo, check) is None
        await send(api, repo, check)
        assert await find(api, repo, check, KEY, IdempotencyMarker(MARKER.server_key, "hob", 1)) is None
        assert await find(api, repo, check)


async def test_a_comment_is_found_on_the_fourth_page(
    github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    for n in range(310):
        pull.comment("mona", f"{n}")
    effect = Comment(1, "Hello.")
    async with github.repository(repo, needs(effect)) as api:
        made = await send(api, repo, effect)
        assert await find(api, repo, effect) == made


async def test_what_cannot_be_looked_through_stays_open(connect: Connect, repo: RepoRef) -> None:
    def page(request: Request) -> Response:
        link = f'<{request.url}>; rel="next"'
        return Response(200, json=[{"id": 1, "body": ""}] * 100, headers={"link": link})

    canned = Canned(page)
    async with connect(transport=canned).repository(repo, {"issues": "write"}) as api:
        with pytest.raises(Ambiguous):
            await find(api, repo, Comment(1, "x"))
    assert len(canned.requests) == CAP // 100


async def test_R4_one_bad_line_of_twenty_is_moved_and_nothing_is_lost(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    pull = repository.open_pull_request("New", {"new.py": "".join(f"{n} = {n}\n" for n in range(1, 31))})
    good = [LineComment("new.py", n, f"remark {n}") for n in range(1, 20)]
    suggestion = "Say so.\n\n```suggestion\nx = 1\n```"
    review = PostReview(1, Sha(pull.head_sha), "Twenty.", (*good, LineComment("new.py", 99, suggestion)))
    async with github.repository(repo, needs(review)) as api:
        with pytest.raises(GitHubError) as refused:
            await send(api, repo, review)
        assert refused.value.status == 422
        again = await mended(api, repo, review)
        await send(api, repo, again)
    (posted,) = pull.reviews
    assert [without_hint(one.body) for one in posted.comments] == [f"remark {n}" for n in range(1, 20)]
    assert posted.body.startswith("Twenty.\n\n**`new.py:99`**\n\nSay so.\n\n```\nx = 1\n```")
    assert len(gh.writes()) == 2


@pytest.mark.parametrize(
    "comment",
    [
        LineComment("tea.py", 1, "off the diff"),
        LineComment("gone.py", 20, "no such file"),
        LineComment("tea.py", 20, "across the hunk's edge", start_line=1),
        LineComment("tea.py", 20, "backwards", start_line=21),
        LineComment("a`b\n.py", 1, "odd name"),
        LineComment("tea.py", 0, "line nought"),
    ],
)
async def test_R4_comments_that_lie_off_the_diff_are_said_in_the_summary(
    github: GitHub, repo: RepoRef, pull: PullRequest, comment: LineComment
) -> None:
    fine = LineComment("tea.py", 20, "here", start_line=19)
    review = PostReview(1, Sha(pull.head_sha), "Summary.", (comment, fine))
    async with github.repository(repo, needs(review)) as api:
        again = await mended(api, repo, review)
        await send(api, repo, again)
    assert again.comments == (fine,)
    assert comment.body in again.body
    assert str(comment.line) in again.body


async def test_R4_a_review_refused_for_no_visible_reason_goes_into_the_summary_whole(
    github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    remarks = tuple(LineComment("tea.py", n, f"remark {n}") for n in (19, 20, 21))
    async with github.repository(repo, {"pull_requests": "write"}) as api:
        again = await mended(api, repo, PostReview(1, Sha(pull.head_sha), "", remarks))
    assert again.comments == ()
    assert all(f"**`tea.py:{n}`**\n\nremark {n}" in again.body for n in (19, 20, 21))


def test_the_new_side_of_a_patch_is_told_by_its_headers() -> None:
    patch = (
        "@@ -1,2 +1,3 @@ def f():\n a\n+b\n c\n"
        "@@ -9 +10 @@\n-x\n+@@ -1 +500 @@\n"
        "@@ -20,3 +20,0 @@\n-1\n-2\n-3"
    )
    file = FileDiff("tea.py", "modified", parse_patch(patch))
    assert [list(hunk) for hunk in new_side(file)] == [[1, 2, 3], [10], []]
    assert new_side(FileDiff("a", "modified", None)) == ()


async def test_long_texts_are_cut_where_github_would_refuse_them(
    gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest
) -> None:
    long = "ä€🜁" * 40_000
    head = Sha(pull.head_sha)
    for effect in (
        Comment(1, long),
        PostReview(1, head, long, (LineComment("tea.py", 20, long),)),
        SetCheck(head, "neutral", long, long, long, (Annotation("tea.py", 1, 0, "notice", long, long),)),
    ):
        async with github.repository(repo, needs(effect)) as api:
            made = await send(api, repo, effect)
            assert await find(api, repo, effect) == made
    assert "cut here" in pull.comments[0].body
    assert len(pull.comments[0].body.encode()) <= MOST_BYTES


def test_a_cut_text_is_whole_utf_8_and_a_short_one_untouched() -> None:
    assert fit("short") == "short"
    for most in range(60, 80):
        cut = fit("🜁" * 100, most)
        assert len(cut.encode()) <= most
        assert "\N{REPLACEMENT CHARACTER}" not in cut


async def test_labels_are_found_whatever_their_case(github: GitHub, repo: RepoRef, pull: PullRequest) -> None:
    async with github.repository(repo, {"issues": "write"}) as api:
        await send(api, repo, AddLabels(1, ("bug",)))
        assert await find(api, repo, AddLabels(1, ("BUG",)))
        assert await find(api, repo, AddLabels(1, ("bug", "wontfix"))) is None


async def test_a_review_never_approves(gh: StandIn, github: GitHub, repo: RepoRef, pull: PullRequest) -> None:
    await deliver(github, repo, PostReview(1, Sha(pull.head_sha), "x", event="REQUEST_CHANGES"))
    assert pull.reviews[-1].state == "CHANGES_REQUESTED"


async def test_the_mark_is_no_secret_and_the_key_is() -> None:
    assert "server key" not in repr(MARKER)
    assert MARKER.marked(MARKER.signed("x", KEY) + "\n", KEY)
    assert not MARKER.marked(MARKER.signed("x", KEY) + "\nmore", KEY)
    assert not MARKER.marked(None, KEY)


def test_the_manifest_asks_for_every_event_that_is_read() -> None:
    asked = manifest()
    assert set(EVENTS.values()) - UNASKED <= asked.events
    needed: dict[str, str] = {}
    for effect in (
        Comment(1, ""),
        PostReview(1, Sha(""), ""),
        SetCheck(Sha(""), "neutral", "", ""),
        React("issue", 1, "eyes"),
    ):
        needed |= needs(effect)
    assert needed.items() <= asked.permissions.items()
