"""Where logs may lie, and which deliveries tell of checks that ended."""

import json
from typing import Any

import pytest

from bot.core.events import ChecksCompleted
from bot.github.job_logs import may_lead_to
from bot.github.payloads import parse

API, SITE = "https://api.github.com", "https://github.com"
GHES = ("https://git.example/api/v3", "https://git.example")


@pytest.mark.parametrize(
    ("address", "server", "may"),
    [
        ("https://productionresultssa12.blob.core.windows.net/a/b?sig=x", (API, SITE), True),
        ("https://pipelines.actions.githubusercontent.com/x", (API, SITE), True),
        ("https://results-receiver.actions.githubusercontent.com/x", (API, SITE), True),
        ("https://api.github.com/x", (API, SITE), True),
        ("http://pipelines.actions.githubusercontent.com/x", (API, SITE), False),
        ("https://evil.blob.core.windows.net/x", (API, SITE), False),
        ("https://productionresultssa1.blob.core.windows.net.evil.example/x", (API, SITE), False),
        ("https://xactions.githubusercontent.com/x", (API, SITE), False),
        ("https://raw.githubusercontent.com/x", (API, SITE), False),
        ("https://user@pipelines.actions.githubusercontent.com/x", (API, SITE), False),
        ("https://evil.example/?.actions.githubusercontent.com", (API, SITE), False),
        ("https://169.254.169.254/x", (API, SITE), False),
        ("https://pages.github.com/x", (API, SITE), False),
        ("https://git.example/_services/log", GHES, True),
        ("https://media.git.example/log", GHES, True),
        ("https://productionresultssa1.blob.core.windows.net/x", GHES, False),
        ("https://notgit.example/x", GHES, False),
        ("http://git.example/log", GHES, False),
        ("", (API, SITE), False),
        ("//x", (API, SITE), False),
    ],
)
def test_N1_logs_lie_on_githubs_own_hosts_alone(address: str, server: tuple[str, str], may: bool) -> None:
    assert may_lead_to(address, *server) == may


def suite(branch: str | None, *pulls: tuple[int, int, int], action: str = "completed") -> Any:
    """`pulls`: (number, id of the head's repository, of the base's)."""
    sides = [
        {"number": n, "head": {"repo": {"id": head}}, "base": {"repo": {"id": base}}}
        for n, head, base in pulls
    ]
    told = {
        "action": action,
        "check_suite": {
            "head_sha": "a" * 40,
            "head_branch": branch,
            "app": {"slug": "circleci"},
            "pull_requests": sides,
        },
        "repository": {"id": 7, "name": "tea", "owner": {"login": "octo"}},
        "installation": {"id": 1},
        "sender": {"login": "ann"},
    }
    return parse("check_suite", "guid", json.dumps(told).encode())


@pytest.mark.parametrize(
    ("found", "number"),
    [
        (suite("ann-patch-1", (3, 7, 7)), 3),
        (suite("hob/ci-12-1a2b3c4d", (13, 7, 7)), 12),
        (suite("hob/ci-12-1a2b3c4d"), 12),
        (suite("hob/tests-12-1a2b3c4d", (13, 7, 7)), 13),
        (suite("hob/ci-0-1a2b3c4d"), 0),
        (suite("hob/ci-12-1a2b3c4d/x"), 0),
        (suite("main"), 0),
        (suite(None), 0),
        (suite("ann-patch-1", (3, 7, 99)), 0),
        (suite("ann-patch-1", (3, 99, 7)), 0),
        (suite("ann-patch-1", (3, 7, 7), action="requested"), 0),
    ],
)
def test_a_suite_is_about_the_pull_request_that_its_branch_or_github_names(found: Any, number: int) -> None:
    assert (found.number if isinstance(found, ChecksCompleted) else 0) == number
