"""A pull request without credentials. Lines stay lines, so that what is said of the others is found again."""

from collections.abc import Callable
from dataclasses import replace

from bot.core.diff import FileDiff, Hunk
from bot.core.facts import PullRequestFacts

Clean = Callable[[str], str]
"""A text without credentials; Uncut."""


class Uncut(ValueError):
    """A credential is in it that cannot be cut out line by line."""


def redacted(facts: PullRequestFacts, clean: Clean) -> PullRequestFacts:
    """With all that a reviewer is shown cleaned; Uncut."""
    return replace(
        facts,
        title=clean(facts.title),
        body=clean(facts.body),
        files=tuple(redacted_diff(one, clean) for one in facts.files),
        texts={path: _lines(text, clean) for path, text in facts.texts.items()},
        instructions={path: tuple(map(clean, some)) for path, some in facts.instructions.items()},
        linked_issues=tuple(
            replace(one, title=clean(one.title), body=clean(one.body)) for one in facts.linked_issues
        ),
        context=replace(
            facts.context,
            guidelines=tuple((path, clean(text)) for path, text in facts.context.guidelines),
        ),
    )


def redacted_diff(file: FileDiff, clean: Clean) -> FileDiff:
    """As one text, for a private key goes over several lines; Uncut."""
    hunks = file.hunks or ()
    told = _lines("\n".join(line for hunk in hunks for line in _told(hunk)), clean).split("\n")
    made: list[Hunk] = []
    for hunk in hunks:
        heading, *lines = told[: len(hunk.lines) + 1]
        told = told[len(hunk.lines) + 1 :]
        kept = (replace(old, text=new[1:]) for old, new in zip(hunk.lines, lines, strict=True))
        made.append(replace(hunk, heading=heading[3:], lines=tuple(kept)))
    return replace(file, hunks=tuple(made)) if hunks else file


def _told(hunk: Hunk) -> list[str]:
    return [f"@@ {hunk.heading}", *(line.kind + line.text for line in hunk.lines)]


def _lines(text: str, clean: Clean) -> str:
    cleaned = clean(text)
    if cleaned.count("\n") != text.count("\n"):
        raise Uncut("it goes over lines")
    return cleaned
