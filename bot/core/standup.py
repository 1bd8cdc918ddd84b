"""How a repository or a milestone stands: what moved since a time, what is stuck and since when, who is
asked. From facts of GitHub alone; nobody is named but as code, so that nobody is notified.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.commands import only_to_hob, prose_of
from bot.core.github_reader import GitHubReader, RawComment
from bot.core.refs import Login
from bot.core.text import day, in_code, one_line
from bot.core.work_graph import WorkGraph, work_graph
from bot.core.work_items import GHOST, WorkEdge, WorkItem

DAY = 86_400.0
QUIET_DAYS = {"pull_request": 3, "issue": 7}
"""Days without a change after which what is being worked on counts as stuck."""
ANSWER_DAYS = 1
"""Days after which a new issue of an outsider waits for its first answer."""
SHOWN = 15
"""Lines of a section."""
MOST_OPEN, MOST_CHANGED, MOST_SAID = 1_000, 300, 300
"""That are read."""
QUESTION_DAYS = 30
MOST_CHARS = 4_000
"""Of a comment that is looked at for a question."""
_TITLE = 90
_ASKS = re.compile(r"[?\uff1f\u061f]")
_MENTION = re.compile(r"(?<![\w/.@-])@([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))(?![\w/-])")
_OURS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """The last word in a conversation, which nobody has answered. `at`: seconds since 1970; `url`: the
    comment's page."""

    number: int
    asker: Login
    asked: tuple[Login, ...]
    at: float
    url: str = ""


@dataclass(frozen=True, slots=True)
class StandupFacts:
    """`graph`: of all open items, as many as were read, and of what was closed since `since`. Times are
    seconds since 1970; `milestone` is a title, or empty for the whole repository."""

    graph: WorkGraph
    since: float
    now: float
    milestone: str = ""
    questions: Sequence[OpenQuestion] = ()
    unread: bool = False
    """Whether there is more that changed than was read."""


@dataclass(frozen=True, slots=True)
class StandupLine:
    """About one item. `since`: when it began to be so, seconds since 1970; 0 where that is not known."""

    number: int
    title: str
    what: str
    since: float = 0
    who: tuple[Login, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class StandupSection:
    """`lines` are all there are, those first that matter most."""

    name: str
    title: str
    lines: tuple[StandupLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Standup:
    """Sections `moved`, `ready`, `stuck` and `asked`, in this order, empty ones too."""

    since: float
    now: float
    milestone: str = ""
    sections: tuple[StandupSection, ...] = field(default=())
    unread: bool = False

    @property
    def empty(self) -> bool:
        return not any(section.lines for section in self.sections)


async def standup_facts(
    github: GitHubReader, full_name: str, since: float, now: float, milestone: str = "", slug: str = ""
) -> StandupFacts:
    """What is read for it: open work, work that changed since, and what was said in the last month, but for
    what was said to Hob (`slug`)."""
    open_items = await github.work_items(milestone=milestone, most=MOST_OPEN)
    changed = await github.work_items(milestone=milestone, open_only=False, most=MOST_CHANGED)
    heard = await github.said_since(max(since, now - QUESTION_DAYS * DAY), MOST_SAID)
    said = [one for one in heard if not only_to_hob(one.body, slug)]
    unread = len(changed) >= MOST_CHANGED and min(one.updated for one in changed) > since
    items = {one.number: one for one in (*changed, *open_items)}
    graph = work_graph(items.values(), full_name, complete=len(open_items) < MOST_OPEN and not milestone)
    return StandupFacts(graph, since, now, milestone, open_questions(said, items), unread)


def open_questions(said: Sequence[RawComment], items: Mapping[int, WorkItem]) -> tuple[OpenQuestion, ...]:
    """The last words of people in open conversations that ask something. `said`: oldest first."""
    last = {one.number: one for one in said if not one.author.is_bot}
    found: list[OpenQuestion] = []
    for number, one in last.items():
        item = items.get(number)
        prose = prose_of(one.body[:MOST_CHARS])
        if item is None or item.state != "open" or not _ASKS.search(prose):
            continue
        named = dict.fromkeys(Login(name) for name in _MENTION.findall(prose))
        asked = [name for name in named if name.lower() != one.author.login.lower()]
        if not asked and item.author != one.author.login and item.author != GHOST:
            asked = [item.author]
        found.append(OpenQuestion(number, one.author.login, tuple(asked[:5]), one.at, one.url))
    return tuple(found)


def standup(facts: StandupFacts) -> Standup:
    """Pure, and the same for the same facts."""
    items = [one for one in facts.graph.items.values() if facts.milestone in ("", one.milestone)]
    sections = (
        StandupSection("moved", "Moved", tuple(_moved(items, facts))),
        StandupSection("ready", "Can start now", tuple(_ready(items, facts))),
        StandupSection("stuck", "Stuck", tuple(_stuck(items, facts))),
        StandupSection("asked", "Waits for an answer", tuple(_asked(items, facts))),
    )
    return Standup(facts.since, facts.now, facts.milestone, sections, facts.unread)


def markdown(told: Standup) -> str:
    """For a comment: a few short lists, or one sentence."""
    of = f" of {in_code(told.milestone, _TITLE)}" if told.milestone else ""
    head = f"**Standup{of}**, {day(told.since)} to {day(told.now)}"
    parts = [head]
    for section in told.sections:
        if section.lines:
            lines = [f"- {_line(one, told.now)}" for one in section.lines[:SHOWN]]
            if more := len(section.lines) - SHOWN:
                lines += [f"- and {more} more"] if more > 0 else []
            parts.append("\n".join([f"{section.title}:", "", *lines]))
    if told.empty:
        parts.append("Nothing moved, nothing that is being worked on is stuck, and nobody is asked.")
    if told.unread:
        parts.append("*(More has changed than I read; the oldest of it is not here.)*")
    return "\n\n".join(parts)


def as_json(told: Standup) -> dict[str, object]:
    """For programs; dates are days in UTC."""
    return {
        "since": day(told.since),
        "until": day(told.now),
        "milestone": told.milestone,
        "complete": not told.unread,
        **{
            section.name: [
                {
                    "number": one.number,
                    "title": one.title,
                    "what": one.what,
                    "since": day(one.since) if one.since else None,
                    "who": list(one.who),
                    "url": one.url,
                }
                for one in section.lines
            ]
            for section in told.sections
        },
    }


def _line(one: StandupLine, now: float) -> str:
    who = f" {', '.join(in_code(name, 60) for name in one.who)}" if one.who else ""
    since = f", since {day(one.since)} ({_days(now - one.since)})" if one.since else ""
    return f"`#{one.number}` {titled(one.title)}: {one.what}{who}{since}"


def titled(title: str) -> str:
    """A title that a stranger chose, on one line that it does not end."""
    return one_line(title, _TITLE).replace("`", "'")


def _days(seconds: float) -> str:
    days = int(max(0.0, seconds) // DAY)
    return "today" if not days else f"{days} day{'s' if days > 1 else ''}"


def _moved(items: Iterable[WorkItem], facts: StandupFacts) -> Iterable[StandupLine]:
    """What ended, then what began; the newest first."""
    within = (facts.since, facts.now + DAY)
    ended = [one for one in items if one.state != "open" and within[0] <= one.closed <= within[1]]
    for one in sorted(ended, key=lambda item: (-item.closed, item.number)):
        yield StandupLine(one.number, one.title, _ending(one))
    begun = [one for one in items if one.state == "open" and within[0] <= one.created <= within[1]]
    for one in sorted(begun, key=lambda item: (-item.created, item.number)):
        what = "new pull request of" if one.kind == "pull_request" else "new issue of"
        yield StandupLine(one.number, one.title, what, who=(one.author,))


def _ending(item: WorkItem) -> str:
    if item.state == "merged":
        return "merged"
    if item.kind == "pull_request":
        return "closed without a merge"
    reasons = {"not_planned": "closed as not planned", "duplicate": "closed as a duplicate"}
    return reasons.get(item.state_reason, "done")


def _ready(items: Iterable[WorkItem], facts: StandupFacts) -> Iterable[StandupLine]:
    """What waited for something that was closed in this time, and waits for nothing more."""
    graph = facts.graph
    done = [one.ref for one in graph.items.values() if one.state != "open" and one.closed >= facts.since]
    freed: dict[int, list[str]] = defaultdict(list)
    for edge in graph.unblocked_by(done):
        if not edge.source.repo:
            freed[edge.source.number].append(f"`{edge.target}`")
    known = {one.number: one for one in items}
    for number in sorted(freed):
        if number in known:
            done_ones = ", ".join(dict.fromkeys(freed[number]))
            yield StandupLine(number, known[number].title, f"what it waited for is done: {done_ones}")


def _stuck(items: Iterable[WorkItem], facts: StandupFacts) -> Iterable[StandupLine]:
    """What waits for other work, goes round in circles, or is being worked on and did not change for days:
    the longest first. An issue that nobody has taken is not stuck, it has not begun."""
    found: list[StandupLine] = []
    circles = {edge.source.number: circle for circle in facts.graph.cycles() for edge in circle}
    for one in items:
        if one.state != "open":
            continue
        holders = facts.graph.holders(one.ref)
        taken = bool(one.assignees or one.kind == "pull_request" or facts.milestone)
        quiet = facts.now - one.updated >= QUIET_DAYS[one.kind] * DAY
        if one.number in circles:
            circle = circles[one.number]
            around = " → ".join(f"`{edge.source}`" for edge in (*circle, circle[0]))
            found.append(StandupLine(one.number, one.title, f"waits for itself: {around}", one.updated))
        elif holders and taken:
            found.append(StandupLine(one.number, one.title, _waits(holders), one.updated))
        elif taken and quiet:
            what = "a draft that did not change" if one.draft else "did not change"
            who = one.assignees or ((one.author,) if one.kind == "pull_request" else ())
            found.append(
                StandupLine(one.number, one.title, f"{what}, with" if who else what, one.updated, who)
            )
    return sorted(found, key=lambda line: (line.since, line.number))


def _waits(holders: Sequence[WorkEdge]) -> str:
    names = list(dict.fromkeys(f"`{edge.target}`" for edge in holders))
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"waits for {', '.join(names[:5])}{more}"


def _asked(items: Iterable[WorkItem], facts: StandupFacts) -> Iterable[StandupLine]:
    """Reviews that were asked for, questions that nobody answered, new issues of outsiders that nobody
    touched; the longest first."""
    known = {one.number: one for one in items if one.state == "open"}
    found = [
        StandupLine(one.number, one.title, "a review is asked of", one.updated, one.reviewers)
        for one in known.values()
        if one.reviewers and not one.draft
    ]
    questions = {one.number: one for one in facts.questions if one.number in known}
    for number, question in questions.items():
        what = f"{in_code(question.asker, 60)} asked" if question.asked else "a question of"
        who = question.asked or (question.asker,)
        found.append(StandupLine(number, known[number].title, what, question.at, who, question.url))
    found += [
        StandupLine(one.number, one.title, "nobody has answered", one.created, (one.author,))
        for one in known.values()
        if one.kind == "issue"
        and not one.comments
        and not one.assignees
        and one.association not in _OURS
        and one.number not in questions
        and facts.now - one.created >= ANSWER_DAYS * DAY
    ]
    return sorted(found, key=lambda line: (line.since, line.number))
