"""What a pull request is proposed to be called, and its text with a description of ours in it."""

import re
from dataclasses import dataclass

from bot.core.refs import Sha

BEGIN, END = "<!-- description by Hob -->", "<!-- end of the description by Hob -->"
_OURS = re.compile(rf"\s*{re.escape(BEGIN)}.*?{re.escape(END)}\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Proposal:
    """For the pull request as it was at a head. `labels` exist in the repository and were not on it."""

    head_sha: Sha
    title: str
    body: str
    labels: tuple[str, ...] = ()


def own_words(body: str) -> str:
    """What people wrote of a pull request's text: all but a description of ours, and no mark of one: the next
    would be taken to begin there."""
    text = _OURS.sub("\n\n", body)
    while BEGIN in text or END in text:
        text = text.replace(BEGIN, "").replace(END, "")
    return text.strip()


def with_description(own: str, description: str) -> str:
    """Their words stay as they are, first: what they close and whom they name counts. Ours stands below, to
    be found and replaced."""
    ours = f"{BEGIN}\n{description}\n{END}"
    return f"{own}\n\n{ours}" if own else ours
