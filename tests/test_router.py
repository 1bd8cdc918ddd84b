"""Which handler answers what; who is listened to at all."""

from typing import Any

import pytest

from bot.core.effects import Comment, Plan
from bot.core.events import IssueCommentCreated, IssueCommentEdited, IssueOpened
from bot.core.refs import Actor, Login, RepoRef
from bot.router import Route, Router
from bot.runs import authorize
from handlers import router

REPO = RepoRef("octo", "tea", id=1, installation=7)
ANN, BOB = Actor(Login("ann"), 1), Actor(Login("bob"), 2)
ROBOT = Actor(Login("helper[bot]"), 3, "Bot")


def comment(
    body: str, kind: type[IssueCommentCreated | IssueCommentEdited] = IssueCommentCreated, **more: Any
) -> Any:
    fields: dict[str, Any] = {
        "delivery": "g",
        "repo": REPO,
        "sender": ANN,
        "number": 5,
        "comment_id": 50,
        "body": body,
        "previous_body": None,
        "author": ANN,
        "app_id": None,
        "on_pull_request": True,
        "issue_author": Login("ann"),
    }
    return kind(**(fields | more))


def names(event: Any) -> list[str]:
    return [match.route.name for match in router.match(event, "hob-app")]


def test_a_command_chooses_its_handler() -> None:
    assert names(comment("@hob-app review")) == ["@review"]
    assert names(comment("/hob help")) == ["@help"]
    assert names(comment("@hob-app why is this cached?")) == ["@ask"]


def test_two_commands_are_two_runs_and_the_same_twice_is_one() -> None:
    assert names(comment("@hob-app review\n@hob-app help\n@hob-app review")) == [
        "@review",
        "@help",
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"author": ROBOT, "sender": ROBOT},
        {"author": ROBOT, "sender": ROBOT, "app_id": 99},
        {"author": Actor(Login("x[bot]"), 9), "sender": Actor(Login("x[bot]"), 9)},
    ],
)
def test_A3_bots_and_apps_are_not_listened_to(more: dict[str, Any]) -> None:
    assert names(comment("@hob-app review", **more)) == []


def test_A3_what_a_person_wrote_through_another_app_is_the_persons() -> None:
    assert names(comment("@hob-app review", app_id=99)) == ["@review"]


def test_A2_payloads_that_leave_out_ids_do_not_make_two_people_one() -> None:
    eve, tom = Actor(Login("eve"), 0), Actor(Login("tom"), 0)
    edited = comment("@hob-app review", IssueCommentEdited, previous_body="", sender=eve, author=tom)
    assert names(edited) == []


def test_A2_whoever_edits_another_persons_comment_gives_no_command() -> None:
    edited = comment("@hob-app review", IssueCommentEdited, previous_body="fine", sender=BOB)
    assert names(edited) == []
    assert names(comment("@hob-app review", IssueCommentEdited, previous_body="fine")) == ["@review"]
    assert names(comment("@hob-app review\nmore", IssueCommentEdited, previous_body="@hob-app review")) == []


@pytest.mark.parametrize(
    "body",
    [
        "> @hob-app review",
        "```\n@hob-app review\n```",
        "<!--\n@hob-app review\n-->",
        "thanks @hob-app review",
        "    @hob-app review",
    ],
)
def test_A7_quotes_code_and_hidden_text_are_no_command(body: str) -> None:
    assert names(comment(body)) == []


def test_an_unknown_slash_word_is_answered_with_help_not_guessed() -> None:
    matches = router.match(comment("/hob frobnicate"), "hob-app")
    assert [match.route.name for match in matches] in (["@help"], ["@ask"])


def test_an_event_that_nobody_answers_has_no_runs() -> None:
    assert router.match(comment("nothing to see"), "hob-app") == []


def test_names_are_unique() -> None:
    async def handler(event: Any, ctx: Any) -> Plan:
        return Plan()

    ours = Router()
    ours.on(IssueOpened, may={Comment}, name="sort", stored_as="issues.sort")(handler)
    for again in ({"name": "sort"}, {"name": "issues.sort"}, {"name": "new", "stored_as": "sort"}):
        with pytest.raises(ValueError, match="two routes"):
            ours.on(IssueOpened, may={Comment}, **again)(handler)


def test_R13_routes_are_stored_under_the_names_that_they_were_released_with() -> None:
    """Rows, job ids and outbox keys of 0.1.0 carry these: another name would post everything again."""
    assert {route.stored_as for route in router.routes} >= {
        "checks.run_again", "comments.ask", "comments.judge_again", "comments.show_config",
        "comments.show_help",
        "describe.propose", "describe.summarise", "explain.explain", "installations.forget_account",
        "installations.forget_knowledge", "installations.forget_repositories", "issues.triage",
        "knowledge.drop_issue", "knowledge.learn", "memory.agree", "memory.dismiss", "memory.forget",
        "memory.give_grounds", "memory.show_memory", "pull_requests.judge", "reviews.fix", "steering.ignore",
        "steering.pause", "steering.resolve", "steering.resume", "threads.converse", "undo.take_back",
    }  # fmt: skip


def route(who: Any) -> Route:
    return Route(
        name="@x",
        stored_as="comments.x",
        handler=router.routes[0].handler,
        may=frozenset(),
        priority="high",
        command="x",
        who=who,
    )


@pytest.mark.parametrize(
    ("who", "level", "private", "allowed"),
    [
        ("anyone", "none", False, True),
        ("anyone", "none", True, False),
        ("anyone", "read", True, True),
        ("triage", "read", False, False),
        ("triage", "triage", False, True),
        ("triage", "admin", True, True),
        ("code", "triage", False, False),
        ("code", "write", False, True),
        ("triage", "something-new", False, False),
    ],
)
def test_A1_the_permission_that_github_names_decides(
    who: str, level: str, private: bool, allowed: bool
) -> None:
    refused = authorize.refusal(route(who), level, private=private, recent=0)
    assert (refused is None) is allowed
    if refused:
        assert level in refused.words


def test_A4_past_twenty_an_hour_one_notice_names_its_hour() -> None:
    assert authorize.refusal(route("anyone"), "admin", private=False, recent=20) is None
    first = authorize.refusal(route("anyone"), "admin", private=False, recent=21, hour=4)
    second = authorize.refusal(route("anyone"), "admin", private=False, recent=50, hour=4)
    assert first == second
    assert first is not None
    assert first.once_per
