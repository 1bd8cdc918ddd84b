"""One question about all that is to be said: another prompt is to refute each finding, with the code before
it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.agents.review.answers import VerifyAnswer
from bot.agents.review.asking import receipts
from bot.agents.review.beginning import SPARE, Common, common
from bot.agents.review.looking import Looking, fetched
from bot.core.diff import FileDiff, HunkLine
from bot.core.facts import PullRequestFacts
from bot.core.findings import Finding
from bot.core.inference import Allowance, Completion, Infer, Passage, Prompt, ToolUse, Usage
from bot.core.pathnames import shown as shown_path
from bot.core.review_result import DataReceipt

SURE = 0.7
"""The confidence from which a finding is said though nobody could verify it."""
MARGIN = 4
"""Lines shown before and after the quoted ones."""
MOST_CODE = 900
MOST_BODY = 500


@dataclass(frozen=True, slots=True)
class Verified:
    """`kept` in their order; `refuted` by the verifier; `unsure`: not verified and not sure enough."""

    kept: tuple[Finding, ...]
    refuted: tuple[Finding, ...] = ()
    unsure: tuple[Finding, ...] = ()
    usage: tuple[Usage, ...] = ()
    failure: str = ""
    receipts: tuple[DataReceipt, ...] = ()


async def verify(
    findings: Sequence[Finding],
    facts: PullRequestFacts,
    infer: Infer,
    begun: Common | None = None,
    looking: Looking | None = None,
    left: int = 1,
) -> Verified:
    """What a check proved is not asked about: no model can take it away. A finding that was not judged,
    because the verifier failed or did not name it, stays when the reviewer was sure of it. `begun`: what the
    questions began with that found them; `left`: how many questions may be asked yet, repeated ones and those
    with look-ups among them; without any, nothing is verified."""
    asked = [finding for finding in findings if finding.source == "model"]
    if not asked:
        return Verified(tuple(findings))
    shown, answer = await _asked(asked, facts, infer, begun, looking, left) if left > 0 else ((), _NONE_LEFT)
    verdicts: dict[int, bool] = {}
    for verdict in answer.value.verdicts if answer.value else ():
        verdicts.setdefault(verdict.index, verdict.keep)
    keeps = {id(one): verdicts.get(number) for number, one in enumerate(asked)}
    kept = [one for one in findings if one.source != "model" or _stays(one, keeps[id(one)])]
    refuted = tuple(one for one in asked if keeps[id(one)] is False)
    unsure = tuple(one for one in asked if keeps[id(one)] is None and not _stays(one, None))
    failure = answer.reason if answer.value is None else ""
    seen = receipts([(shown, answer)])
    return Verified(tuple(kept), refuted, unsure, answer.usage("verify"), failure, seen)


_NONE_LEFT: Completion[VerifyAnswer] = Completion(
    failure="budget", reason="no question was left for verifying (review.max_calls)"
)


async def _asked(
    asked: Sequence[Finding],
    facts: PullRequestFacts,
    infer: Infer,
    begun: Common | None,
    looking: Looking | None,
    left: int,
) -> tuple[tuple[str, ...], Completion[VerifyAnswer]]:
    """The names of all that the question showed, and its answer."""
    files = {file.path: file for file in facts.files}
    told = [_told(one, files.get(one.path), facts) for one in asked]
    beside = await fetched(asked, told, facts, looking)
    used: list[ToolUse] = []
    if looking and looking.look_ups and beside.wanting and left > 2 and facts.effort != "quick":
        infer = looking.look_ups(infer, facts, len(asked), left, used)
    prompt = _prompt(told, begun or common(facts, (), ()), beside.passages)
    answer = await infer(replace(prompt, retries=Allowance(left - 1)))
    shown = dict.fromkeys(
        (*(one.path for one in asked), *(one.name for one in beside.passages), *map(_looked, used))
    )
    return tuple(shown), answer


def _looked(use: ToolUse) -> str:
    """What a host was shown by a look-up, for the receipt."""
    return f"{use.name} {use.arguments}"[:200]


def _stays(finding: Finding, keep: bool | None) -> bool:
    return finding.confidence >= SURE if keep is None else keep


def _prompt(told: Sequence[str], begun: Common, beside: Sequence[Passage]) -> Prompt[VerifyAnswer]:
    """Where space is short the claims stay, the gravest longest, then what is beside them."""
    claims = (Passage(f"finding {number}", text) for number, text in enumerate(told))
    return Prompt(
        name="verify",
        role="review",
        answer=VerifyAnswer,
        inputs=begun.inputs,
        passages=(*begun.shown(2), *claims, *beside),
        beginning=begun.beginning,
        spare=SPARE,
    )


def _told(finding: Finding, file: FileDiff | None, facts: PullRequestFacts) -> str:
    claim = f"{shown_path(finding.path)}\nclaim: {finding.title}. {finding.body[:MOST_BODY]}"
    code = _code(finding, file, facts)
    return (
        f"{claim}\ncode:\n{code}"
        if code
        else f"{claim}\nThe code that it quotes was not found in the change."
    )


def _code(finding: Finding, file: FileDiff | None, facts: PullRequestFacts) -> str:
    """The lines of the claim and some around them, as a diff where they are in it."""
    if finding.line is None or file is None:
        wanted = [one for one in facts.linked_issues if finding.path == f"issue {one.number}"]
        return "\n".join(f"{one.title}\n{one.body}" for one in wanted)[:MOST_CODE]
    first, last = (finding.start_line or finding.line) - MARGIN, finding.line + MARGIN
    lines = [f"{line.kind}{line.text}" for line in _near(file, finding.line, first, last)]
    if not lines:
        text = facts.texts.get(file.path, "").split("\n")
        lines = [f" {line}" for line in text[max(0, first - 1) : last]]
    return "\n".join(lines)[:MOST_CODE]


def _near(file: FileDiff, line: int, first: int, last: int) -> list[HunkLine]:
    """The lines first..last of the hunk that holds `line`, with those that are gone between them."""
    hunk = next(
        (one for one in file.hunks or () if one.new_start <= line < one.new_start + one.new_count), None
    )
    near: list[HunkLine] = []
    place = hunk.new_start - 1 if hunk else 0
    for one in hunk.lines if hunk else ():
        place = one.new or place
        near += [one] if first <= place <= last else []
    return near
