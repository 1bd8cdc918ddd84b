"""Whether GitHub lets Hob write code where somebody wants that."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.cli.doctor.installed import MOST_NAMED, account, list_installations, pages
from bot.cli.doctor.line import Wrong
from bot.cli.doctor.remote import asked, page
from bot.config import Config, load_router
from bot.core.effects import PushCommit
from bot.core.text import some_of
from bot.github.manifest import CODE
from bot.proposals import NOT_GRANTED

MOST_RUNS = 500
"""The newest runs, among which those are looked for that had to say so."""


async def permission(config: Config) -> str:
    """Of the App and of each installation. It is a failure only where code is wanted."""
    app, listed = await asyncio.gather(asked(config, "/app"), list_installations(config))
    installations = [one for one in listed if not one.get("suspended_at")]
    lacking = [one for one in installations if not _grants(one)]
    wanted = await asyncio.to_thread(_wanted, config)
    if _grants(app) and not lacking:
        return f"may be written in {len(installations)} installations (contents: write)"
    means = f"{_commands(config)} answer with words only"
    if not wanted:
        return f"not written, and nobody here wants it: without contents: write {means}"
    who = f"code is wanted ({some_of(wanted, MOST_NAMED)}), and"
    if not _grants(app):
        raise Wrong(
            f"{who} the App has not contents: write, so {means}",
            f"grant Contents: read and write at {page(config, app)}/permissions, then accept it in each "
            "installation",
        )
    theirs = some_of([account(one) for one in lacking], MOST_NAMED)
    raise Wrong(
        f"{who} contents: write is not accepted by {theirs}, so {means} there",
        f"whoever installed the App accepts its new permissions at {pages(lacking)}",
    )


def _grants(found: Mapping[str, Any]) -> bool:
    given = found.get("permissions") or {}
    return all(given.get(name) == level for name, level in CODE.items())


def _commands(config: Config) -> str:
    router = load_router(config)
    names = (name for name, route in router.commands.items() if PushCommit in route.may)
    return ", ".join(f"`{name}`" for name in sorted(names))


def _wanted(config: Config) -> list[str]:
    """Who is known to: `[code.tests]`, stored settings, repositories in which somebody asked and was told."""
    from bot.store import StoreUnavailable, open_store

    found = [f'[code.tests."{name}"]' for name in getattr(config.code, "tests", {})]
    store = open_store(config.store.database_url)
    try:
        if store.database.file.is_missing:
            return found
        stored = store.settings.saying("code.enabled")
        found += [f"stored settings of {name}" for _, name, value in stored if value is True]
        told = (run.repo for run in store.runs.latest(MOST_RUNS) if run.summary.startswith(NOT_GRANTED[:60]))
        found += [f"people in {repo}" for repo in dict.fromkeys(told)]
    except StoreUnavailable:
        pass  # a line of its own says so
    finally:
        store.close()
    return found
