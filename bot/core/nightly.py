"""What the issue that Hob keeps in a repository says: sections with their sources, boxes that give commands,
earlier nights folded. Pure; all titles in it are strangers'."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.commands import prose_of
from bot.core.dashboard_issue import EMPTY, Box, DashboardIssue
from bot.core.drafts import Draft
from bot.core.findings import Finding
from bot.core.github_reader import OpenPull, RawComment
from bot.core.knowledge import Overlap
from bot.core.refs import Login
from bot.core.standup import Standup, markdown
from bot.core.text import cut, day, in_code, one_line, utf8_size
from bot.core.work_items import WorkItem

TITLE = "What needs attention here"
DAY = 86_400.0
STALE_DAYS = 7
"""Days without anything after which a review that was asked for, or changes that were, are named."""
MOST_LINES, MOST_PATHS, MOST_OF_CLUSTER = 20, 3, 6
MOST_BODY, MOST_FOLDED, MOST_EARLIER = 48_000, 12_000, 60
"""Bytes, and lines, of what GitHub takes 65,536 characters of."""
_TITLE, _EXCERPT = 80, 160
_ASKS = re.compile(r"[?\uff1f\u061f]|would help to know")
NOTHING = "Nothing that I know of."
Link = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a section. With a command (`/hob triage`) it is a box that gives that on issue `number`."""

    text: str
    command: str = ""
    number: int = 0
    on_pull_request: bool = False


@dataclass(frozen=True, slots=True)
class NightlySection:
    """`counted` is what one is, and what several are, for the page's first line; `count` is how many, where
    each is not a line. `whole`: Markdown instead of lines."""

    title: str
    counted: tuple[str, str]
    lines: tuple[Line, ...] = ()
    whole: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Repeated:
    """That an issue may say what an `older` one does, and why, in words."""

    older: int
    why: str


@dataclass(frozen=True, slots=True)
class Page:
    """As `OpenIssue` and `EditIssue` take it."""

    body: str
    folded: str
    boxes: tuple[Box, ...]


def page(sections: Sequence[NightlySection], at: float, before: DashboardIssue, slug: str) -> Page | None:
    """None where the issue says the same already."""
    shown = [one for one in sections if one.lines or one.whole]
    boxes: list[Box] = []
    parts: list[str] = []
    room = MOST_BODY
    for one in shown:
        text, own = _written(one)
        if (room := room - utf8_size(text)) < 0:
            parts.append("*(There is more than fits here.)*")
            break
        parts.append(text)
        boxes += own
    rest = "\n\n".join([*(parts or [NOTHING]), _foot(slug, bool(boxes))])
    if before.number and _without_head(before.body) == rest:
        return None
    counts = [_counted(one.count or len(one.lines), one.counted) for one in shown if one.lines]
    head = f"**{day(at)}**: {', '.join(counts) or 'nothing'}."
    earlier = [f"- {_head(before.body)}"] if before.number else []
    return Page(f"{head}\n\n{rest}", folded([*earlier, *before.folded.split("\n")]), tuple(boxes))


def folded(lines: Iterable[str]) -> str:
    """The newest that there is room for."""
    kept: list[str] = []
    room = MOST_FOLDED
    for line in [line for line in lines if line.strip()][:MOST_EARLIER]:
        if (room := room - utf8_size(line) - 1) < 0:
            break
        kept.append(line)
    return "\n".join(kept)


def _written(section: NightlySection) -> tuple[str, list[Box]]:
    boxes: list[Box] = []
    lines: list[str] = []
    for line in section.lines[:MOST_LINES]:
        if line.command:
            text = f"{line.text}: {in_code(line.command)}"
            boxes.append(Box(text, line.command, line.number, line.on_pull_request))
            lines.append(EMPTY + text)
        else:
            lines.append(f"- {line.text}")
    if (more := len(section.lines) - MOST_LINES) > 0:
        lines.append(f"- and {more} more")
    return f"### {section.title}\n\n{section.whole or chr(10).join(lines)}", boxes


def _foot(slug: str, boxes: bool) -> str:
    ticks = "A box that you tick gives its command as if you had written it. " if boxes else ""
    return (
        f"{ticks}`@{slug} undo` takes my last edit back. I edit this issue in place; while it is closed I"
        " leave it alone, and `issues.nightly: false` and `review.scan: 0` end it."
    )


def _head(body: str) -> str:
    return body.partition("\n")[0].strip()


def _without_head(body: str) -> str:
    return body.partition("\n")[2].strip()


def _counted(count: int, what: tuple[str, str]) -> str:
    return f"{count:,} {what[count != 1]}"


def titled(title: str) -> str:
    """A stranger's title on one line, which it neither ends nor leaves."""
    said = one_line(title, _TITLE)
    return in_code(said) if said else "(no title)"


def clusters(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """What hangs together by these pairs, each set and all of them in the order of their numbers."""
    leads: dict[int, int] = {}

    def lead(one: int) -> int:
        while leads.setdefault(one, one) != one:
            leads[one] = one = leads[leads[one]]
        return one

    for one, other in pairs:
        first, second = sorted((lead(one), lead(other)))
        leads[second] = first
    found: dict[int, list[int]] = {}
    for one in sorted(leads):
        found.setdefault(lead(one), []).append(one)
    return sorted(tuple(each) for each in found.values())


def drafts_section(drafts: Sequence[Draft], link: Link) -> NightlySection:
    """Two boxes for each: it is posted, or discarded."""
    lines: list[Line] = []
    for one in drafts[: MOST_LINES // 2]:
        excerpt = cut(" ".join(one.body.replace("`", "'").split()), _EXCERPT, end="…")
        where = f"on {link(one.number)} ({in_code(one.about)})"
        lines.append(Line(f"Post {where} {in_code(excerpt)}", f"/hob draft post {one.n}", one.number))
        lines.append(Line(f"Discard that {where}", f"/hob draft drop {one.n}", one.number))
    more = len(drafts) - MOST_LINES // 2
    whole = tuple(lines) + ((Line(f"and {more} more drafts"),) if more > 0 else ())
    return NightlySection("Comments that wait to be posted", ("draft", "drafts"), whole, count=len(drafts))


def duplicates_section(
    pairs: Mapping[int, Repeated], titles: Mapping[int, str], link: Link, *, command: bool
) -> NightlySection:
    """Open issues that may be one, a line each set. `pairs`: which older one an issue may repeat, and why."""
    lines = []
    found = clusters((number, one.older) for number, one in pairs.items())
    for cluster in sorted(found, key=lambda each: -each[-1]):
        named = ", ".join(f"{link(one)} {titled(titles.get(one, ''))}" for one in cluster[:MOST_OF_CLUSTER])
        more = f" and {len(cluster) - MOST_OF_CLUSTER} more" if len(cluster) > MOST_OF_CLUSTER else ""
        why = dict.fromkeys(pairs[one].why for one in reversed(cluster) if one in pairs)
        text = f"{named}{more}: {'; '.join(list(why)[:3])}"
        newest = max(one for one in cluster if one in pairs)
        lines.append(Line(text, "/hob duplicates" if command else "", newest))
    return NightlySection(
        "The same?", ("group that may be the same", "groups that may be the same"), tuple(lines)
    )


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """That the author of an issue has said something since `asker` asked, and nobody since. `at`: when, in
    seconds since 1970."""

    number: int
    asker: Login
    author: Login
    at: float


def answered(said: Iterable[RawComment], items: Mapping[int, WorkItem], mine: str) -> list[AnsweredQuestion]:
    """Of open issues, the newest first; whoever may ask there is for others to say. `said`: oldest first.
    Other bots than `mine` ask nobody anything."""
    conversations: dict[int, list[RawComment]] = {}
    for one in said:
        conversations.setdefault(one.number, []).append(one)
    found = []
    for number, comments in conversations.items():
        issue = items.get(number)
        if issue is None or issue.kind != "issue" or issue.state != "open":
            continue
        last = comments[-1]
        others = [
            one
            for one in comments
            if one.author.login != issue.author and (one.author.login == mine or not one.author.is_bot)
        ]
        if last.author.login == issue.author and others and _ASKS.search(prose_of(others[-1].body)):
            found.append(AnsweredQuestion(number, others[-1].author.login, issue.author, last.at))
    return sorted(found, key=lambda one: -one.at)


def answered_section(
    found: Iterable[AnsweredQuestion], titles: Mapping[int, str], link: Link, *, command: bool
) -> NightlySection:
    lines = [
        Line(
            f"{link(one.number)} {titled(titles.get(one.number, ''))}: {in_code(one.author)} has answered"
            f" {in_code(one.asker)} on {day(one.at)}, and nobody has said anything since",
            "/hob triage" if command else "",
            one.number,
        )
        for one in found
    ]
    return NightlySection(
        "Answered, and nobody has gone on", ("answered question", "answered questions"), tuple(lines)
    )


def standup_section(told: Standup) -> NightlySection:
    return NightlySection("How it stands", ("", ""), whole="" if told.empty else markdown(told))


def fixed_section(items: Iterable[WorkItem], commits: Mapping[int, str], link: Link) -> NightlySection:
    """Open issues that a merged pull request or a commit of the default branch says it closes, but for those
    that somebody opened again."""
    lines = []
    for one in items:
        merged = [ref.number for ref in one.linked_pulls if ref.state == "merged" and not ref.repo]
        if one.kind != "issue" or one.state != "open" or one.state_reason == "reopened":
            continue
        if merged:
            said = f"{', '.join(map(link, merged))}, merged, says that it closes it"
        elif one.number in commits:
            said = f"commit {in_code(commits[one.number][:10])} says that it fixes it"
        else:
            continue
        lines.append(Line(f"{link(one.number)} {titled(one.title)}: {said}"))
    return NightlySection(
        "Open, and probably fixed", ("issue that may be fixed", "issues that may be fixed"), tuple(lines)
    )


def scan_section(found: Sequence[Finding]) -> NightlySection:
    """What stands in code that no pull request touches, the worst first."""
    lines = tuple(
        Line(f"{in_code(f'{one.path}:{one.line}')} ({one.severity}): {titled(f'{one.title}. {one.body}')}")
        for one in found
    )
    return NightlySection("Found by reading code that nobody is changing", ("finding", "findings"), lines)


def stale_section(
    pulls: Sequence[OpenPull], wanted: Mapping[int, Collection[Login]], now: float, link: Link, catch_up: bool
) -> NightlySection:
    """Those in which nothing happens, the longest first. `wanted`: who asks for changes in which."""
    lines = []
    for one in sorted(stale(pulls, now), key=lambda pull: pull.updated):
        asks = [f"{in_code(who)} asks for changes" for who in wanted.get(one.number, ())]
        if one.reviewers:
            asks.append(f"a review is asked of {', '.join(map(in_code, one.reviewers[:5]))}")
        if not asks:
            continue
        days = int((now - one.updated) // DAY)
        since = f"nothing since {day(one.updated)} ({days} days)"
        text = f"{link(one.number)} {titled(one.title)}: {', '.join(asks)}; {since}"
        command = "/hob catch-up" if catch_up else ""
        lines.append(Line(text, command, one.number, on_pull_request=True))
    return NightlySection("Reviews that nobody goes on with", ("stale review", "stale reviews"), tuple(lines))


def stale(pulls: Iterable[OpenPull], now: float) -> list[OpenPull]:
    """In which nothing happened for days."""
    return [one for one in pulls if not one.draft and now - one.updated >= STALE_DAYS * DAY]


def overlap_section(found: Sequence[Overlap], pulls: Mapping[int, OpenPull], link: Link) -> NightlySection:
    """What git cannot merge first."""
    lines = []
    for one in sorted(found, key=lambda each: (not each.conflicts, -each.first, -each.second)):
        if one.first not in pulls or (one.second and one.second not in pulls):
            continue
        where = _paths(one.conflicts or one.paths)
        first = f"{link(one.first)} {titled(pulls[one.first].title)}"
        if not one.second:
            text = f"{first} conflicts with {in_code(pulls[one.first].base_ref)} in {where}"
        else:
            what = "will conflict with" if one.conflicts else "changes the same files as"
            tried = "" if one.conflicts is not None else " (a merge could not be tried)"
            text = f"{first} {what} {link(one.second)} {titled(pulls[one.second].title)} in {where}{tried}"
        lines.append(Line(text))
    return NightlySection("Pull requests in each other's way", ("overlap", "overlaps"), tuple(lines))


def _paths(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - MOST_PATHS} more" if len(paths) > MOST_PATHS else ""
    return ", ".join(in_code(cut(one, _TITLE, end="…")) for one in paths[:MOST_PATHS]) + more
