"""What CI says of a commit: which checks failed, and what they say of why. All text in it is hostile."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.ci_log import digest, errors

ACTIONS = "github-actions"
"""The App that GitHub's own workflows run as."""
FAILED = frozenset({"failure", "timed_out", "startup_failure", "cancelled", "action_required"})
"""Conclusions that are no end to be content with. https://docs.github.com/en/rest/checks/runs"""
WITHOUT_READING = {
    "cancelled": "Somebody or something cancelled it: run it again.",
    "action_required": "It waits for somebody to approve or do something on its page.",
    "startup_failure": "It did not start: the workflow itself, or what it may use, has to be mended by hand.",
}
"""Conclusions of which no code is the cause."""
_MATRIX = re.compile(r" ?\([^()]{0,200}\)$")


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check run, or (`app` "status") a commit status. `id`: the check run's. `workflow`, `steps` (those
    that failed), `log` (what of it tells most): of a job of GitHub Actions; `unread`: why there is no log."""

    name: str
    conclusion: str
    id: int = 0
    app: str = ""
    job: int = 0
    page: str = ""
    title: str = ""
    summary: str = ""
    text: str = ""
    annotated: bool = False
    annotations: tuple[str, ...] = ()
    workflow: str = ""
    steps: tuple[str, ...] = ()
    log: str = ""
    unread: str = ""

    @property
    def said(self) -> str:
        """All that it says, for a model."""
        head = [f"check: {self.name}", f"conclusion: {self.conclusion}"]
        if self.workflow:
            head.append(f"workflow: {self.workflow}")
        head += [f"failed step: {step}" for step in self.steps]
        parts = ["\n".join(head), self.title, self.summary, self.text, "\n".join(self.annotations), self.log]
        return "\n\n".join(part for part in parts if part.strip())


@dataclass(frozen=True, slots=True)
class CiState:
    """`running`: names of the Apps whose checks have not all ended; `passed`, `skipped`: names of checks."""

    failed: tuple[FailedCheck, ...] = ()
    running: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    """Neither passed nor failed: of no concern, or not run at all."""


def chosen(failed: Sequence[FailedCheck], most: int) -> tuple[FailedCheck, ...]:
    """The failed checks to be read: those that say why before the cancelled, and one of each matrix before
    the others of it."""
    ranked = sorted(failed, key=lambda one: one.conclusion in WITHOUT_READING)
    seen: dict[str, int] = {}
    turns: list[tuple[int, FailedCheck]] = []
    for one in ranked:
        kind = f"{one.app} {_MATRIX.sub('', one.name[:300])}"
        seen[kind] = seen.get(kind, 0) + 1
        turns.append((seen[kind], one))
    return tuple(one for _, one in sorted(turns, key=lambda turn: turn[0])[:most])


def failure_of(failed: Sequence[FailedCheck]) -> str:
    """Names what went wrong: the same for the same errors, whatever numbers and times stand in them."""
    parts = [part for one in failed for part in (one.name, *errors(one.said))]
    return digest(parts)
