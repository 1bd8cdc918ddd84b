"""Registers a GitHub App from a manifest: the form that a person sends to GitHub, and what the code
that comes back is exchanged for.

https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from bot.core.errors import ConfigError, HobError, TemporaryError, UserError
from bot.github.manifest import manifest, path
from bot.github.signing import sign
from bot.github.wire import DEADLINE, GitHubResponse, LostError, NotSentError, Wire
from bot.log import hide

NOWHERE = "https://hob.invalid/webhook"
"""The webhook's address where deliveries are read from GitHub: it keeps only what it tried to send, and
nobody can own this name (RFC 6761)."""
HOMEPAGE = "https://github.com"
LONGEST_NAME = 34
TRIES = 3
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,38}")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|[0-9a-f:]{2,39}")
"""It stands in a policy and in addresses: nothing else may be in it."""
_CODE = re.compile(r"[A-Za-z0-9_-]{1,200}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")


@dataclass(frozen=True, slots=True)
class AppRequest:
    """What a person asks GitHub for. `organization` empty: for their own account; `code`: with what
    writing code takes; `public_url` empty: GitHub cannot reach this Hob, and sends to
    `webhook_url`, where nobody listens."""

    name: str
    organization: str = ""
    code: bool = False
    public_url: str = ""
    webhook_url: str = ""

    @property
    def hook(self) -> str:
        """Where GitHub sends deliveries, or tries to."""
        return f"{self.public_url}/webhook" if self.public_url else self.webhook_url or NOWHERE

    def complaints(self) -> dict[str, str]:
        """Field -> what is wrong with it and what to write instead."""
        found: dict[str, str] = {}
        if not 1 <= len(self.name) <= LONGEST_NAME or not self.name.isprintable() or not slug_of(self.name):
            found["name"] = (
                f"write 1 to {LONGEST_NAME} letters or digits: GitHub takes no other name for an App"
            )
        if self.organization and not _LOGIN.fullmatch(self.organization):
            found["org"] = "write its login as it stands in its address on GitHub, or leave this empty"
        return found


def slug_of(name: str) -> str:
    """What GitHub makes of an App's name for addresses and mentions."""
    return re.sub(r"[^a-z0-9]+", "-", name[:100].lower()).strip("-")


@dataclass(frozen=True, slots=True)
class RegisteredApp:
    """What GitHub made. `html_url`: its public page."""

    id: int
    slug: str
    html_url: str
    pem: str = field(repr=False)
    webhook_secret: str = field(repr=False, default="")


def api_of(address: str) -> str:
    """The API of the GitHub at which people look under this address. ConfigError where it is none."""
    text = address.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        name, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        name = ""
    if not _HOST.fullmatch(name) or parts.scheme not in ("http", "https") or parts.username or parts.query:
        raise ConfigError(
            f"{address[:80]!r} is no address of a GitHub server", "for example https://ghe.example.com"
        )
    if name in ("github.com", "api.github.com"):
        return "https://api.github.com"
    if name.endswith(".ghe.com"):
        return f"https://api.{name.removeprefix('api.')}"
    shown = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}/api/v3"


def form_address(site: str, request: AppRequest, state: str) -> str:
    """Where the form is sent."""
    owner = f"/organizations/{quote(request.organization, safe='')}" if request.organization else ""
    return f"{site}{owner}/settings/apps/new?state={quote(state, safe='')}"


def form_manifest(request: AppRequest, redirect_url: str) -> str:
    """The field `manifest` of the form, JSON."""
    asked = manifest(path(request.code))
    told: dict[str, Any] = {
        "name": request.name,
        "url": HOMEPAGE,
        "hook_attributes": {"url": request.hook, "active": True},
        "redirect_url": redirect_url,
        "public": False,
        "default_permissions": asked.permissions,
        "default_events": sorted(asked.events),
    }
    return json.dumps(told)


def permissions_of(request: AppRequest) -> dict[str, str]:
    return manifest(path(request.code)).permissions


def app_page(site: str, slug: str, told: str = "") -> str:
    """The App's public page, as GitHub told it where that is on this GitHub: it is opened as a link."""
    page = told.rstrip("/")
    if page.startswith(f"{site}/") and page.isascii() and page.isprintable() and " " not in page:
        return page
    return f"{site}/{'apps' if site == 'https://github.com' else 'github-apps'}/{slug}"


def install_address(app_page: str) -> str:
    """Where the App is put on repositories."""
    return f"{app_page}/installations/new"


async def convert(api_url: str, site: str, code: str) -> RegisteredApp:
    """The App that a code stands for, which is good for an hour and once. UserError says what happened and
    what to do; TemporaryError: try again, the code is not used up. https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest"""
    if not _CODE.fullmatch(code):
        raise UserError("what came back from GitHub is no code", "begin again with `hob setup`")
    wire = Wire(None, DEADLINE, 1 << 20)
    headers = {"accept": "application/vnd.github+json", "user-agent": "hob"}
    try:
        answer = await _exchanged(wire, f"{api_url}/app-manifests/{code}/conversions", headers)
    finally:
        await wire.aclose()
    if answer.status != 201:
        raise _refused(answer, site)
    return _read(answer, site)


async def _exchanged(wire: Wire, url: str, headers: dict[str, str]) -> GitHubResponse:
    """Asked again where there was no answer; a lost one may have used the code up, which GitHub then says.
    TemporaryError where that goes on."""
    tries = 0
    while True:
        tries += 1
        try:
            answer = await wire.exchange("POST", url, headers, b"")
        except (NotSentError, LostError) as wrong:
            if tries < TRIES:
                continue
            raise TemporaryError(
                f"GitHub did not answer: {wrong}. See whether this machine reaches it (a proxy goes into "
                "HTTPS_PROXY), and try again."
            ) from None
        if answer.status < 500 or tries == TRIES:
            return answer


def _refused(answer: GitHubResponse, site: str) -> HobError:
    if answer.status in (404, 410, 422):
        return UserError(
            "GitHub does not know this code: it is good for one hour, and once",
            f"begin again with `hob setup`; an App that is at {site}/settings/apps by now can go",
        )
    if answer.status in (403, 429):
        return TemporaryError(f"GitHub answered {answer.status}: wait a minute, and try again.")
    return TemporaryError(
        f"GitHub answered {answer.status}: see https://www.githubstatus.com, and try again."
    )


def _read(answer: GitHubResponse, site: str) -> RegisteredApp:
    odd = UserError(
        "GitHub made the App, and its answer cannot be read",
        f"make a private key for it by hand at {site}/settings/apps (docs/setup.md)",
    )
    try:
        told = json.loads(answer.body)
        number, slug, pem = told["id"], str(told["slug"]), str(told["pem"])
        page, secret = str(told["html_url"]).rstrip("/"), str(told.get("webhook_secret") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise odd from None
    for one in (pem.strip(), secret, str(told.get("client_secret") or "")):
        hide(one)
    if type(number) is not int or number <= 0 or not _SLUG.fullmatch(slug):
        raise odd
    try:
        sign({}, pem)
    except ConfigError:
        raise odd from None
    return RegisteredApp(number, slug, app_page(site, slug, page), pem, secret)
