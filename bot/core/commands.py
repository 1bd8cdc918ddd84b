"""`@hob review …`, parsed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a comment. `name` is as written after the mention, lower case; `ask` for a bare mention with
    other text; `argument` is the rest of the line (for `ask`: the rest of the comment)."""

    name: str
    argument: str = ""
