"""What Hob finds at GitHub."""

import time
from typing import Any

from bot.cli.doctor.line import Wrong
from bot.config import Config, private_key
from bot.core.errors import GitHubError, TemporaryError
from bot.github.client import GitHub
from bot.github.manifest import manifest
from bot.github.wire import Answer, LostError, NotSentError, Wire

TOLERATED_SECONDS = 30
"""Hob corrects its tokens for more; other things on a machine with a wrong clock go wrong too."""
RANK = {"": 0, "read": 1, "write": 2, "admin": 3}


async def reachable(config: Config) -> str:
    answer = await _ask(config)
    if answer.status >= 500:
        raise Wrong(f"{config.github.api_url} answers {answer.status}", "see https://www.githubstatus.com")
    return config.github.api_url


async def clock(config: Config) -> str:
    """This machine's clock against GitHub's `Date`."""
    date = (await _ask(config)).date
    if date is None:
        return "GitHub does not tell the time"
    skew = time.time() - date
    if abs(skew) > TOLERATED_SECONDS:
        raise Wrong(
            f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} GitHub's",
            "turn on time synchronisation",
        )
    return f"within {max(1, round(abs(skew)))} s of GitHub's"


async def app(config: Config) -> str:
    """The App as GitHub knows it against hob.toml and app.yml."""
    if not config.github.app_id:
        raise Wrong("github.app_id is not set", "copy it from the App's settings page")
    found = await _about_us(config)
    slug = str(found.get("slug", ""))
    if slug != config.github.app_slug:
        raise Wrong(
            f"github.app_slug is {config.github.app_slug!r}, and GitHub calls the App {slug!r}",
            f'set app_slug = "{slug}"',
        )
    _has_what_it_needs(found)
    return f"@{slug} has the permissions and events it needs"


def _has_what_it_needs(found: dict[str, Any]) -> None:
    """https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app"""
    needs = manifest()
    given = found.get("permissions") or {}
    missing = [
        f"{name}: {level}"
        for name, level in needs.permissions.items()
        if RANK.get(str(given.get(name, "")), 0) < RANK[level]
    ]
    if missing:
        raise Wrong(f"permissions are missing: {', '.join(missing)}", "grant them on the App's settings page")
    unheard = sorted(needs.events - set(found.get("events") or ()))
    if unheard:
        raise Wrong(
            f"events are missing: {', '.join(unheard)}", "subscribe to them on the App's settings page"
        )


async def _about_us(config: Config) -> dict[str, Any]:
    github = config.github
    try:
        async with GitHub(github.api_url, github.app_id, private_key(config), slug=github.app_slug) as client:
            found: dict[str, Any] = await client.app().get("/app")
    except GitHubError as wrong:
        hint = (
            "app_id and private key must belong to the same App"
            if wrong.status in (401, 404)
            else "try again"
        )
        raise Wrong(str(wrong), hint) from None
    except TemporaryError as wrong:
        raise Wrong(str(wrong), "see whether this machine reaches github.api_url") from None
    return found


async def _ask(config: Config) -> Answer:
    wire = Wire(None, 10.0, 1 << 20)
    try:
        return await wire.exchange("GET", f"{config.github.api_url}/meta", {"user-agent": "hob"}, b"")
    except (NotSentError, LostError) as wrong:
        raise Wrong(str(wrong), "see whether this machine reaches github.api_url") from None
    finally:
        await wire.aclose()
