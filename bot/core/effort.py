"""How thoroughly a change is read: by the first of a repository's rules that fits it.

review:
  effort:
    - deep label:security        # a label of the pull request
    - deep src/auth/**           # one of its files, as .gitignore writes patterns
    - quick docs/**              # all of its files
    - quick lines>2000           # added and removed lines that would be read
    - normal
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:  # settings are read where nobody reads diffs
    from bot.core.diff import FileDiff

Effort = Literal["quick", "normal", "deep", "security"]
"""`quick`: the checks and the riskiest parts, once. `deep`: several readings that vote, more code around, and
a look for holes alone. `security`: nothing but that look; people ask for it."""
QUICK_PARTS = 2
"""Prompts of a quick reading."""
DEEP_PASSES = 3
RULE = re.compile(
    r"(quick|normal|deep)"
    r"(?: +(?:label: *(\S[^\n]{0,99})|lines *([<>]) *([0-9]{1,7})|(?!label *:|lines *[<>])(\S[^\n]{0,199})))?"
)
RULE_WORDS = "`quick`, `normal` or `deep`, then nothing, `label:NAME`, `lines>N`, `lines<N` or a path pattern"


def passes(effort: Effort, most: int, *, idle: bool) -> int:
    """How often a change is read. `most`: as the repository says for a machine that has nothing to do."""
    if effort == "deep":
        return max(DEEP_PASSES, most)
    return most if idle and effort == "normal" else 1


@dataclass(frozen=True, slots=True)
class EffortRule:
    """`effort` where what is named holds; a rule that names nothing always holds."""

    effort: Effort
    label: str = ""
    over: int | None = None
    under: int | None = None
    pattern: str = ""


def effort_rule(text: str) -> EffortRule | None:
    """Of one line of the setting; None for what is none."""
    found = RULE.fullmatch(text.strip()) if len(text) <= 400 else None
    if found is None:
        return None
    effort, label, sign, lines, pattern = found.groups()
    count = int(lines) if lines else None
    return EffortRule(
        cast("Effort", effort),
        (label or "").strip(),
        count if sign == ">" else None,
        count if sign == "<" else None,
        (pattern or "").strip(),
    )


def effort_of(
    rules: Sequence[str],
    files: "Sequence[FileDiff]",
    labels: Iterable[str],
    wanted: Callable[[str, Sequence[str]], bool],
    gone: "Sequence[FileDiff]" = (),
) -> tuple[Effort, str]:
    """(effort, the rule that says so): `normal` by no rule. A path makes a reading deeper where one file
    fits, and quicker only where all do; a file that moved is one under both of its names. `wanted` matches a
    path with patterns; `gone`: files of which there is nothing to read, but of which something was taken."""
    lines = sum(file.additions + file.deletions for file in files)
    paths = [path for file in (*files, *gone) for path in {file.path, file.old_path or file.path}]
    has = {label.casefold() for label in labels}
    for text in rules:
        rule = effort_rule(text)
        if rule is None:
            continue
        enough = all if rule.effort == "quick" else any
        holds = (
            (not rule.label or rule.label.casefold() in has)
            and (rule.over is None or lines > rule.over)
            and (rule.under is None or lines < rule.under)
            and (not rule.pattern or (bool(files) and enough(wanted(path, [rule.pattern]) for path in paths)))
        )
        if holds:
            return rule.effort, text.strip()
    return "normal", ""
