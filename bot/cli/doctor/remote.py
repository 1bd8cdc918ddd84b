"""What Hob finds at GitHub."""

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from itertools import takewhile
from typing import Any
from urllib.parse import quote

from bot.cli.doctor.line import Wrong, ago
from bot.config import Config, private_key
from bot.core.errors import GitHubError, TemporaryError
from bot.github.client import GitHub
from bot.github.manifest import manifest
from bot.github.site import site_of
from bot.github.wire import GitHubResponse, LostError, NotSentError, Wire

TOLERATED_SECONDS = 30
"""Hob corrects its tokens for more; other things on a machine with a wrong clock go wrong too."""
DELIVERIES = 10
"""The latest that are looked at."""
LACKS = "the App lacks something: "
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


async def webhook(config: Config) -> str:
    """The App's webhook as GitHub has it, and how the latest deliveries were answered.
    https://docs.github.com/en/rest/apps/webhooks"""
    hook, about = await asyncio.gather(asked(config, "/app/hook/config"), asked(config, "/app"))
    url, wanted, at = str(hook.get("url") or ""), f"{config.server.public_url}/webhook", page(config, about)
    if not config.intake.receives:
        return await _only_kept(config, url, at)
    if not url:
        raise Wrong("the App has no webhook address", f"set it to {_address(config)} at {at}")
    if config.server.public_url and url.rstrip("/") != wanted:
        raise Wrong(f"GitHub sends to {url}, and server.public_url makes it {wanted}", f"set it at {at}")
    if not hook.get("secret"):
        raise Wrong("the App's webhook has no secret", f"enter github.webhook_secret at {at}")
    if hook.get("content_type") != "json":
        raise Wrong("the App's webhook does not send JSON", f"choose application/json at {at}")
    if url.startswith("https:") and str(hook.get("insecure_ssl", "0")) != "0":
        raise Wrong("GitHub does not verify the certificate of the webhook", f"turn verification on at {at}")
    latest = await _deliveries(config)
    bad = list(takewhile(lambda code: not 200 <= code < 300, (int(one["status_code"]) for one in latest)))
    if bad:
        count = "the latest delivery" if len(bad) == 1 else f"the latest {len(bad)} deliveries"
        raise Wrong(f"{count} failed ({_word(bad[0])})", _mend(bad[0], url, at))
    return (
        f"{url}, {'its latest delivery was taken' + _when(latest) if latest else 'nothing was delivered yet'}"
    )


async def _deliveries(config: Config) -> list[dict[str, Any]]:
    """The latest; `Wrong` where this GitHub keeps none."""
    try:
        found: list[dict[str, Any]] = await asked(config, f"/app/hook/deliveries?per_page={DELIVERIES}")
    except Wrong as wrong:
        if "answered 404" not in str(wrong):
            raise
        raise Wrong(
            "this GitHub does not list deliveries (404)",
            'upgrade GitHub Enterprise Server to 3.2 or newer, or set intake.mode = "webhook"',
        ) from None
    return found


def _when(latest: list[dict[str, Any]]) -> str:
    """`, 3 minutes ago`, where GitHub says so."""
    try:
        at = datetime.fromisoformat(str(latest[0]["delivered_at"])).timestamp()
    except (ValueError, KeyError):
        return ""
    return f", {ago(time.time() - at)} ago"


async def _only_kept(config: Config, url: str, at: str) -> str:
    """Where Hob reads the deliveries from GitHub: it keeps those that it tried to send, and nobody else
    should be given them."""
    hint = f"turn the webhook on, with an address where nobody listens, at {at} (docs/operations.md)"
    if not url:
        raise Wrong("the App has no webhook address, and GitHub keeps only what it tries to send", hint)
    latest = await _deliveries(config)
    taken = sum(200 <= int(one["status_code"]) < 300 for one in latest)
    if taken:
        said = f"intake.mode is poll, but {url} took {taken} of the latest {len(latest)} deliveries"
        raise Wrong(said, f'{hint}; or set intake.mode = "both", if that is this Hob')
    if not latest:
        return (
            f"{url} need not answer: intake.mode is poll; GitHub lists no delivery yet (if something "
            f"happened since, the webhook is not Active: tick it at {at})"
        )
    kept = f"{len(latest)} of the latest deliveries are kept, the last{_when(latest)}"
    return f"{url} need not answer: intake.mode is poll; {kept}"


def _address(config: Config) -> str:
    return f"{config.server.public_url or 'https://YOUR-HOST'}/webhook"


def _word(code: int) -> str:
    return {0: "not sent", 502: "502, no connection", 504: "504, no answer in time"}.get(code, str(code))


def _mend(code: int, url: str, at: str) -> str:
    match code:
        case 401:
            return f"the App's webhook secret is not github.webhook_secret: enter the same one at {at}"
        case 404:
            return f"the address has to end in /webhook: {url}"
        case _:
            return "see whether hob up runs, and whether GitHub reaches the address (a proxy, a tunnel, DNS)"


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
    _has_what_it_needs(found, page(config, found))
    return f"@{slug} has the permissions and events it needs"


def _has_what_it_needs(found: dict[str, Any], at: str) -> None:
    """https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app"""
    needs = manifest()
    given = found.get("permissions") or {}
    missing = [f"{name}: {level}" for name, level in lacking(needs.permissions, given)]
    if missing:
        raise Wrong(
            f"{LACKS}permissions are missing: {', '.join(missing)}",
            f"grant them at {at}/permissions, then accept them in each installation",
        )
    unheard = sorted(needs.events - set(found.get("events") or ()))
    if unheard:
        raise Wrong(
            f"{LACKS}events are missing: {', '.join(unheard)}", f"subscribe to them at {at}/permissions"
        )


def lacking(needed: Mapping[str, str], given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The permissions that are not given, or not so far."""
    return [
        (name, level)
        for name, level in needed.items()
        if RANK.get(str(given.get(name, "")), 0) < RANK.get(level, 0)
    ]


def page(config: Config, about: Mapping[str, Any]) -> str:
    """The App's settings page, of a user or an organisation. `about`: what `/app` says."""
    site, owner = site_of(config.github.api_url), about.get("owner") or {}
    login, kind = quote(str(owner.get("login") or "")), str(owner.get("type") or "")
    slug = quote(str(about.get("slug") or config.github.app_slug))
    of = f"/organizations/{login}" if kind == "Organization" else ""
    of = f"/enterprises/{quote(str(owner.get('slug')))}" if "login" not in owner and owner.get("slug") else of
    return f"{site}{of}/settings/apps/{slug}"


async def _about_us(config: Config) -> dict[str, Any]:
    found: dict[str, Any] = await asked(config, "/app")
    return found


async def asked(config: Config, path: str) -> Any:
    """An answer to the App itself."""
    github = config.github
    try:
        key, way = private_key(config), config.network.way()
        async with GitHub(github.api_url, github.app_id, key, slug=github.app_slug, network=way) as client:
            return await client.app().get(path)
    except GitHubError as wrong:
        hint = (
            "app_id and private key must belong to the same App"
            if wrong.status in (401, 404)
            else "try again"
        )
        raise Wrong(str(wrong), hint) from None
    except TemporaryError as wrong:
        raise Wrong(str(wrong), "see whether this machine reaches github.api_url") from None


async def _ask(config: Config) -> GitHubResponse:
    wire = Wire(None, 10.0, 1 << 20, config.network.way())
    try:
        return await wire.exchange("GET", f"{config.github.api_url}/meta", {"user-agent": "hob"}, b"")
    except (NotSentError, LostError) as wrong:
        raise Wrong(str(wrong), "see whether this machine reaches github.api_url") from None
    finally:
        await wire.aclose()
