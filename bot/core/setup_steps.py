"""`hob setup`: what comes next, by what is there. Each step leaves its mark on disk or at GitHub, so that one
which was broken off is found again by asking, not by remembering."""

from dataclasses import dataclass
from typing import Literal

SetupStep = Literal["register", "model", "install", "check", "start", "done"]


@dataclass(frozen=True, slots=True)
class SetupFacts:
    """`app`: registered, and its key is here. `model`: chosen and there, or left for later by the person.
    `start`: somebody wants Hob to run."""

    app: bool = False
    model: bool = False
    installed: bool = False
    checked: bool = False
    running: bool = False
    start: bool = True


def next_step(facts: SetupFacts) -> SetupStep:
    """The first thing that is missing."""
    if not facts.app:
        return "register"
    if not facts.model:
        return "model"
    if not facts.installed:
        return "install"
    if not facts.checked:
        return "check"
    return "done" if facts.running or not facts.start else "start"
