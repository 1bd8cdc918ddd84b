"""What happened in a long conversation: decisions, open questions, who waits for whom, each with a link to
the comment that says so. A model reads it page by page, the newest first; where none answers, a plain list
tells who wrote when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from bot.core.commands import prose_of
from bot.core.facts import RepoContext
from bot.core.github_reader import IssueHappening, RawComment
from bot.core.inference import Allowance, Infer, Prompt, Usage
from bot.core.standup import MOST_CHARS, titled
from bot.core.text import count, cut, day, in_code, one_line

PAGE = 9_000
"""Characters of comments that a model reads at once."""
MOST_PAGES = 5
"""And one question more that joins what they gave."""
MOST_AGAIN = 2
"""Questions that may be asked once more, for want of a usable answer."""
MOST_OF_ONE = 1_200
"""Characters of one comment."""
MOST_POINTS = 12
MOST_LISTED = 20
_KINDS = {"decision": "Decided", "waiting": "Waiting", "question": "Open", "news": "News"}
_WORDS = {
    "closed": "closed it",
    "reopened": "reopened it",
    "merged": "merged it",
    "labeled": "put on the label",
    "unlabeled": "took off the label",
    "assigned": "assigned",
    "unassigned": "unassigned",
    "milestoned": "put it into the milestone",
    "demilestoned": "took it out of the milestone",
    "renamed": "renamed it to",
    "locked": "locked it",
    "unlocked": "unlocked it",
}


@dataclass(frozen=True, slots=True)
class CatchUpFacts:
    """What was said and done in a conversation since a time (seconds since 1970; 0: all of it), oldest first,
    without what asked for this."""

    context: RepoContext
    title: str
    since: float
    why: str = ""
    """What that time is to the person, in words."""
    open: bool = True
    comments: tuple[RawComment, ...] = ()
    happenings: tuple[IssueHappening, ...] = ()
    unread: int = 0
    """Comments before these that were not asked for."""


class Point(BaseModel):
    kind: Literal["decision", "waiting", "question", "news"] = "news"
    text: str
    comments: list[int] = []


class CatchUpAnswer(BaseModel):
    points: list[Point] = []


@dataclass(frozen=True, slots=True)
class _Page:
    text: str
    comments: tuple[RawComment, ...]


async def catch_up(facts: CatchUpFacts, infer: Infer) -> tuple[str, tuple[Usage, ...]]:
    """The answer, and what it used."""
    head = _head(facts)
    events = _events(facts.happenings)
    if not facts.comments:
        return "\n\n".join([head, *events]), ()
    pages = _pages(facts.comments)
    points, used, read, why = await _read(facts, pages, infer)
    known = {one.id: one for one in facts.comments}
    numbered = dict(enumerate(facts.comments, 1))
    lines = list(_told(points, numbered))
    if not read:
        parts = [head, f"*No model read it ({why}): here is who wrote when.*", _plain_list(facts.comments)]
        return "\n\n".join([*parts, *_waiting(facts.comments), *events]), used
    body = "\n".join(lines) or "Nothing that was decided, asked or is waited for."
    unread = len(known) - read + facts.unread
    left = [f"*(Read: the newest {read} of {read + unread} comments.)*"] if unread else []
    return "\n\n".join([head, body, *events, *left]), used


async def _read(
    facts: CatchUpFacts, pages: Sequence[_Page], infer: Infer
) -> tuple[list[Point], tuple[Usage, ...], int, str]:
    """(points, usage, how many comments were read, why no more)"""
    points: list[list[Point]] = []
    used: tuple[Usage, ...] = ()
    read, why = 0, ""
    spare = Allowance(MOST_AGAIN)
    for page in pages[:MOST_PAGES]:
        answer = await infer(_prompt(facts, page.text, spare))
        used += answer.usage("catch-up")
        if answer.value is None:
            why = answer.reason
            break
        points.insert(0, answer.value.points[:MOST_POINTS])
        read += len(page.comments)
    if len(points) < 2:
        return [one for some in points for one in some], used, read, why
    listed = [one for some in points for one in some]
    joined = await infer(_prompt(facts, "\n".join(_as_comment(one) for one in listed)[: 2 * PAGE], spare))
    used += joined.usage("catch-up")
    return (joined.value.points if joined.value else listed), used, read, why


def _as_comment(point: Point) -> str:
    """What a page gave, as the question that joins them reads it."""
    return f"[{', '.join(map(str, point.comments[:3]))}] ({point.kind}) {' '.join(point.text.split())[:300]}"


def _pages(comments: Sequence[RawComment]) -> list[_Page]:
    """The newest first; within a page the oldest comment first. Comments are numbered from the oldest."""
    pages: list[_Page] = []
    lines: list[str] = []
    held: list[RawComment] = []
    for number in range(len(comments), 0, -1):
        one = comments[number - 1]
        said = cut(one.body.strip(), MOST_OF_ONE, end=" […]")
        line = f"[{number}] {day(one.at)}, {one.author.login}: {said}"
        if lines and sum(map(len, lines)) + len(line) > PAGE:
            pages.append(_Page("\n\n".join(reversed(lines)), tuple(reversed(held))))
            lines, held = [], []
        lines.append(line)
        held.append(one)
    if lines:
        pages.append(_Page("\n\n".join(reversed(lines)), tuple(reversed(held))))
    return pages


def _prompt(facts: CatchUpFacts, pages: str, spare: Allowance) -> Prompt[CatchUpAnswer]:
    return Prompt(
        name="catch-up",
        role="chat",
        answer=CatchUpAnswer,
        inputs={"title": facts.title[:300], "pages": pages, "language": facts.context.settings.language},
        retries=spare,
    )


def _told(points: Sequence[Point], numbered: dict[int, RawComment]) -> Iterator[str]:
    """By kind; each with links to the comments that it rests on, none without."""
    shown = 0
    for kind, word in _KINDS.items():
        for point in points:
            text = one_line(point.text, 300)
            on = [numbered[n] for n in dict.fromkeys(point.comments[:3]) if n in numbered]
            if point.kind == kind and text and on and shown < MOST_POINTS:
                shown += 1
                yield f"- **{word}**: {text} ({', '.join(map(_link, on))})"


def _link(one: RawComment) -> str:
    told = f"{in_code(one.author.login, 60)}, {day(one.at)}"
    return f"[{told}]({one.url})" if one.url else told


def _plain_list(comments: Sequence[RawComment]) -> str:
    listed = [f"- {_link(one)}: {titled(_first_line(one.body))}" for one in comments[-MOST_LISTED:]]
    more = len(comments) - len(listed)
    return "\n".join([*([f"- {count(more, 'earlier comment')}"] if more else []), *listed])


def _first_line(body: str) -> str:
    return next((line.strip() for line in prose_of(body[:MOST_CHARS]).split("\n") if line.strip()), "…")


def _waiting(comments: Sequence[RawComment]) -> list[str]:
    """The last word, where it is a question."""
    last = next((one for one in reversed(comments) if not one.author.is_bot), None)
    if last is None or not any(mark in prose_of(last.body[:MOST_CHARS]) for mark in "?\uff1f\u061f"):
        return []
    return [f"The last word is a question of {_link(last)}."]


def _events(happenings: Sequence[IssueHappening]) -> list[str]:
    lines = [
        f"- {in_code(one.by, 60)} {_WORDS[one.what]}{' ' + in_code(one.about, 90) if one.about else ''}, "
        f"{day(one.at)}"
        for one in happenings
        if one.what in _WORDS
    ]
    return ["\n".join(["What was done:", "", *lines[-MOST_LISTED:]])] if lines else []


def _head(facts: CatchUpFacts) -> str:
    since = "since it was opened" if facts.since <= 0 else f"since {facts.why or day(facts.since)}"
    if not facts.comments and not facts.happenings:
        return f"Nothing was said or done here {since}."
    people = len({one.author.login for one in facts.comments})
    of = f" of {people} people" if people > 1 else ""
    said = f"{count(len(facts.comments) + facts.unread, 'comment')}{of}" if people else "no comment"
    state = "" if facts.open else ", and it is closed now"
    return f"**Here {since}**: {said}{state}."
