"""From what a model said to findings, by rules that no model can talk round: the file was shown, the quote
stands there, the lines are changed ones, the names exist, most readings agree."""

import builtins
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from bot.agents.review.answers import FindingAnswer
from bot.agents.review.asking import Reading, Said
from bot.core.diff import FileDiff, Hunk, Line, anchor
from bot.core.facts import PullRequestFacts, Remark
from bot.core.findings import Finding, fingerprint
from bot.core.text import cut, fence_for

ASTRAY = "about files that this change does not touch"
UNKNOWN = "naming code that is not there"
OUTVOTED = "that most readings did not share"
_NAME = re.compile(r"`(?:(?:self|this|cls)\.)?([A-Za-z_]\w{2,})(\(\))?`")
_NAMELIKE = re.compile(r"\w_\w|[a-z][A-Z]")
_WORD = re.compile(r"[A-Za-z_]\w{2,}")
_ELSEWHERE = frozenset(dir(builtins))
TOO_MANY = "past what a review may hold"
MOST_JUDGED = 400
"""Of one review: each is looked for in its file's diff."""
MOST_ELSEWHERE = 20
"""Quotes that are looked for in whole files."""
SHORTEST = 12
"""Characters of a line that is a point's own: shorter ones stand everywhere."""


@dataclass(slots=True)
class Judged:
    """`dropped` counts by reason; nothing is lost without being counted."""

    findings: list[Finding] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def judged(reading: Reading, facts: PullRequestFacts) -> Judged:
    """Findings with their lines. One whose quote is not in the diff has none; one on lines that the change
    does not touch is marked `outside`."""
    result = Judged()
    result.dropped[TOO_MANY] += reading.dropped + len(reading.said[MOST_JUDGED:])
    files = {file.path: file for file in facts.files}
    names = None if facts.tools.known else _names(facts)
    made: list[tuple[Said, Finding]] = []
    loose = 0
    for said in reading.said[:MOST_JUDGED]:
        finding = _about_issue(said, facts) or _finding(said, files, facts, loose < MOST_ELSEWHERE)
        loose += finding is not None and (finding.outside or not finding.anchored)
        if finding is None:
            result.dropped[ASTRAY] += 1
        elif _invented(finding, facts, names):
            result.dropped[UNKNOWN] += 1
        else:
            made.append((said, finding))
    agreed, outvoted = _voted(made, reading.readings)
    result.findings = _one_about_issues(agreed)
    result.dropped[OUTVOTED] += outvoted
    return result


def _about_issue(said: Said, facts: PullRequestFacts) -> Finding | None:
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


def _finding(
    said: Said, files: dict[str, FileDiff], facts: PullRequestFacts, elsewhere: bool
) -> Finding | None:
    """None for a file that was not shown. `elsewhere`: a quote that is not in the diff is looked for in the
    whole file."""
    path = said.answer.path
    bare = path.removeprefix("b/").removeprefix("a/")
    found = next((one for one in said.shown if one in (path, bare)), None)
    if found is None:
        return None
    finding, file = _plain(said.answer, found), files[found]
    if place := anchor(file, finding.quote):
        start = place.start_line or place.line
        return replace(
            finding,
            line=place.line,
            start_line=place.start_line,
            outside=not _changed(file, start, place.line),
            replacement=said.answer.replacement,
        )
    text = facts.texts.get(found) if elsewhere else None
    if text and (place := anchor(_whole(file, text), finding.quote)):
        return replace(finding, line=place.line, start_line=place.start_line, outside=True)
    return finding


def _plain(said: FindingAnswer, path: str) -> Finding:
    return Finding(
        path=path,
        severity=said.severity,
        category=said.category[:40],
        title=said.title[:160],
        body=cut(said.body, 2_000),
        quote=said.quote[:10_000],
        confidence=said.confidence,
    )


def _whole(file: FileDiff, text: str) -> FileDiff:
    """The head's file as a diff of nothing but context: quotes can be looked for in it."""
    lines = [Line(" ", line, number, number) for number, line in enumerate(text.split("\n"), 1)]
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


def _voted(made: Sequence[tuple[Said, Finding]], readings: Sequence[int]) -> tuple[list[Finding], int]:
    """What more than half of the readings of its part found, each once; and how many points did not."""
    if max(readings, default=0) < 2:
        return [finding for _, finding in made], 0
    kept: list[Finding] = []
    outvoted = 0
    groups: dict[tuple[int, str], list[tuple[Said, Finding]]] = defaultdict(list)
    for said, finding in made:
        groups[said.part, finding.path].append((said, finding))
    for (part, _), some in groups.items():
        rest = sorted(some, key=lambda one: one[1].rank)
        while rest:
            same = [one for one in rest if _same(one[1], rest[0][1])]
            if 2 * len({said.reading for said, _ in same}) > readings[part]:
                kept.append(same[0][1])
            else:
                outvoted += 1
            rest = [one for one in rest if one not in same]
    return kept, outvoted


def _same(one: Finding, other: Finding) -> bool:
    """Two readings of one point: the same lines, or without lines the same words."""
    if one.line is None or other.line is None:
        return fingerprint(one) == fingerprint(other)
    return (one.start_line or one.line) <= other.line and (other.start_line or other.line) <= one.line


def names_over_time(finding: Finding, file: FileDiff | None) -> frozenset[str]:
    """Every fingerprint under which this point may have been said before: with a line less or more of the
    code, or under the file's old name."""
    quotes = [finding.quote]
    if finding.source == "model" and file is not None and finding.line is not None:
        quotes += _spans(file, finding.start_line or finding.line, finding.line)
    found = {fingerprint(replace(finding, quote=quote)) for quote in quotes}
    if file is not None and file.old_path:
        found |= {fingerprint(replace(finding, quote=quote, path=file.old_path)) for quote in quotes}
    return frozenset(found)


def _spans(file: FileDiff, start: int, end: int) -> Iterable[str]:
    """Runs of at most five lines that share a telling line with start..end."""
    for hunk in file.hunks or ():
        side = hunk.new_side
        inside = [n for n, line in enumerate(side) if line.new is not None and start <= line.new <= end]
        for index in inside:
            if len("".join(side[index].text.split())) < SHORTEST:
                continue
            for first in range(max(0, index - 4), index + 1):
                for last in range(index, min(len(side), first + 5)):
                    yield "\n".join(line.text for line in side[first : last + 1])


def said_by_others(finding: Finding, threads: Iterable[Remark]) -> bool:
    """Whether somebody has made this point on these lines. What a check proved only CI can have said
    before, and a critical one nobody: whoever may comment could hide it so."""
    proved = finding.source != "model"
    if finding.line is None or (proved and finding.severity == "critical"):
        return False
    return any(
        remark.path == finding.path
        and remark.line is not None
        and (finding.start_line or finding.line) <= remark.line
        and (remark.start_line or remark.line) <= finding.line
        and (not proved or remark.kind == "annotation")
        and _alike(finding, remark.words)
        for remark in threads
    )


def _alike(finding: Finding, words: str) -> bool:
    """Half of the title's words, or three of all."""
    others = _telling(words)
    title = _telling(finding.title)
    return 2 * len(title & others) >= max(1, len(title)) or len(_telling(finding.body) & others) >= 3


def _telling(text: str) -> set[str]:
    return {word[:6] for word in re.findall(r"[^\W\d_]{4,}", text.casefold())}


def with_code(finding: Finding, code: str) -> Finding:
    """The finding with code that can't be offered for one click shown in its text."""
    code = cut(code.replace("\r", "").strip("\n"), 1_500)
    mark = fence_for(code)
    return replace(finding, body=f"{finding.body}\n\nPerhaps:\n\n{mark}\n{code}\n{mark}", replacement=None)


def quotes_whole_lines(finding: Finding, text: str) -> bool:
    """Whether the quote is all of the lines that it was found on."""
    last = finding.line or 0
    lines = text.split("\n")[(finding.start_line or last) - 1 : last]
    quoted = [line.strip().removeprefix("+").strip() for line in finding.quote.strip().split("\n")]
    return quoted == [line.strip() for line in lines]


def without_suggestion(finding: Finding) -> Finding:
    """A replacement that can't be offered for one click, shown as code where it says anything new."""
    code = (finding.replacement or "").strip()
    if not code or _bare(code) == _bare(finding.quote):
        return replace(finding, replacement=None)
    return with_code(finding, finding.replacement or "")


def _bare(text: str) -> str:
    return "".join(text.split())
