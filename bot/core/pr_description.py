"""What a pull request is proposed to be called, and its text with a description of ours in it."""

from dataclasses import dataclass

from bot.core.refs import Sha

BEGIN, END = "<!-- description by Hob -->", "<!-- end of the description by Hob -->"


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
    theirs, rest = [], body
    while BEGIN in rest and END in rest.partition(BEGIN)[2]:
        before, _, after = rest.partition(BEGIN)
        theirs.append(before.strip())
        rest = after.partition(END)[2]
    text = "\n\n".join(filter(None, [*theirs, rest.strip()]))
    for mark in (BEGIN, END):
        text = _without(text, mark)
    return text if BEGIN not in text and END not in text else text.replace("<!--", "<! --").strip()


def _without(text: str, mark: str) -> str:
    """Without a mark, nor one that is made by taking one out, which is what a few rounds are for."""
    for _ in range(8):
        text = text.replace(mark, "")
    return text.strip()


def with_description(own: str, description: str) -> str:
    """Their words stay as they are, first: what they close and whom they name counts. Ours stands below, to
    be found and replaced."""
    ours = f"{BEGIN}\n{description}\n{END}"
    return f"{own}\n\n{ours}" if own else ours
