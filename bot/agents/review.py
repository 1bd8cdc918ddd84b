"""Judges a pull request: asks a model about groups of files, anchors what it says by its quotes, joins the
checks' findings, and plans one review and one check run. The model never gives a line number and never
decides what is posted."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from bot.core.coverage import Coverage, check_summary, check_text, check_title, conclusion, count
from bot.core.diff import FileDiff, anchor, render
from bot.core.effects import LineComment, Plan, PostReview, SetCheck, Usage
from bot.core.facts import PullRequestFacts, Skipped
from bot.core.findings import Chosen, Finding, choose, fingerprint
from bot.core.inference import Infer, Passage, Prompt
from bot.core.judgement import Judgement
from bot.core.memory import conventions, dismissed_by

GROUP_CHARS = 12_000
"""Of rendered diff in one prompt: three to four thousand tokens, past which small models miss more than
they find."""
MAX_GROUPS = 8
"""Prompts for one review; files beyond are left to the checks and said to be unread."""
MAX_FINDINGS = 200
"""Taken from one answer; a model that says more is not reviewing."""

MOST_CONVENTIONS = 20
"""Remembered ones in one prompt, the newest."""


class FindingAnswer(BaseModel):
    path: str
    quote: str
    severity: Literal["critical", "major", "minor", "nit"]
    category: str
    title: str
    body: str
    replacement: str | None = None
    confidence: float = Field(default=0.5, ge=0, le=1)


class ReviewAnswer(BaseModel):
    findings: list[FindingAnswer]
    summary: str = ""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What came of asking."""

    findings: tuple[Finding, ...]
    read: tuple[str, ...]
    unread: tuple[Skipped, ...]
    failure: str
    usage: tuple[Usage, ...]
    astray: int = 0
    """Findings about files that the change does not touch."""


async def plan(facts: PullRequestFacts, infer: Infer) -> Plan:
    """One review when there is something to say, one check run always."""
    judged = await judge(facts, infer)
    chosen, coverage = judged.chosen, judged.coverage
    check = SetCheck(
        head_sha=facts.head_sha,
        conclusion=judged.conclusion,
        title=check_title(coverage, (*chosen.shown, *chosen.standing)),
        summary=check_summary(facts, coverage) + _unsaid(chosen, judged.astray),
        text=check_text(coverage),
    )
    review = _review(facts, chosen, coverage, gating=judged.conclusion == "failure")
    effects = (review, check) if chosen.shown else (check,)
    return Plan(effects, reason=check.title, head_sha=facts.head_sha, usage=judged.usage)


async def judge(facts: PullRequestFacts, infer: Infer) -> Judgement:
    """What is found, what of it is said, and what was read."""
    reading = await _read(facts, infer)
    settings = facts.context.settings.review
    chosen = choose(
        (*facts.checked, *reading.findings),
        min_severity=settings.min_severity,
        max_comments=settings.max_comments,
        posted=facts.posted,
        dismissed=lambda one: dismissed_by(facts.memory, one, facts.number),
    )
    coverage = Coverage(
        read=reading.read,
        unread=(*facts.skipped, *reading.unread),
        total=facts.total_files,
        checks=facts.checks_run,
        failure=reading.failure,
    )
    verdict = conclusion(coverage, (*chosen.shown, *chosen.standing), gating=settings.request_changes)
    return Judgement(facts, chosen, coverage, verdict, reading.usage, reading.astray)


async def _read(facts: PullRequestFacts, infer: Infer) -> _Reading:
    """Asks group by group; a failure ends the asking, for the next prompt would meet the same host."""
    groups = _groups(facts.files)
    read: list[str] = []
    unread = [
        Skipped(file.path, "more than one review reads") for group in groups[MAX_GROUPS:] for file in group
    ]
    findings: list[Finding] = []
    usage: list[Usage] = []
    failure, astray = "", 0
    for group in groups[:MAX_GROUPS]:
        if failure:
            unread += [Skipped(file.path, "not reached") for file in group]
            continue
        answer = await infer(_prompt(facts, group))
        usage += answer.usage("review")
        if answer.value is None:
            failure = answer.reason or "the model gave no usable answer"
            unread += [Skipped(file.path, "the model failed") for file in group]
            continue
        lacking = dict.fromkeys(answer.left_out, "over the model's context")
        lacking |= dict.fromkeys(answer.cut, "over the model's context: only its beginning was read")
        read += [file.path for file in group if file.path not in lacking]
        unread += [Skipped(file.path, lacking[file.path]) for file in group if file.path in lacking]
        told = [_finding(said, group, facts) for said in answer.value.findings[:MAX_FINDINGS]]
        findings += [finding for finding in told if finding]
        astray += told.count(None) + max(0, len(answer.value.findings) - MAX_FINDINGS)
    return _Reading(tuple(findings), tuple(read), tuple(unread), failure, tuple(usage), astray)


def _groups(files: Sequence[FileDiff]) -> list[list[FileDiff]]:
    """Code before tests before prose; whole files, as many together as one prompt holds."""
    groups: list[list[FileDiff]] = []
    room = 0
    for file in sorted(files, key=_rank):
        size = len(render(file))
        if not groups or size > room:
            groups.append([])
            room = GROUP_CHARS
        groups[-1].append(file)
        room -= size
    return groups


def _rank(file: FileDiff) -> tuple[int, str]:
    path = file.path.lower()
    prose = path.endswith((".md", ".rst", ".txt", ".json", ".yml", ".yaml", ".toml", ".csv", ".svg"))
    return (2 if prose else 1 if "test" in path else 0), file.path


def _prompt(facts: PullRequestFacts, group: Sequence[FileDiff]) -> Prompt[ReviewAnswer]:
    return Prompt(
        name="review",
        role="review",
        answer=ReviewAnswer,
        inputs={
            "title": facts.title,
            "body": facts.body[:4_000],
            "instructions": _instructions(facts, group),
            "language": facts.context.settings.language,
        },
        passages=tuple(
            Passage(file.path, render(file), priority=1 + place) for place, file in enumerate(group)
        ),
    )


def _instructions(facts: PullRequestFacts, group: Sequence[FileDiff]) -> str:
    """The repository's own words for these files, and the conventions that people had Hob remember, each
    once."""
    texts = [text for file in group for text in facts.instructions.get(file.path, ())]
    texts += conventions(facts.memory)[-MOST_CONVENTIONS:]
    return "\n".join(dict.fromkeys(texts))


def _finding(said: FindingAnswer, group: Sequence[FileDiff], facts: PullRequestFacts) -> Finding | None:
    """None for a file that was not shown. A quote that is not there leaves the finding without a line."""
    path = said.path.removeprefix("b/").removeprefix("a/")
    file = next((file for file in group if file.path in (said.path, path)), None)
    if file is None:
        return None
    place = anchor(file, said.quote)
    return Finding(
        path=file.path,
        severity=said.severity,
        category=said.category[:40],
        title=said.title[:160],
        body=said.body[:2_000],
        quote=said.quote,
        confidence=said.confidence,
        line=place.line if place else None,
        start_line=place.start_line if place else None,
        replacement=_proved(said, place.start_line or place.line, place.line, facts.texts.get(file.path))
        if place and said.replacement is not None
        else None,
    )


def _proved(said: FindingAnswer, start: int, end: int, text: str | None) -> str | None:
    """The replacement, if the head's file can take it: known text, a real change, and Python that parsed
    still parses."""
    replacement = said.replacement or ""
    if text is None or "\r" in text or len(replacement) > 4_000:
        return None
    lines = text.split("\n")
    if end > len(lines) or (old := "\n".join(lines[start - 1 : end])) == replacement.rstrip("\n"):
        return None
    if not _quotes_whole_lines(said.quote, old):
        return None  # the replacement may be for the quoted part of the line only
    new = replacement.rstrip("\n").split("\n")
    if not new[0].strip() or _indent(new[0]) != _indent(lines[start - 1]):
        return None
    if (
        said.path.endswith(".py")
        and _parses(text)
        and not _parses("\n".join([*lines[: start - 1], *new, *lines[end:]]))
    ):
        return None
    return "\n".join(new)


def _quotes_whole_lines(quote: str, lines: str) -> bool:
    quoted = [line.strip().removeprefix("+").strip() for line in quote.strip().split("\n")]
    return quoted == [line.strip() for line in lines.split("\n")]


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _review(facts: PullRequestFacts, chosen: Chosen, coverage: Coverage, *, gating: bool) -> PostReview:
    inline = [finding for finding in chosen.shown if finding.anchored]
    loose = [finding for finding in chosen.shown if not finding.anchored]
    body = f"{count(len(chosen.shown), 'finding')} {coverage.origin}."
    if loose:
        body += "\n\n" + "\n".join(
            f"- `{item.path}`: **{item.severity}** {item.title}. {item.body}" for item in loose
        )
    if chosen.over_cap:
        body += f"\n\n{count(len(chosen.over_cap), 'more finding')} not shown (review.max_comments)."
    return PostReview(
        number=facts.number,
        head_sha=facts.head_sha,
        body=body,
        comments=tuple(_line_comment(finding) for finding in inline),
        event="REQUEST_CHANGES" if gating else "COMMENT",
        findings=chosen.shown,
    )


def _line_comment(finding: Finding) -> LineComment:
    source = "" if finding.source == "model" else f" ({finding.source})"
    return LineComment(
        path=finding.path,
        line=finding.line or 0,
        start_line=finding.start_line,
        body=f"**{finding.severity}**: {finding.title}{source}\n\n{finding.body}".rstrip(),
        suggestion=finding.replacement,
        fingerprint=fingerprint(finding),
    )


def _unsaid(chosen: Chosen, astray: int) -> str:
    """Counted, so that nothing is lost in silence."""
    counts = [
        (len(chosen.standing), "said before and still there"),
        (len(chosen.dismissed), "dismissed by people"),
        (len(chosen.below_severity), "below review.min_severity"),
        (len(chosen.over_cap), "over review.max_comments"),
        (astray, "about files that this change does not touch"),
    ]
    return "".join(f"\n- {count(number, 'finding')} {why}, not shown" for number, why in counts if number)
