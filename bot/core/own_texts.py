"""Effects of `bot.core.effects` by which texts of Hob's own come about: drafts, and the dashboard issue."""

from dataclasses import dataclass

from bot.core.dashboard_issue import Box


@dataclass(frozen=True, slots=True)
class KeepDraft:
    """A comment is written and not posted: a person may post it. `about`, at most 40 characters, says what it
    is (`triage`); on one issue a newer one about the same takes the place of one that nobody posted."""

    number: int
    body: str
    about: str


@dataclass(frozen=True, slots=True)
class DropDraft:
    """A draft waits no more: it was posted, or nobody wants it."""

    n: int
    was: KeepDraft | None = None
    """What it said, for whoever wants it back."""
    unsent: bool = False
    """Whether it was to be posted and GitHub refused that: it waits on."""


@dataclass(frozen=True, slots=True)
class OpenIssue:
    """An issue of Hob's own. `about` names what it is for; `folded` stands below the text. Boxes: kept, their
    lines are in `body`."""

    title: str
    body: str
    about: str
    folded: str = ""
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class EditIssue:
    """An issue that Hob opened says something else now."""

    number: int
    body: str
    folded: str = ""
    boxes: tuple[Box, ...] = ()
