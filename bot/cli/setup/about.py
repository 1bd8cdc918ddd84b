"""What `hob setup` was told, how far it got, and what it asks GitHub about its App."""

import asyncio
import getpass
import re
import secrets
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import click

from bot.cli.doctor.line import DoctorResult
from bot.cli.hosts.discovery import AnsweringHost
from bot.config import Config
from bot.core.errors import GitHubError, HobError, UserError
from bot.core.model_choice import ModelChoice
from bot.core.setup_steps import SetupFacts
from bot.github.client import GitHub
from bot.github.registration import RegisteredApp, app_page
from bot.github.site import site_of


@dataclass(frozen=True, slots=True)
class SetupOptions:
    """What was said on the command line. `asks`: there is a person at a terminal."""

    name: str = ""
    organization: str = ""
    code: bool = False
    github: str = ""
    public_url: str = ""
    webhook_url: str = ""
    host: str = ""
    model: str = ""
    yes: bool = False
    prints: bool = False
    pasted: str = ""
    new: bool = False
    start: bool = True
    browser: bool = True
    port: int = 0
    minutes: float = 30.0
    asks: bool = False


@dataclass(slots=True)
class SetupReport:
    """How far it got. `waits_for`: what a person has to do before it goes on."""

    config: Path
    app: RegisteredApp | None = None
    accounts: list[str] = field(default_factory=list)
    host: AnsweringHost | None = None
    model: ModelChoice | None = None
    checks: list[DoctorResult] = field(default_factory=list)
    waits_for: str = ""
    facts: SetupFacts = field(default_factory=SetupFacts)

    @property
    def healthy(self) -> bool:
        return bool(self.checks) and all(line.ok for line in self.checks)


async def ask_about(api_url: str, app: RegisteredApp) -> RegisteredApp:
    """With the name and page that GitHub has for it now. UserError."""
    try:
        async with GitHub(api_url, app.id, app.pem, slug=app.slug) as github:
            told: dict[str, Any] = await github.app().get("/app")
    except GitHubError as wrong:
        raise UserError(
            f"{wrong}: GitHub does not know the App {app.id} by this key",
            "run `hob doctor`; `hob setup --new` makes another App and keeps what there is beside it",
        ) from None
    except HobError as wrong:
        raise UserError(
            str(wrong), "see whether this machine reaches GitHub (a proxy goes into HTTPS_PROXY)"
        ) from None
    slug = str(told.get("slug", ""))
    return replace(app, slug=slug, html_url=app_page(site_of(api_url), slug, str(told.get("html_url", ""))))


def is_running(config: Config) -> bool:
    """Whether `hob up` (or `hob serve`) answers with this data directory."""
    try:
        url = (config.hob.data_dir / "hob.port").read_text().strip()
        with build_opener(ProxyHandler({})).open(f"{url}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def usual_name() -> str:
    """One that nobody is likely to have: names of Apps are GitHub's own, not an account's."""
    try:
        user = re.sub(r"[^a-z0-9]+", "-", getpass.getuser().lower()).strip("-")[:20]
    except (OSError, KeyError, ImportError):
        user = ""
    return "-".join(part for part in ("hob", user, secrets.token_hex(2)) if part)


async def ask_line(question: str) -> str:
    """What a person answers at the terminal; Ctrl-C ends it as it ends everything. UserError at its end."""
    click.echo(question, err=True, nl=False)
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ready.set)  # a terminal has a whole line by then
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    line = sys.stdin.readline()
    if not line:
        raise UserError("nothing was answered", "run `hob setup` again")
    return line.strip()
