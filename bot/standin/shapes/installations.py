"""Installations of an App."""

from bot.standin.installations import Installation
from bot.standin.shapes.common import Shape, user
from bot.standin.world import World, stamp


def installation(world: World, one: Installation) -> Shape:
    """https://docs.github.com/en/rest/apps/apps#get-an-installation-for-the-authenticated-app"""
    api = world.api_url
    return {
        "id": one.id,
        "client_id": one.app.client_id,
        "account": user(world, one.account),
        "repository_selection": "all" if one.repositories is None else "selected",
        "access_tokens_url": f"{api}/app/installations/{one.id}/access_tokens",
        "repositories_url": f"{api}/installation/repositories",
        "html_url": f"{world.html_url}/organizations/{one.account.login}/settings/installations/{one.id}",
        "app_id": one.app.id,
        "app_slug": one.app.slug,
        "target_id": one.account.id,
        "target_type": one.account.type,
        "permissions": {**one.permissions, "metadata": "read"},
        "events": list(one.app.events),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user(world, one.account) if one.suspended_at else None,
        "suspended_at": stamp(one.suspended_at) if one.suspended_at else None,
    }
