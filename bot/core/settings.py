"""A repository's settings after all layers are merged (`bot.core.settings_merge`): this is their meaning."""

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["critical", "major", "minor", "nit"]
SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor", "nit")
"""Worst first."""


@dataclass(frozen=True, slots=True)
class CheckSetting:
    """One deterministic check. `about`: its line of docs/configuration.md, whose first sentence says what it
    looks at; `page`: where to read on about what it finds; `on`: whether it runs where nobody says so."""

    about: str
    page: str
    on: bool = True


CHECKS = {
    "secrets": CheckSetting(
        "Keys, tokens and passwords on new lines. The severity says how sure it is: an issuer's shape is "
        "critical, a random value under a secret's name major, what a person could have typed or a test "
        "mode's key minor. In tests and documentation only issuers' shapes count, as minor.",
        "https://cwe.mitre.org/data/definitions/798.html",
    ),
    "conflicts": CheckSetting(
        "Merge conflict markers that were committed.",
        "https://git-scm.com/docs/git-merge#_how_conflicts_are_presented",
    ),
    "invisible": CheckSetting(
        "Characters that nobody sees, and those that change the order in which text is shown.",
        "https://trojansource.codes",
    ),
    "actionlint": CheckSetting(
        "GitHub workflows, by Hob's own rules, and by actionlint where that is on PATH.",
        "https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax",
    ),
    "leftovers": CheckSetting(
        "What was for debugging: breakpoints, `debugger`, `.only(` and their like; not `print`.",
        "https://cwe.mitre.org/data/definitions/489.html",
    ),
    "locks": CheckSetting(
        "Dependencies changed without their lock file, or the other way round.",
        "https://cwe.mitre.org/data/definitions/1357.html",
    ),
    "large": CheckSetting(
        "Binary files over 1 MB.",
        "https://docs.github.com/en/repositories/working-with-files/managing-large-files",
    ),
    "coverage": CheckSetting(
        "Changed lines and branches that no test ran. By a Cobertura or lcov report among the artifacts "
        "that CI published for the head, once: what an annotation of a check run (of Codecov, say) calls "
        "not covered is not named again. The App needs the permission Actions: read.",
        "https://docs.github.com/en/actions/tutorials/store-and-share-data",
        on=False,
    ),
    "ruff": CheckSetting(
        "Python defects, by ruff with Hob's own rules. Equal remarks of a file are one, and safe fixes "
        "are suggestions. What a file like `__init__.py` or a test is written for is left out.",
        "https://docs.astral.sh/ruff/rules/",
    ),
    "shellcheck": CheckSetting(
        "Shell scripts and what workflows run in a shell, where shellcheck is installed and a sandbox works.",
        "https://www.shellcheck.net/wiki/",
    ),
    "biome": CheckSetting(
        "JavaScript and TypeScript, by biome with Hob's own rules, where that is installed.",
        "https://biomejs.dev/linter/javascript/rules/",
    ),
    "yamllint": CheckSetting(
        "YAML that cannot be read, or says a thing twice, by yamllint where that is installed.",
        "https://yamllint.readthedocs.io/en/stable/rules.html",
    ),
    "hadolint": CheckSetting(
        "Dockerfiles, by hadolint with Hob's own rules, where that is installed.",
        "https://github.com/hadolint/hadolint#rules",
    ),
    "sqlfluff": CheckSetting(
        "SQL, by sqlfluff with Hob's own rules, where that is installed.",
        "https://docs.sqlfluff.com/en/stable/reference/rules.html",
        on=False,
    ),
}
"""name -> the check that is `bot.checks.NAME`, in the order in which they are told. All that settings,
documentation and reports know of a check is from here."""


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
    effort: tuple[str, ...] = ()
    """Rules, the first that fits first (`bot.core.effort`)."""
    scan: int = 0
    """Questions to models each night about code that no pull request touches."""
    learn: int = 0
    """Merged pull requests that are read each week to find conventions."""
    max_calls: int = 40
    """Questions to models in one review; what they do not reach is said to be unread."""
    guidelines: tuple[str, ...] = ("AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md")
    checks: frozenset[str] = frozenset(name for name, check in CHECKS.items() if check.on)


@dataclass(frozen=True, slots=True)
class IssueSettings:
    """Section `issues`."""

    triage: bool = True
    comment: Literal["mention", "draft", "always", "never"] = "mention"
    """When a triage may also comment unasked; `mention`: never, a question is kept for people to post;
    `draft`: so is all that it would say."""
    nightly: bool = False
    """Whether each night what needs attention is gathered in one issue of Hob's own."""
    labels: tuple[str, ...] = ()
    """Empty: every label of the repository may be chosen."""
    label_hints: dict[str, str] = field(default_factory=dict)
    duplicates: Literal["suggest", "off"] = "suggest"


@dataclass(frozen=True, slots=True)
class CodeSettings:
    """Section `code`."""

    enabled: bool = False
    allow: Literal["write", "maintain", "admin"] = "write"
    paths: tuple[str, ...] = ()
    """Which files a patch may touch, as .gitignore writes patterns; empty: all that none is forbidden."""
    push: Literal["never", "author"] = "never"
    """`author`: commits go to the branch of whoever opened the pull request, where that person asks."""
    sign_off: bool = False
    rounds: int = 3
    """How often `fix ci` commits at most until the checks pass; 0: it never goes on by itself."""


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
    """What a file says and was ignored, and why; `line` counts from 1."""

    line: int
    message: str
    path: str = ".github/hob.yml"

    @property
    def told(self) -> str:
        """With its file."""
        return f"{self.path}: {self.message}"
