"""A repository's settings after all layers are merged (`bot.core.settings_merge`): this is their meaning."""

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["critical", "major", "minor", "nit"]
SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor", "nit")
"""Worst first."""


@dataclass(frozen=True, slots=True)
class PathInstruction:
    """What a reviewer should know about files that a pattern names."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """Section `review`."""

    auto: bool = True
    drafts: bool = False
    base_branches: tuple[str, ...] = ()
    """Empty: every base branch."""
    ignore_authors: tuple[str, ...] = ()
    ignore_title_keywords: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    """Empty: every pull request; else only those with one of these labels."""
    paths: tuple[str, ...] = ()
    """As .gitignore writes patterns, `!` leaves out; empty: every path."""
    instructions: tuple[PathInstruction, ...] = ()
    min_severity: Severity = "minor"
    max_comments: int = 8
    request_changes: bool = False
    walkthrough: bool = False
    shadow: bool = False
    """Reviews are made and kept, and nothing of them is posted."""
    passes: int = 1
    """How often a change is read while nothing else waits; what most readings find is said."""
    max_calls: int = 40
    """Questions to models in one review; what they do not reach is said to be unread."""
    guidelines: tuple[str, ...] = ("AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md")
    checks: frozenset[str] = frozenset(
        "ruff shellcheck actionlint secrets conflicts invisible leftovers locks large".split()  # noqa: SIM905
    )
    """Names of `bot.core.settings_schema.CHECKS`, all but `coverage`, which needs one more permission."""


@dataclass(frozen=True, slots=True)
class IssueSettings:
    """Section `issues`."""

    triage: bool = True
    comment: Literal["mention", "always", "never"] = "mention"
    """When a triage may also comment; `mention`: only to ask for what is missing."""
    labels: tuple[str, ...] = ()
    """Empty: every label of the repository may be chosen."""
    label_hints: dict[str, str] = field(default_factory=dict)
    duplicates: Literal["suggest", "off"] = "suggest"


@dataclass(frozen=True, slots=True)
class CodeSettings:
    """Section `code`."""

    enabled: bool = False
    allow: Literal["write", "maintain", "admin"] = "write"


@dataclass(frozen=True, slots=True)
class RepoSettings:
    """All of them."""

    review: ReviewSettings = ReviewSettings()
    issues: IssueSettings = field(default_factory=IssueSettings)
    code: CodeSettings = CodeSettings()
    language: str = "en"
    online: Literal["never", "public", "allowed"] = "allowed"
    """Can only narrow what the process allows."""
    prefer: Literal["local", "online"] = "local"
    """Which hosts are asked first, where both may be."""
    archives: tuple[str, ...] = ()
    """`owner/name` of repositories that are searched by default."""
    models: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """role -> models instead of the process's own; a role that is not there has no wish."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A key of the file that was ignored, and why; `line` counts from 1."""

    line: int
    message: str
