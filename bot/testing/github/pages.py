"""The few pages of the website that people meet while they set an App up, as far as they decide something:
naming it, putting it on repositories. `github.person` is who is signed in there.

https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

import html
import ipaddress
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bot.testing.github.shapes import common
from bot.testing.github.wire import RestCall, RestResponse, not_found

_NEW = re.compile(r"/(?:organizations/([^/]+)/)?settings/apps/(new|manifest)")
_INSTALL = re.compile(r"/(?:github-)?apps/([^/]+)/installations/new")
_HEARD_ANYWAY = ("installation", "installation_repositories", "github_app_authorization")
CODE_SECONDS = 3600.0


@dataclass(eq=False)
class Registered:
    """An App that was made from a manifest, and whose code nobody has exchanged yet."""

    manifest: dict[str, Any]
    owner: str
    made_at: float


def is_page(path: str) -> bool:
    return bool(_NEW.fullmatch(path) or _INSTALL.fullmatch(path))


def serve(github: Any, call: RestCall) -> RestResponse:
    """What the website answers, in HTML."""
    fields = {name: some[0] for name, some in parse_qs(call.body.decode("utf-8", "replace")).items()}
    with github.changed:
        try:
            if found := _INSTALL.fullmatch(call.path):
                return _installing(github, call, found[1])
            found = _NEW.fullmatch(call.path)
            organization = found[1] if found and found[1] else ""
            if found and found[2] == "new":
                return _naming(github, call, organization, fields)
            return _made(github, call, organization, fields)
        finally:
            github.changed.notify_all()


def _naming(github: Any, call: RestCall, organization: str, fields: dict[str, str]) -> RestResponse:
    """Shows what the manifest asks for, and lets a person choose the name."""
    if organization and organization not in github.owns:
        return _page(404, "<h1>404</h1><p>This is not the web page you are looking for.</p>")
    if call.method != "POST":
        return _page(200, "<h1>Register new GitHub App</h1>")
    if why := _wrong(fields.get("manifest", "")):
        return _page(
            422,
            f"<h1>Invalid GitHub App configuration</h1><p>The configuration does not appear to be a valid "
            f"GitHub App manifest.</p><p>Error: {html.escape(why)}</p>",
        )
    name = str(json.loads(fields["manifest"]).get("name", ""))
    return _form(organization, call.query.get("state", ""), fields["manifest"], name)


def _form(organization: str, state: str, manifest: str, name: str, wrong: str = "") -> RestResponse:
    owner = f"/organizations/{organization}" if organization else ""
    said = f'<p role="alert">{html.escape(wrong)}</p>' if wrong else ""
    return _page(
        422 if wrong else 200,
        f'<h1>Create GitHub App</h1><form method="post" action="{owner}/settings/apps/manifest">'
        f'<input type="hidden" name="manifest" value="{html.escape(manifest)}">'
        f'<input type="hidden" name="state" value="{html.escape(state)}">'
        f'<label>GitHub App name <input name="name" value="{html.escape(name)}"></label>{said}'
        "<button>Create GitHub App</button></form>",
    )


def _wrong(manifest: str) -> str:
    """What GitHub says of a manifest that it does not take."""
    try:
        told = json.loads(manifest)
    except ValueError:
        return "the manifest is not JSON"
    hook = told.get("hook_attributes")
    if not told.get("url") or (hook is not None and not hook.get("url")):
        return '"url" wasn\'t supplied.'
    if hook is not None and not _is_public(urlsplit(hook["url"]).hostname or ""):
        return "Hook url is not supported because it isn't reachable over the public Internet (localhost)"
    if len(str(told.get("name", ""))) > 34:
        return "Name is too long (maximum is 34 characters)"
    refused = [event for event in told.get("default_events", ()) if event in _HEARD_ANYWAY]
    return f"Default events unsupported: {', '.join(refused)}" if refused else ""


def _is_public(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_global
    except ValueError:
        return name != "localhost" and "." in name


def _made(github: Any, call: RestCall, organization: str, fields: dict[str, str]) -> RestResponse:
    """The App is there now, and its maker is led back with a code."""
    manifest = json.loads(fields["manifest"])
    name = fields.get("name", "").strip()
    if call.method != "POST" or slug(name) in github.apps or not slug(name):
        state = fields.get("state", "")
        return _form(organization, state, fields["manifest"], name, "Name is already taken")
    code = secrets.token_hex(20)
    github.registered[code] = Registered(
        {**manifest, "name": name}, organization or github.person, github.now()
    )
    given = urlencode({"code": code, **({"state": fields["state"]} if fields.get("state") else {})})
    back = str(manifest["redirect_url"])
    return RestResponse(302, headers={"Location": f"{back}{'&' if '?' in back else '?'}{given}"})


def slug(name: str) -> str:
    """An App's name as addresses and mentions have it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def converted(github: Any, code: str) -> dict[str, Any]:
    """The App with its secrets, once."""
    made = github.registered.pop(code, None)
    if made is None or github.now() - made.made_at > CODE_SECONDS:
        raise not_found()
    hook = made.manifest.get("hook_attributes") or {}
    active = hook.get("active", True)
    secret = secrets.token_hex(20) if hook.get("url") and active else ""
    app = github.register(
        made.owner,
        slug(made.manifest["name"]),
        app_id=github.next_id(),
        permissions=dict(made.manifest.get("default_permissions", {})),
        events=list(made.manifest.get("default_events", ())),
        webhook_url=str(hook["url"]) if secret else "",
        secret=secret,
    )
    shown = common.app(github, app)
    shown["name"] = made.manifest["name"]
    return {
        **shown,
        "client_secret": secrets.token_hex(20),
        "webhook_secret": secret or None,
        "pem": github.private_key,
    }


def _installing(github: Any, call: RestCall, name: str) -> RestResponse:
    """Puts the App on all of the owner's repositories, where the person says so."""
    if github.app is None or github.app.slug != name:
        return _page(404, "<h1>404</h1><p>This is not the web page you are looking for.</p>")
    if call.method != "POST":
        button = f'<form method="post" action="{call.path}"><button>Install</button></form>'
        return _page(200, f"<h1>Install {html.escape(name)}</h1>{button}")
    made = github.install_app(github.app.owner.login)
    return _page(200, f"<h1>Installed</h1><p>{html.escape(name)} is installed as {made.id}.</p>")


def _page(status: int, body: str) -> RestResponse:
    whole = f'<!doctype html><html lang="en"><title>GitHub</title>{body}'
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'none'; form-action *",
    }
    return RestResponse(status, headers=headers, raw=whole.encode())
