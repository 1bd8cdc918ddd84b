"""From what a model said to findings, by rules that no model can talk round: the file was shown, the quote
stands there, the lines are changed ones, the names exist, most readings agree."""

import builtins
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.agents.review.answers import FindingAnswer
from bot.agents.review.asking import SECURITY, ModelFinding, Reading
from bot.core.diff import Anchor, FileDiff, Hunk, HunkLine, anchor, anchors, occurs
from bot.core.facts import PullRequestFacts
from bot.core.findings import Finding, JudgedFinding, also_at, fingerprint
from bot.core.pathnames import resolve
from bot.core.text import close_fences, cut

ASTRAY = "about files that this change does not touch"
UNQUOTED = "quoting code that is not there"
UNKNOWN = "naming code that is not there"
IN_PART = "about a linked issue from a part of the change"
OUTVOTED = "that most readings did not share"
_NAME = re.compile(r"`(?:(?:self|this|cls)\.)?([A-Za-z_]\w{2,})(\(\))?`")
_NAMELIKE = re.compile(r"\w_\w|[a-z][A-Z]")
_WORD = re.compile(r"[A-Za-z_]\w{2,}")
_ELSEWHERE = frozenset(dir(builtins))
TOO_MANY = "past what a review may hold"
UNCLEAR = "that could not be understood"
MOST_JUDGED = 400
"""Of one review: each is looked for in its file's diff."""
LONGEST_QUOTE = 10_000
MOST_ELSEWHERE = 20
"""Quotes that are looked for in whole files."""


@dataclass(slots=True)
class JudgedFindings:
    """`dropped` counts by reason; nothing is lost without being counted."""

    findings: list[Finding] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    refused: list[JudgedFinding] = field(default_factory=list)
    """Those of the dropped that were understood and judged."""

    def refuse(self, finding: Finding, why: str) -> None:
        self.dropped[why] += 1
        self.refused.append(JudgedFinding(finding, "refused", why))


def judged(reading: Reading, facts: PullRequestFacts) -> JudgedFindings:
    """Findings with their lines. One whose quote is not in the diff has none; one on lines that the change
    does not touch is marked `outside`."""
    result = JudgedFindings()
    result.dropped[TOO_MANY] += reading.dropped + len(reading.said[MOST_JUDGED:])
    result.dropped[UNCLEAR] += reading.unclear
    files = {file.path: file for file in facts.files}
    names = None if facts.tools.known else _names(facts)
    made: list[tuple[ModelFinding, Finding]] = []
    loose = 0
    judged_now = reading.said[:MOST_JUDGED]
    for said, places in zip(judged_now, _placed(judged_now, files), strict=True):
        finding = _about_issue(said, facts) or _finding(said, places, files, facts, loose < MOST_ELSEWHERE)
        loose += finding is not None and (finding.outside or not finding.anchored)
        if said.answer.category.casefold() == "issue" and facts.linked_issues and not said.whole:
            result.refuse(_plain(said.answer, said.answer.path), IN_PART)
        elif finding is None:
            result.refuse(_plain(said.answer, said.answer.path), ASTRAY)
        elif finding.quote.strip() and not (finding.anchored or _holds_somewhere(finding, files, facts)):
            result.refuse(finding, UNQUOTED)
        elif _invented(finding, facts, names):
            result.refuse(finding, UNKNOWN)
        else:
            made.append((said, finding))
    agreed, outvoted = _voted(made, reading.readings)
    result.findings = _one_about_issues(agreed)
    for finding in outvoted:
        result.refuse(finding, OUTVOTED)
    return result


def _about_issue(said: ModelFinding, facts: PullRequestFacts) -> Finding | None:
    """What a linked issue asks for and the change does not do: judged only by who saw the whole change, and
    known again by the issue."""
    if said.answer.category.casefold() != "issue" or not facts.linked_issues or not said.whole:
        return None
    number = facts.linked_issues[0].number
    return replace(_plain(said.answer, f"issue {number}"), quote=f"issue {number}")


def _one_about_issues(findings: Sequence[Finding]) -> list[Finding]:
    """Of several only the surest."""
    about = sorted((one for one in findings if one.category == "issue"), key=lambda one: one.rank)
    return [one for one in findings if one.category != "issue"] + about[:1]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a finding stands: its file, and of it the lines and the equal ones that it speaks for too."""

    path: str | None
    anchor: Anchor | None = None
    also: tuple[int, ...] = ()


def _placed(said: Sequence[ModelFinding], files: dict[str, FileDiff]) -> list[_Places]:
    """Findings of one answer that quote the same code get its places in their order; where there are more
    places than findings, the last one speaks for the rest."""
    found: list[_Places] = []
    groups: dict[tuple[int, int, str, tuple[Anchor, ...]], list[int]] = defaultdict(list)
    for number, one in enumerate(said):
        path = resolve(one.answer.path, one.shown, files)
        places: tuple[Anchor, ...] = ()
        if path is not None:
            shown = [hunk for part in one.parts if part.path == path for hunk in part.hunks or ()]
            places = anchors(files[path], one.answer.quote[:LONGEST_QUOTE], shown)
        found.append(_Places(path, places[0] if places else None))
        if path is not None and len(places) > 1:
            groups[one.reading, one.part, path, places].append(number)
    for (_, _, path, places), numbers in groups.items():
        for order, number in enumerate(numbers):
            place = min(order, len(places) - 1)
            rest = places[place + 1 :] if order == len(numbers) - 1 else ()
            found[number] = _Places(path, places[place], tuple(one.start_line or one.line for one in rest))
    return found


def _finding(
    said: ModelFinding, places: _Places, files: dict[str, FileDiff], facts: PullRequestFacts, elsewhere: bool
) -> Finding | None:
    """None for a file that was not shown. `elsewhere`: a quote that is not in the diff is looked for in the
    whole file."""
    found = places.path
    if found is None:
        return None
    finding, file = _plain(said.answer, found), files[found]
    if place := places.anchor:
        start = place.start_line or place.line
        return replace(
            finding,
            body="\n\n".join(filter(None, (close_fences(finding.body), also_at(places.also)))),
            line=place.line,
            start_line=place.start_line,
            outside=not _changed(file, start, place.line),
            replacement=said.answer.replacement,
        )
    text = facts.texts.get(found) if elsewhere else None
    if text and (place := anchor(_whole(file, text), finding.quote)):
        return replace(finding, line=place.line, start_line=place.start_line, outside=True)
    return finding


def _holds_somewhere(finding: Finding, files: dict[str, FileDiff], facts: PullRequestFacts) -> bool:
    """Whether the quote stands in the file at all, be it more than once; a linked issue is no file."""
    file = files.get(finding.path)
    if file is None:
        return True
    text = facts.texts.get(finding.path, "")
    if occurs(file, finding.quote) or (text and occurs(_whole(file, text), finding.quote)):
        return True
    shown = "\n".join(line.text for hunk in file.hunks or () for line in hunk.new_side)
    wanted = "".join(finding.quote.split())
    return any(wanted in "".join(one.split()) for one in (shown, text))


def _plain(said: FindingAnswer, path: str) -> Finding:
    return Finding(
        path=path,
        severity=said.severity,
        category=said.category[:40],
        title=said.title[:160],
        body=cut(said.body, 2_000),
        quote=said.quote[:LONGEST_QUOTE],
        confidence=said.confidence,
    )


def _whole(file: FileDiff, text: str) -> FileDiff:
    """The head's file as a diff of nothing but context: quotes can be looked for in it."""
    lines = [HunkLine(" ", line, number, number) for number, line in enumerate(text.split("\n"), 1)]
    return replace(file, hunks=(Hunk(1, len(lines), 1, len(lines), "", tuple(lines)),))


def _changed(file: FileDiff, start: int, end: int) -> bool:
    """Whether one of the lines is new, or stands beside lines that are gone."""
    for hunk in file.hunks or ():
        for before, line, after in zip(
            (None, *hunk.lines), hunk.lines, (*hunk.lines[1:], None), strict=False
        ):
            if line.new is None or not start <= line.new <= end:
                continue
            if line.kind == "+" or any(beside and beside.kind == "-" for beside in (before, after)):
                return True
    return False


def _names(facts: PullRequestFacts) -> frozenset[str]:
    """Every name in the change and in the files that it changes."""
    texts = [*facts.texts.values(), facts.title, facts.body]
    texts += [line.text for file in facts.files for hunk in file.hunks or () for line in hunk.lines]
    return frozenset(word for text in texts for word in _WORD.findall(text))


def _invented(finding: Finding, facts: PullRequestFacts, names: frozenset[str] | None) -> bool:
    """Whether the claim rests on names that do not exist. Where only the changed files are known, none of
    those it uses may; where the whole repository is, the title's have to."""
    title, body = _claimed(finding.title), _claimed(finding.body)
    if facts.tools.known is not None:
        return not all(map(facts.tools.known, title))
    found = title | body
    return bool(found) and names is not None and not found & names


def _claimed(text: str) -> set[str]:
    """Names in backticks that look like a repository's own: no plain words, nothing built in."""
    return {
        name
        for name, called in _NAME.findall(text)
        if (called or _NAMELIKE.search(name))
        and name not in _ELSEWHERE
        and not name.endswith(("Error", "Exception"))
    }


def _voted(
    made: Sequence[tuple[ModelFinding, Finding]], readings: Sequence[int]
) -> tuple[list[Finding], list[Finding]]:
    """What more than half of the readings of its part found, each once; and the points that they did not. A
    look for holes happens once and is not voted on: verifying it is to come."""
    if max(readings, default=0) < 2:
        return [finding for _, finding in made], []
    kept: list[Finding] = []
    outvoted: list[Finding] = []
    groups: dict[tuple[int, str], list[tuple[ModelFinding, Finding]]] = defaultdict(list)
    for said, finding in made:
        groups[said.part, finding.path].append((said, finding))
    for (part, _), some in groups.items():
        rest = sorted(some, key=lambda one: one[1].rank)
        while rest:
            same = [one for one in rest if _same(one[1], rest[0][1])]
            voters = {said.reading for said, _ in same}
            if SECURITY in voters or 2 * len(voters) > readings[part]:
                kept.append(same[0][1])
            else:
                outvoted.append(same[0][1])
            rest = [one for one in rest if one not in same]
    return kept, outvoted


def _same(one: Finding, other: Finding) -> bool:
    """Two readings of one point: the same lines, or without lines the same words."""
    if one.line is None or other.line is None:
        return fingerprint(one) == fingerprint(other)
    return (one.start_line or one.line) <= other.line and (other.start_line or other.line) <= one.line
