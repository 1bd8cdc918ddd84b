"""What several remarks say together: a cause stands for what follows from it, one remark for its equals."""

import ast
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from bot.checks import linter
from bot.core.check_input import CheckedChange
from bot.core.findings import Finding, also_at, bare, digest
from bot.core.text import strip_invisible

_ONE_EACH = frozenset({"secrets", "leftovers", "invisible", "conflicts", "coverage"})
"""Whose remarks are each about a thing of its own."""


def causes_only(findings: Iterable[Finding], change: CheckedChange) -> list[Finding]:
    """Without what other remarks explain: a file with conflict markers does not parse, nor does one in which
    characters that nobody sees stand in the code. What breaks a file is critical."""
    said = list(findings)
    conflicts = {one.path for one in said if one.source == "conflicts"}
    unseen = {(one.path, one.line) for one in said if one.source == "invisible"}
    breaking = {
        one.path
        for one in said
        if _is_syntax(one) and one.path in {path for path, _ in unseen} and _parses_without(one.path, change)
    }
    kept = [
        one
        for one in said
        if not (_is_syntax(one) and one.path in conflicts | breaking)
        and not (one.category.startswith("PLE25") and (one.path, one.line) in unseen)
    ]
    return [
        replace(
            one, severity="critical", body=f"{one.body} Because of it the file cannot be read as a program."
        )
        if one.source == "invisible" and one.path in breaking
        else one
        for one in kept
    ]


def _is_syntax(finding: Finding) -> bool:
    """Whether it says that a program cannot read the file."""
    by_linter = finding.source in ("ruff", "actionlint") and finding.severity == "critical"
    broken = finding.category == "syntax" or "syntax" in finding.category or "YAML" in finding.title
    unread = finding.source in linter.names() and finding.category in linter.known(finding.source).broken
    return (by_linter and broken) or unread or finding.category.startswith("SC1")


def _parses_without(path: str, change: CheckedChange) -> bool:
    """Whether a Python file is one again without the characters that nobody sees."""
    try:
        ast.parse(strip_invisible(change.texts.get(path, ""))[0])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return path.endswith((".py", ".pyi"))


def alike(findings: Iterable[Finding]) -> list[Finding]:
    """One remark for all of one rule in one file, at the first line; graver ones only where they say the
    same."""
    groups: dict[tuple[str, ...], list[Finding]] = defaultdict(list)
    for number, one in enumerate(findings):
        if one.source in _ONE_EACH or one.line is None:
            key: tuple[str, ...] = (str(number),)
        else:
            title = "" if one.source == "ruff" and one.severity == "minor" else one.title
            key = (one.source, one.path, one.category, one.severity, title)
        groups[key].append(one)
    return [_together(sorted(some, key=lambda one: one.line or 0)) for some in groups.values()]


def _together(some: list[Finding]) -> Finding:
    first, *others = some
    places: dict[int, list[str]] = {}
    for one in others:
        if one.line != first.line or one.title != first.title:
            places.setdefault(one.line or 0, []).append(one.title)
    if not places:
        return first
    named = [
        str(line) + "".join(f" ({title})" for title in dict.fromkeys(titles) if title != first.title)
        for line, titles in places.items()
    ]
    also = also_at(named)
    rest = digest("\0".join(bare(one.quote) for one in others))
    return replace(first, body=f"{first.body}\n\n{also}", content=rest)
