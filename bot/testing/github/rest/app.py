"""The App itself: installations, tokens, deliveries, the rate limit. https://docs.github.com/en/rest/apps/apps"""

import base64
from typing import Any

from bot.testing.github import pages
from bot.testing.github.auth import LEVELS
from bot.testing.github.deliveries import DeliveryAttempt
from bot.testing.github.installations import Installation
from bot.testing.github.repository import Repository
from bot.testing.github.shapes import common, repos
from bot.testing.github.shapes.hooks import installation
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, not_found, route
from bot.testing.github.world import stamp


@route("POST", "/app-manifests/{code}/conversions", anyone=True)
def convert(call: RestCall) -> RestResponse:
    """A code is good for an hour and once. https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest"""
    return RestResponse(201, pages.converted(call.state, call.params["code"]))


@route("GET", "/app", app=True)
def get_app(call: RestCall) -> RestResponse:
    assert call.state.app is not None
    count = len(call.state.installations)
    return RestResponse(200, common.app(call.state, call.state.app) | {"installations_count": count})


def _installation(call: RestCall) -> Installation:
    found = call.state.installations.get(call.number("id"))
    if found is None:
        raise not_found()
    return found


@route("GET", "/app/installations", app=True)
def list_installations(call: RestCall) -> RestResponse:
    return call.page(list(call.state.installations.values()), lambda one: installation(call.state, one))


@route("GET", "/app/installations/{id}", app=True)
def get_installation(call: RestCall) -> RestResponse:
    return RestResponse(200, installation(call.state, _installation(call)))


@route("GET", "/repos/{owner}/{repo}/installation", app=True)
def get_repo_installation(call: RestCall) -> RestResponse:
    found = call.state.installation_of(call.repo())
    if found is None:
        raise not_found()
    return RestResponse(200, installation(call.state, found))


@route("POST", "/app/installations/{id}/access_tokens", app=True)
def create_token(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app"""
    where, asked = _installation(call), call.json()
    if where.suspended_at:
        raise RestRefusal(403, "This installation has been suspended")
    chosen = _chosen(call, where, asked)
    permissions = _narrowed(where, asked.get("permissions"))
    token = call.state.mint(where, permissions, tuple(repo.id for repo in chosen))
    body: dict[str, Any] = {
        "token": token.value,
        "expires_at": stamp(token.expires_at),
        "permissions": {**permissions, "metadata": "read"},
        "repository_selection": "selected" if chosen or where.repositories is not None else "all",
    }
    if chosen:
        body["repositories"] = [repos.repository(repo) for repo in chosen]
    return RestResponse(201, body)


def _chosen(call: RestCall, where: Installation, asked: dict[str, Any]) -> list[Repository]:
    every = list(call.state.repositories.values())
    ids, names = asked.get("repository_ids") or [], asked.get("repositories") or []
    chosen = [
        repo for repo in every if repo.id in ids or (repo.name in names and repo.owner is where.account)
    ]
    if len(chosen) < len(set(ids) | set(names)) or not all(where.covers(repo) for repo in chosen):
        raise RestRefusal(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent "
            "installation.",
        )
    return chosen


def _narrowed(where: Installation, asked: Any) -> dict[str, str]:
    if not asked:
        return dict(where.permissions)
    for name, level in asked.items():
        granted = "read" if name == "metadata" else where.permissions.get(name, "none")
        if level not in LEVELS or LEVELS.index(level) > LEVELS.index(granted):
            raise RestRefusal(422, "The permissions requested are not granted to this installation.")
    return dict(asked)


@route("GET", "/installation/repositories")
def list_repositories(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation"""
    assert call.token is not None
    where, ids = call.token.installation, call.token.repository_ids
    reached = [
        one for one in call.state.repositories.values() if where.covers(one) and (not ids or one.id in ids)
    ]
    shown, headers = call.cut(reached)
    body = {
        "total_count": len(reached),
        "repository_selection": "all" if where.repositories is None else "selected",
        "repositories": [repos.repository(one) for one in shown],
    }
    return RestResponse(200, body, headers)


@route("DELETE", "/installation/token")
def revoke_token(call: RestCall) -> RestResponse:
    assert call.token is not None
    call.token.revoked = True
    return RestResponse(204)


@route("GET", "/rate_limit")
def get_rate_limit(call: RestCall) -> RestResponse:
    assert call.token is not None
    used = call.state.limits.used(call.token.installation.id)
    reset = call.state.limits.reset_at(call.state.now())
    limit = call.state.limits.per_hour
    core = {"limit": limit, "used": used, "remaining": max(limit - used, 0), "reset": reset}
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": reset}
    graphql = {"limit": limit, "used": 0, "remaining": limit, "reset": reset}
    return RestResponse(
        200, {"resources": {"core": core, "search": search, "graphql": graphql}, "rate": core}
    )


def _item(one: DeliveryAttempt) -> dict[str, Any]:
    return {
        "id": one.id,
        "guid": one.guid,
        "delivered_at": stamp(one.delivered_at),
        "redelivery": one.redelivery,
        "duration": one.duration,
        "status": one.status,
        "status_code": one.status_code,
        "event": one.event,
        "action": one.action,
        "installation_id": one.installation_id,
        "repository_id": one.repository_id,
        "throttled_at": None,
    }


@route("GET", "/app/hook/config", app=True)
def get_hook_config(call: RestCall) -> RestResponse:
    """The secret is never told. https://docs.github.com/en/rest/apps/webhooks#get-a-webhook-configuration-for-an-app"""
    post = call.state.post
    told = {"content_type": "json", "insecure_ssl": "0", **({"url": post.url} if post.url else {})}
    return RestResponse(200, told | ({"secret": "********"} if post.secret else {}))


@route("GET", "/app/hook/deliveries", app=True)
def list_deliveries(call: RestCall) -> RestResponse:
    """Newest first, paged by cursor. https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook"""
    listed = call.state.listed_deliveries()
    wanted = call.query.get("status", "")
    if wanted in ("success", "failure"):
        listed = [one for one in listed if one.ok == (wanted == "success")]
    cursor = _cursor(call.query.get("cursor", ""))
    rest = [one for one in listed if cursor is None or one.id <= cursor]
    size = min(max(int(call.query.get("per_page", "30")), 1), 100)
    headers = {}
    if len(rest) > size:
        following = base64.urlsafe_b64encode(f"v1_{rest[size].id}".encode()).decode()
        headers["Link"] = f'<{call.root}{call.path}?per_page={size}&cursor={following}>; rel="next"'
    return RestResponse(200, [_item(one) for one in rest[:size]], headers)


def _cursor(text: str) -> int | None:
    try:
        return int(base64.urlsafe_b64decode(text).decode().removeprefix("v1_")) if text else None
    except ValueError:
        raise RestRefusal(422, "Invalid cursor") from None


def _delivery(call: RestCall) -> DeliveryAttempt:
    found = next((one for one in call.state.listed_deliveries() if one.id == call.number("id")), None)
    if found is None:
        raise not_found()
    return found


@route("GET", "/app/hook/deliveries/{id}", app=True)
def get_delivery(call: RestCall) -> RestResponse:
    one = _delivery(call)
    try:
        payload: Any = one.payload
    except ValueError:
        payload = None
    whole = {
        "url": call.state.post.url,
        "request": {"headers": one.headers, "payload": payload},
        "response": {"headers": one.answer_headers, "payload": one.answer},
    }
    return RestResponse(200, _item(one) | whole)


@route("POST", "/app/hook/deliveries/{id}/attempts", app=True)
def redeliver(call: RestCall) -> RestResponse:
    call.state.redeliver(_delivery(call))
    return RestResponse(202, {})
