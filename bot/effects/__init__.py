"""From an effect to its family, one module each: all that Hob knows of it but its value, which is in
`bot.core.effects`."""

from typing import Any

from bot.core.effects import Effect
from bot.effects import (
    check_run,
    code,
    comment,
    drafts,
    issue,
    labels,
    memory,
    pull_request,
    reaction,
    review,
)
from bot.effects.base import Duties, E, OnGitHub

FAMILIES = (review, check_run, code, comment, labels, reaction, pull_request, memory, drafts, issue)
DUTIES: dict[type[Any], Duties[Any]] = {one.kind: one for family in FAMILIES for one in family.FAMILY}
UNDOING: frozenset[type[Effect]] = frozenset().union(*(one.undone_by for one in DUTIES.values()))
"""All kinds that take something back."""
BUILDING_ON_BEFORE = frozenset(kind for kind, one in DUTIES.items() if one.builds_on_before)
"""Effects that build on what was done before: two runs with them must not overlap."""


def of(effect: E) -> Duties[E]:
    return DUTIES[type(effect)]


def on_github(effect: E) -> OnGitHub[E]:
    """TypeError for what is kept in Hob's own database alone."""
    duties = of(effect)
    if not isinstance(duties, OnGitHub):
        raise TypeError(f"a {type(effect).__name__} is not on GitHub")
    return duties
