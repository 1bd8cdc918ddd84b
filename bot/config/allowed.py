"""What stored settings may ask of this process: nothing that hob.toml does not allow."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bot.config.models import Config
from bot.core.adapters import Adapter, in_front

if TYPE_CHECKING:
    from bot.core.inference import Role
    from bot.core.settings import RepoSettings


def why_not(config: Config, key: str, value: Any) -> str:
    """Why a value that its key can have is not allowed here; empty when it is."""
    from bot.core.settings_schema import ONLINE

    online = config.privacy.online
    if key == "online" and ONLINE.index(value) > ONLINE.index(online):
        return f'privacy.online in hob.toml is "{online}", and a setting cannot widen it'
    if key == "prefer" and value == "online" and online == "never":
        return 'privacy.online in hob.toml is "never": no online host is asked'
    if key.startswith("models."):
        known = configured(config, key == "models.embed")
        if unknown := [name for name in value if name not in known]:
            return f"{unknown[0]} is not named in [models] of hob.toml; those are: {', '.join(known)}"
    return ""


def configured(config: Config, embeds: bool = False) -> tuple[str, ...]:
    """The models that `[models]` names: of all roles that talk, or of the one that makes vectors."""
    by_role = config.models.by_role()
    named = [name for role in by_role if (role == "embed") == embeds for name in by_role[role]]
    return tuple(dict.fromkeys(named))


def chosen(
    config: Config, settings: "RepoSettings", part: float = 1.0, adapters: Iterable[Adapter] = ()
) -> Mapping["Role", tuple[str, ...]]:
    """Models by role for a repository: its wishes as far as they are still configured, else the process's.
    `part` (0 to 1) is where this question falls: below a role's share the second model comes first. The
    repository's own `adapters` (`Pool.adapters`) come each before the model that it was made of."""
    models: dict[Role, tuple[str, ...]] = {}
    for role, own in config.models.by_role().items():
        known = configured(config, role == "embed")
        wished = tuple(name for name in settings.models.get(role, ()) if name in known)
        first, second, *rest = [*(wished or own), "", ""]
        swapped = second and not wished and part < config.models.share.get(role, 0.0)
        order = (second, first, *rest) if swapped else (first, second, *rest)
        models[role] = tuple(name for name in order if name)
    models["review"] = in_front(models["review"], adapters)
    return models
