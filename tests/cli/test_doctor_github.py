"""`hob doctor` against GitHub's record: what was granted, where that is accepted, how deliveries went."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.cli.doctor import installed, remote
from bot.cli.doctor.line import DoctorResult
from bot.cli.doctor.line import line as line_of
from bot.config import Config, load_config
from bot.sanitise.leaks import leaks
from bot.testing.github import GitHubStandIn
from bot.testing.github.installations import Installation
from tests.cli.conftest import SECRET, Hob


@pytest.fixture
def at_github(hob: Hob, tmp_path: Path) -> Iterator[tuple[Hob, GitHubStandIn, Installation]]:
    with GitHubStandIn(tmp_path / "github") as github:
        installation = github.install_app("octo", slug="my-hob")
        assert github.app is not None
        (hob.folder / "app.pem").write_text(github.private_key)
        hob.environ |= {"HOB_GITHUB__API_URL": github.api_url, "HOB_GITHUB__APP_ID": str(github.app.id)}
        yield hob, github, installation


async def look(hob: Hob, name: str, check: Callable[[Config], Any]) -> DoctorResult:
    config = load_config(hob.folder / "hob.toml", hob.environ)
    return await line_of(name, partial(check, config))


def nothing(_: GitHubStandIn, __: Installation) -> None:
    pass


def reads_only(_: GitHubStandIn, one: Installation) -> None:
    one.permissions = {**one.permissions, "checks": "read"}


def unheard(_: GitHubStandIn, one: Installation) -> None:
    one.app = replace(one.app, events=[name for name in one.app.events if name != "merge_group"])


def suspended(github: GitHubStandIn, one: Installation) -> None:
    github.suspend(one)
    reads_only(github, one)


def uninstalled(github: GitHubStandIn, one: Installation) -> None:
    del github.installations[one.id]


def seven_behind(github: GitHubStandIn, _: Installation) -> None:
    for number in range(7):
        reads_only(github, github.install_app(f"org-{number}"))


@pytest.mark.parametrize(
    ("happens", "ok", "detail", "hint"),
    [
        (nothing, True, "1, each with what the App needs", ""),
        (reads_only, False, "octo has not accepted checks: write", "octo/settings/installations/"),
        (unheard, False, "octo has not accepted event merge_group", "octo/settings/installations/"),
        (suspended, True, "0, each with what the App needs; suspended by octo", ""),
        (uninstalled, True, "nowhere yet: install it at http://127.0.0.1:", ""),
        (seven_behind, False, "org-0, org-1, org-2, org-3, org-4 and 2 more has not accepted", "and 2 more"),
    ],
)
async def test_what_an_account_has_not_accepted_is_named_with_its_page(
    at_github: tuple[Hob, GitHubStandIn, Installation],
    happens: Callable[[GitHubStandIn, Installation], None],
    ok: bool,
    detail: str,
    hint: str,
) -> None:
    hob, github, installation = at_github
    happens(github, installation)
    line = await look(hob, "installations", installed.installations)
    assert line.ok is ok, line
    assert detail in line.detail
    assert hint in line.hint


def test_what_the_app_lacks_is_told_once(at_github: tuple[Hob, GitHubStandIn, Installation]) -> None:
    """With the page where it is granted; its installations lack the same, and that is no cause of its own."""
    hob, github, installation = at_github
    assert github.app is not None
    github.app.permissions = {**github.app.permissions, "issues": "read"}
    installation.permissions = dict(github.app.permissions)
    ended = hob.run("doctor", "--json", "--no-probe")
    assert not leaks(ended.stdout, [SECRET, github.private_key])
    lines = {one["check"]: one for one in json.loads(ended.stdout)["checks"]}
    assert lines["GitHub App"]["detail"].endswith("permissions are missing: issues: write")
    site = github.api_url.removesuffix("/api/v3")
    page = f"{site}/organizations/octo/settings/apps/my-hob"
    assert f"grant them at {page}/permissions" in lines["GitHub App"]["hint"]
    assert lines["installations"]["ok"], lines["installations"]


@pytest.mark.parametrize(
    ("api_url", "owner", "page"),
    [
        (
            "https://api.github.com",
            {"login": "ann", "type": "User"},
            "https://github.com/settings/apps/my-hob",
        ),
        (
            "https://api.github.com",
            {"login": "octo", "type": "Organization"},
            "https://github.com/organizations/octo/settings/apps/my-hob",
        ),
        (
            "https://ghe.example/api/v3",
            {"login": "octo", "type": "Organization"},
            "https://ghe.example/organizations/octo/settings/apps/my-hob",
        ),
        (
            "https://api.octo.ghe.com",
            {"slug": "big", "name": "Big"},
            "https://octo.ghe.com/enterprises/big/settings/apps/my-hob",
        ),
        ("https://api.github.com", {}, "https://github.com/settings/apps/my-hob"),
        (
            "https://api.github.com",
            {"login": "a\x1b[31m/../b", "type": "Organization"},
            "https://github.com/organizations/a%1B%5B31m/../b/settings/apps/my-hob",
        ),
    ],
)
def test_the_page_of_the_app_is_its_owners(api_url: str, owner: dict[str, str], page: str) -> None:
    config = load_config(None, {"HOB_GITHUB__API_URL": api_url})
    assert remote.page(config, {"slug": "my-hob", "owner": owner}) == page


def test_X1_no_line_shows_a_secret_or_steers_the_terminal(
    at_github: tuple[Hob, GitHubStandIn, Installation],
) -> None:
    """An account's name is somebody else's text."""
    hob, github, _ = at_github
    reads_only(github, github.install_app(f"\x1b]0;x\x07{SECRET}"))
    for words in (("--no-probe",), ("--no-probe", "--fix"), ("--no-probe", "--json")):
        ended = hob.run("doctor", *words)
        assert not leaks(ended.stdout + ended.stderr, [SECRET, github.private_key])
        assert "\x1b" not in ended.stdout


DELIVERED = {"delivered_at": "2026-11-01T10:00:00Z"}


@pytest.mark.parametrize(
    ("mode", "listed", "ok", "detail", "hint"),
    [
        ("webhook", [200, 502], True, "its latest delivery was taken", ""),
        (
            "webhook",
            [401, 401, 200],
            False,
            "the latest 2 deliveries failed (401)",
            "not github.webhook_secret",
        ),
        ("webhook", [404], False, "the latest delivery failed (404)", "has to end in /webhook"),
        ("webhook", [], True, "nothing was delivered yet", ""),
        ("poll", [502, 502], True, "2 of the latest deliveries are kept", ""),
        (
            "poll",
            [200],
            False,
            "took 1 of the latest 1 deliveries",
            "where nobody listens, at http://127.0.0.1:",
        ),
        ("poll", [], True, "the webhook is not Active: tick it at http://127.0.0.1:", ""),
        ("poll", None, False, "does not list deliveries (404)", 'intake.mode = "webhook"'),
        ("both", None, False, "does not list deliveries (404)", "Enterprise Server"),
    ],
)
async def test_how_deliveries_went_by_githubs_record(
    at_github: tuple[Hob, GitHubStandIn, Installation],
    mode: str,
    listed: list[int] | None,
    ok: bool,
    detail: str,
    hint: str,
) -> None:
    hob, github, _ = at_github
    github.send_webhooks_to("http://127.0.0.1:9/webhook")
    hob.environ["HOB_INTAKE__MODE"] = mode
    if listed is None:
        github.fault("GET", "/app/hook/deliveries", kind="answer", status=404)
    else:
        repo = github.repository("octo/tea", files={"a.py": "x"}) if listed else None
        for status in reversed(listed):
            assert repo is not None
            repo.open_issue("Cold", "", author="ann")
            github.deliveries[-1].wait()
            github.deliveries[-1].status_code = status
    line = await look(hob, "webhook", remote.webhook)
    assert line.ok is ok, line
    assert detail in line.detail
    assert hint in line.hint
