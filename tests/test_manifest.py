"""app.yml asks for what the routes need and for nothing else."""

from pathlib import Path

from bot.core.effects import (
    DeleteBranch,
    OpenPullRequest,
    PushCommit,
    React,
    ResolveThread,
    RevertCommit,
)
from bot.core.events import CommentEvent, Event
from bot.effects import of
from bot.effects.base import OnGitHub
from bot.github.ci import LOGS, STATUSES
from bot.github.manifest import CODE, EVENTS, FOR_CI, UNASKED, manifest
from bot.github.reader import ISSUE, PULL_REQUEST
from handlers import router
from tests.effects.samples import samples

BETTER_WITH = {ResolveThread, PushCommit, DeleteBranch, RevertCommit}
"""These need more than is asked for. Who grants contents:write has threads resolved (others read "Fixed in
…") and lets Hob write code where `code.enabled` does."""
TO_HEAR = {"merge_group": {"merge_queues": "read"}}
"""Permissions without which GitHub lets nobody subscribe to an event, where reading and writing needs less.
https://docs.github.com/en/webhooks/webhook-events-and-payloads#merge_group"""
RANK = {"read": 1, "write": 2}


def wanted_permissions(*, code: bool = False) -> dict[str, str]:
    """What reading, every effect that a route may cause and hearing of its events need, and metadata, which
    every App has. `code`: where code is written too."""
    found: dict[str, str] = {"metadata": "read"}
    kinds = {kind for route in router.routes for kind in route.may} | {React}
    effects = [one for kind, one in samples().items() if kind in kinds - (set() if code else BETTER_WITH)]
    writing = [duties.needs(one) for one in effects if isinstance(duties := of(one), OnGitHub)]
    heard = [EVENTS[kind] for route in router.routes for kind in route.kinds if kind in EVENTS]
    hearing = [TO_HEAR.get(name, {}) for name in heard]
    for one in (PULL_REQUEST, ISSUE, *hearing, *writing):
        for name, level in one.items():
            if RANK[level] > RANK.get(found.get(name, ""), 0):
                found[name] = level
    return found


def test_permissions_are_exactly_what_routes_need() -> None:
    assert manifest().permissions == wanted_permissions()


def test_who_has_code_written_asks_for_that_and_for_nothing_else() -> None:
    for_code = manifest(Path(__file__).parents[1] / "deploy" / "app-code.yml")
    assert {**manifest().permissions, **CODE} == wanted_permissions(code=True)
    assert for_code.permissions == {**wanted_permissions(code=True), **FOR_CI} | LOGS | STATUSES
    assert for_code.events == manifest().events
    assert CODE.keys() | FOR_CI.keys() == LOGS.keys() | STATUSES.keys() | {"contents"}


def test_code_allow_guards_every_command_that_writes_code() -> None:
    writing = {name for name, route in router.commands.items() if route.may & {PushCommit, OpenPullRequest}}
    assert writing
    assert writing <= {name for name, route in router.commands.items() if route.who == "code"}


def test_events_are_exactly_what_routes_answer() -> None:
    kinds: set[type[Event]] = {kind for route in router.routes for kind in route.kinds} & EVENTS.keys()
    if router.commands:
        kinds |= {kind for kind in EVENTS if issubclass(kind, CommentEvent)}
    assert manifest().events == {EVENTS[kind] for kind in kinds} - UNASKED


def test_what_is_never_asked_for() -> None:
    never = {"administration", "workflows", "secrets", "members", "actions", "organization_administration"}
    assert not never & set(manifest().permissions)
    assert manifest().permissions["contents"] == "read"


def test_who_registers_it_by_hand_is_told_the_same() -> None:
    text = (Path(__file__).parents[1] / "docs" / "setup.md").read_text()
    said = text.partition("*Repository permissions*:")[2].partition("\n")[0].lower().replace(" ", "_")
    for name, level in manifest().permissions.items():
        assert f"{name}:_{level}" in said
    events = text.partition("*Events*:")[2].partition("(")[0].lower().replace(" ", "_")
    assert all(event in events for event in manifest().events)
