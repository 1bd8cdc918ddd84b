"""All payloads that GitHub has published as examples."""

import json
from collections import Counter
from contextlib import suppress

import pytest

from bot.core.errors import BadPayload
from bot.core.events import (
    CheckRunRequested,
    Event,
    IssueClosed,
    MergeGroupDestroyed,
    PullRequestEdited,
    PullRequestRetargeted,
    PullRequestRetitled,
    RepositoryEvent,
    ReviewEdited,
)
from bot.github.manifest import EVENTS
from bot.github.payloads import parse, routing
from tests.samples.webhooks import example_payloads

READ: dict[str, tuple[str | None, ...]] = {
    "pull_request": (
        "opened",
        "reopened",
        "ready_for_review",
        "synchronize",
        "closed",
        "edited",
        "labeled",
        "unlabeled",
        "converted_to_draft",
    ),
    "issues": ("opened", "reopened", "closed", "edited", "deleted", "transferred"),
    "issue_comment": ("created", "edited"),
    "pull_request_review": ("submitted",),
    "pull_request_review_comment": ("created", "edited"),
    "check_suite": ("completed",),
    "push": (None,),
    "merge_group": ("checks_requested", "destroyed"),
    "installation": ("deleted", "suspend"),
    "installation_repositories": ("removed",),
    "repository": ("deleted", "transferred", "privatized", "publicized", "renamed"),
}


def test_every_published_example_is_routed_and_parsed_without_an_unhandled_error() -> None:
    kinds: Counter[type] = Counter()
    refused: set[str] = set()
    for event, action, payload in example_payloads():
        body = json.dumps(payload).encode()
        assert routing(body).action == action
        try:
            kinds[type(parse(event, "guid", body))] += 1
        except BadPayload as bad:
            refused.add(str(bad))
            kinds[BadPayload] += 1
    assert sum(kinds.values()) == 329
    assert len(refused) == 1  # many were sent by a repository's own webhook
    assert "installation" in refused.pop()


def test_every_example_of_our_events_is_read_when_an_app_receives_it() -> None:
    kinds: Counter[type[Event]] = Counter()
    for event, action, payload in example_payloads():
        found = parse(event, "guid", json.dumps({**payload, "installation": {"id": 7}}).encode())
        if found is None:
            continue
        assert EVENTS[type(found)] == event
        if isinstance(found, RepositoryEvent):
            assert found.repo.full_name == payload["repository"]["full_name"]
        assert action in READ[event]
        kinds[type(found)] += 1
    # of these none is published, and those of check runs are of others'
    edits = {PullRequestEdited, PullRequestRetitled, PullRequestRetargeted, ReviewEdited}
    assert set(kinds) == set(EVENTS) - edits - {CheckRunRequested, MergeGroupDestroyed, IssueClosed}


def test_a_published_check_run_is_read_once_it_is_ours() -> None:
    found = []
    for event, action, payload in example_payloads():
        if event == "check_run" and action in ("rerequested", "requested_action"):
            payload["check_run"]["external_id"] = f"{'ab' * 20}#3"
            payload |= {"requested_action": {"identifier": "review-new"}} if action != "rerequested" else {}
            body = json.dumps({**payload, "installation": {"id": 7}}).encode()
            found.append(parse(event, "guid", body))
    assert len(found) == 3
    assert all(isinstance(one, CheckRunRequested) and one.number == 3 for one in found)


@pytest.mark.parametrize("spoil", [None, 0, "", [], {}, "\ud800", 1e300, True])
def test_a_field_of_another_type_is_never_an_unhandled_error(spoil: object) -> None:
    ours = [(event, payload) for event, _, payload in example_payloads() if event in set(EVENTS.values())]
    for event, payload in ours:
        for name in payload:
            body = json.dumps({**payload, "installation": {"id": 7}, name: spoil}).encode()
            assert survives(event, body)


def survives(event: str, body: bytes) -> bool:
    """Anything but `BadPayload` is an unhandled error."""
    with suppress(BadPayload):
        routing(body)
    with suppress(BadPayload):
        parse(event, "guid", body)
    return True
