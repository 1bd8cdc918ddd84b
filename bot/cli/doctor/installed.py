"""Where the App is installed, and what was granted to it there."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.cli.doctor.line import Wrong
from bot.cli.doctor.remote import asked, lacking
from bot.config import Config
from bot.core.text import some_of
from bot.github.manifest import UNASKED, Manifest, manifest
from bot.github.site import site_of

MOST_NAMED = 5


async def list_installations(config: Config) -> list[dict[str, Any]]:
    """The first hundred that are not suspended, and as many as are."""
    listed = await asked(config, "/app/installations?per_page=100")
    return [one for one in listed if isinstance(one, dict)]


async def installations(config: Config) -> str:
    """That each account has accepted what the App asks for. What the App itself has not is its own line's
    business."""
    about, listed = await asyncio.gather(asked(config, "/app"), list_installations(config))
    live = [one for one in listed if not one.get("suspended_at")]
    asleep = [account(one) for one in listed if one.get("suspended_at")]
    if not listed:
        site = site_of(config.github.api_url)
        return f"nowhere yet: install it at {site}/apps/{config.github.app_slug}/installations/new"
    needs = _had_by(about)
    behind = {account(one): one for one in live if _lacks(one, needs)}
    if behind:
        lacks = _lacks(next(iter(behind.values())), needs)
        raise Wrong(
            f"{some_of(list(behind), MOST_NAMED)} has not accepted {', '.join(lacks)}",
            f"whoever installed it accepts that at {pages(list(behind.values()))}",
        )
    said = f"{len(live)}{' or more' if len(listed) == 100 else ''}, each with what the App needs"
    return f"{said}; suspended by {some_of(asleep, MOST_NAMED)}" if asleep else said


def account(installation: Mapping[str, Any]) -> str:
    return str((installation.get("account") or {}).get("login", installation.get("id")))


def pages(some: list[dict[str, Any]]) -> str:
    """Where their owners accept what is asked for, as GitHub says: those of its Enterprise Server too."""
    given = [str(one.get("html_url") or "Settings, GitHub Apps, Review request") for one in some]
    return some_of(given, MOST_NAMED)


def _had_by(about: Mapping[str, Any]) -> Manifest:
    """Of what Hob needs, what the App itself asks for."""
    needs, given = manifest(), about.get("permissions") or {}
    permissions = {
        name: level for name, level in needs.permissions.items() if not lacking({name: level}, given)
    }
    return Manifest(permissions, needs.events & set(about.get("events") or ()))


def _lacks(one: Mapping[str, Any], needs: Manifest) -> list[str]:
    lacks = [f"{name}: {level}" for name, level in lacking(needs.permissions, one.get("permissions") or {})]
    unheard = needs.events - UNASKED - set(one.get("events") or ())
    return [*lacks, *(f"event {name}" for name in sorted(unheard))]
