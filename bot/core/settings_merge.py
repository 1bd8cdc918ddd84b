"""Settings from several places made into one: default < user < organisation < repository < `.github/hob.yml`.

The later layer wins, key by key, with one exception. What guards something (`online`, `code.enabled`,
`code.allow`) can only be narrowed: `online` by every layer, the other two by the file, which whoever may push
can change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from bot.core.settings import (
    CHECKS,
    CodeSettings,
    IssueSettings,
    PathInstruction,
    RepoSettings,
    ReviewSettings,
)
from bot.core.settings_schema import ALLOW, KEYS, ONLINE, ROLES

DEFAULT = "default"
FILE = ".github/hob.yml"
NARROWEST_FIRST: dict[str, tuple[Any, ...]] = {
    "online": ONLINE,
    "code.enabled": (False, True),
    "code.allow": ALLOW,
}


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says, by key. `name` is for people: `repository octo/tea`."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Valued:
    """A value and the layer that it comes from."""

    value: Any
    layer: str = DEFAULT


def merge(stored: Iterable[Layer], file: Layer | None = None) -> dict[str, Valued]:
    """Every key's value with the layer it comes from. `stored`: least telling first."""
    merged = {key.name: Valued(_default(key.name)) for key in KEYS}
    for layer in stored:
        for name, value in layer.values.items():
            narrows = name == "online"
            merged[name] = (
                _narrower(name, merged[name], layer, value) if narrows else Valued(value, layer.name)
            )
    for name, value in file.values.items() if file else ():
        guarded = name in NARROWEST_FIRST and (merged[name].layer != DEFAULT or name == "online")
        assert file is not None  # noqa: S101  there is nothing to loop over otherwise
        merged[name] = _narrower(name, merged[name], file, value) if guarded else Valued(value, file.name)
    return merged


def settings_of(merged: Mapping[str, Valued]) -> RepoSettings:
    """The merged values as agents read them."""
    value = {name: one.value for name, one in merged.items()}
    review: dict[str, Any] = {**_group(value, "review"), "checks": _checks(value)}
    review["instructions"] = tuple(
        one if isinstance(one, PathInstruction) else PathInstruction(**one) for one in review["instructions"]
    )
    return RepoSettings(
        review=ReviewSettings(**review),
        issues=IssueSettings(**_group(value, "issues")),
        code=CodeSettings(**_group(value, "code")),
        models={role: value[f"models.{role}"] for role in ROLES if value[f"models.{role}"]},
        **{name: found for name, found in value.items() if "." not in name},
    )


def _narrower(name: str, before: Valued, layer: Layer, value: Any) -> Valued:
    ranks = NARROWEST_FIRST[name].index
    return Valued(value, layer.name) if ranks(value) <= ranks(before.value) else before


def _group(values: Mapping[str, Any], group: str) -> dict[str, Any]:
    """The keys of one section that have no section of their own."""
    split = {name.partition(".")[2]: value for name, value in values.items() if name.startswith(f"{group}.")}
    return {name: value for name, value in split.items() if "." not in name}


def _checks(values: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name in CHECKS if values[f"review.checks.{name}"])


def _default(name: str) -> Any:
    """What `RepoSettings()` has under a dotted name."""
    found: Any = RepoSettings()
    for part in name.split("."):
        if isinstance(found, frozenset):
            return part in found
        if isinstance(found, dict):
            return found.get(part, ())
        found = getattr(found, part)
    return found


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: getattr(value, one.name) for one in fields(value)}
    return [plain(one) for one in value] if isinstance(value, tuple | list) else value
