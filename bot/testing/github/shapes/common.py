"""Users, Apps, installations, labels, reactions: what stands inside everything else."""

import base64
from collections import Counter
from typing import Any
from urllib.parse import quote

from bot.testing.github.issues import Label, Reaction
from bot.testing.github.world import App, User, World, stamp

Shape = dict[str, Any]
_CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")


def node_id(kind: str, number: int) -> str:
    """Opaque to clients, like GitHub's."""
    return f"{kind}_{base64.urlsafe_b64encode(number.to_bytes(8, 'big')).decode().rstrip('=')}"


def user(world: World, who: User) -> Shape:
    """https://docs.github.com/en/rest/users/users"""
    api = f"{world.api_url}/users/{quote(who.login)}"
    return {
        "login": who.login,
        "id": who.id,
        "node_id": node_id("U", who.id),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{who.id}?v=4",
        "gravatar_id": "",
        "url": api,
        "html_url": _profile(world, who),
        "followers_url": f"{api}/followers",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{api}/subscriptions",
        "organizations_url": f"{api}/orgs",
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events{{/privacy}}",
        "received_events_url": f"{api}/received_events",
        "type": who.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def _profile(world: World, who: User) -> str:
    if who.type == "Bot":
        return f"{world.html_url}/apps/{who.login.removesuffix('[bot]')}"
    return f"{world.html_url}/{who.login}"


def app(world: World, one: App) -> Shape:
    """https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app"""
    return {
        "id": one.id,
        "client_id": one.client_id,
        "slug": one.slug,
        "node_id": node_id("A", one.id),
        "owner": user(world, one.owner),
        "name": one.slug,
        "description": "",
        "external_url": "https://example.com",
        "html_url": f"{world.html_url}/apps/{one.slug}",
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.created_at),
        "permissions": {**one.permissions, "metadata": "read"},
        "events": list(one.events),
    }


def label(api: str, one: Label) -> Shape:
    return {
        "id": one.id,
        "node_id": node_id("LA", one.id),
        "url": f"{api}/labels/{quote(one.name)}",
        "name": one.name,
        "color": one.color,
        "default": one.color != "ededed",
        "description": one.description,
    }


def reaction(world: World, one: Reaction) -> Shape:
    return {
        "id": one.id,
        "node_id": node_id("REA", one.id),
        "user": user(world, one.user),
        "content": one.content,
        "created_at": stamp(one.at),
    }


def reactions(url: str, listed: list[Reaction]) -> Shape:
    """The counts that stand inside the thing reacted to."""
    counted = Counter(one.content for one in listed)
    return {"url": url, "total_count": len(listed), **{content: counted[content] for content in _CONTENTS}}
