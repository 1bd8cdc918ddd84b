"""What a repository says to whoever sorts its issues, as far as one look at GitHub gives it. All text in it
is data, and what people wrote in the conversation is hostile."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.issue_forms import IssueForm
from bot.core.refs import Login
from bot.core.settings import Complaint

RULES = ".github/hob/triage.md"
"""In prose, how this project sorts; of the default branch."""
SECURITY = (".github/SECURITY.md", "SECURITY.md", "docs/SECURITY.md")
"""Where a policy may lie, in GitHub's order."""


@dataclass(frozen=True, slots=True)
class EarlierComment:
    """A comment of an issue's conversation. `ours`: Hob's own."""

    author: Login
    body: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class TriageSources:
    """`config` is `.github/hob.yml`, None where there is none."""

    config: str | None = None
    complaints: tuple[Complaint, ...] = ()
    rules: str = ""
    owners: str = ""
    """The text of CODEOWNERS."""
    forms: tuple[IssueForm, ...] = ()
    workflows: Mapping[str, str] = field(default_factory=dict)
    """path -> text"""
    labels: tuple[tuple[str, str], ...] = ()
    """(name, description)"""
    types: tuple[str, ...] = ()
    """The names of the organisation's issue types; empty where there are none, or GitHub does not tell."""
    policy: str = ""
    """The address of the security policy; empty where there is none."""
    policy_file: str = ""
    """Its path, where it lies in this repository."""
    said: tuple[EarlierComment, ...] = ()
    """The newest comments of the issue, oldest first."""
    taken_off: tuple[str, ...] = ()
    """Labels that somebody took off this issue."""
