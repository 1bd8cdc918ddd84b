"""Resolves the conflicts of a merge: those that are plain without a model, others as far as a model's text
for them says what both sides say and nothing else. A file of which anything is left is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import BaseModel

from bot.core.code_analysis import Tools
from bot.core.edit_paths import why_not
from bot.core.facts import MergeFacts
from bot.core.inference import Infer, Passage, Prompt, Usage
from bot.core.merge_checks import lost, unsound
from bot.core.merge_proof import holds
from bot.core.merge_rules import proved
from bot.core.merging import Conflict, ConflictHunk

AROUND = 15
"""Lines that are shown before and after a conflict."""
MOST_ASKED = 40
"""Conflicts that a model is asked about."""
AT_ONCE = (10, 3)
"""In one question, at first and when it is asked again."""
MOST_SHOWN = 12_000
"""Characters of a conflict that a model is shown."""
BY_MODEL = "written by a model: it says what both sides say, and nothing else"


class WishedResolution(BaseModel):
    number: int
    text: str = ""
    leave: bool = False


class WishedResolutions(BaseModel):
    resolutions: list[WishedResolution]


@dataclass(frozen=True, slots=True)
class ResolvedHunk:
    """`text`: what takes its place, None where it is left; `why`: in a clause, how or why not."""

    hunk: ConflictHunk
    text: str | None
    why: str


@dataclass(frozen=True, slots=True)
class ResolvedFile:
    """`text`: the whole file, None where something of it is left; `why`: then in a clause, why."""

    path: str
    text: str | None = None
    why: str = ""
    hunks: tuple[ResolvedHunk, ...] = ()
    before: str = ""
    """The head's, as the file would be written."""


@dataclass(frozen=True, slots=True)
class Resolved:
    files: tuple[ResolvedFile, ...]
    usage: tuple[Usage, ...] = ()

    @property
    def left(self) -> tuple[ResolvedFile, ...]:
        return tuple(one for one in self.files if one.text is None)

    @property
    def texts(self) -> dict[str, str]:
        return {one.path: one.text for one in self.files if one.text is not None}


@dataclass(slots=True)
class _Work:
    """One file under way. `texts`: number of a hunk -> (text, how); `whys`: why not yet."""

    conflict: Conflict
    why: str = ""
    texts: dict[int, tuple[str, str]] = field(default_factory=dict)
    whys: dict[int, str] = field(default_factory=dict)
    asked: bool = False
    """Whether a model was asked about any of it."""
    given_up: set[int] = field(default_factory=set)
    """Numbers about which asking again would not help."""

    @property
    def open(self) -> list[int]:
        return [n for n in range(len(self.conflict.hunks)) if n not in self.texts] if not self.why else []

    @property
    def text(self) -> str:
        return self.conflict.text(lambda number, _: self.texts[number][0])


async def resolve(facts: MergeFacts, infer: Infer) -> Resolved:
    """What it cannot is said of each conflict: a person asked."""
    works = [_begun(conflict, facts) for conflict in facts.conflicts]
    await _checked(works, facts.tools)
    usage: list[Usage] = []
    for at_once in AT_ONCE:
        every = [(work, number) for work in works for number in work.open]
        wanted = [one for one in every[:MOST_ASKED] if one[1] not in one[0].given_up]
        if not wanted:
            break
        for at in range(0, len(wanted), at_once):
            usage += await _ask(wanted[at : at + at_once], facts, infer)
        await _checked([work for work in works if work.asked], facts.tools)
    return Resolved(tuple(_told(work) for work in works), tuple(usage))


def _begun(conflict: Conflict, facts: MergeFacts) -> _Work:
    why = conflict.why or why_not(conflict.path, facts.allowed) or unsound(conflict, facts.tools)
    work = _Work(conflict, why)
    for number in work.open:
        if found := proved(conflict, number, facts.tools):
            work.texts[number] = (found.text, found.why)
    return work


async def _checked(works: Sequence[_Work], tools: Tools) -> None:
    """Files that have all their texts, as wholes. What a model wrote in one that is not sound is put back;
    what was plain without one is not, and the file is left."""
    done = [work for work in works if not work.why and not work.open]
    wrong = {work.conflict.path: lost(work.conflict, work.text, tools) for work in done}
    fine = [work for work in done if not wrong[work.conflict.path]]
    wrong |= await _linted(fine, tools)
    for work in done:
        why = wrong.get(work.conflict.path)
        if not why:
            continue
        if not work.asked:
            work.why = f"put together, {why}"
        for number in [number for number, (_, how) in work.texts.items() if how == BY_MODEL]:
            del work.texts[number]
            work.whys[number] = why


async def _linted(works: Sequence[_Work], tools: Tools) -> dict[str, str]:
    """path -> what a linter says of the merged file that it says of neither side."""
    texts: dict[str, str] = {}
    for work in works:
        path = work.conflict.path
        texts |= {f"ours/{path}": work.conflict.ours, f"theirs/{path}": work.conflict.theirs}
        texts[f"new/{path}"] = work.text
    remarks = await tools.lint(texts) if texts else ()
    known = {
        (one.path.partition("/")[2], one.category, one.title)
        for one in remarks or ()
        if not one.path.startswith("new/")
    }
    return {
        path: f"the linter would say: {one.title[:200]}"
        for one in remarks or ()
        if one.path.startswith("new/")
        and ((path := one.path.removeprefix("new/")), one.category, one.title) not in known
    }


async def _ask(wanted: Sequence[tuple[_Work, int]], facts: MergeFacts, infer: Infer) -> tuple[Usage, ...]:
    """One question about some conflicts, which are counted from 1 in it."""
    shown = {}
    for name, (work, number) in enumerate(wanted, 1):
        work.asked = True
        if sum(map(len, _versions(work.conflict.hunks[number]).values())) > MOST_SHOWN:
            work.whys[number] = "it is too long to be shown to a model"
            work.given_up.add(number)
        else:
            shown[name] = (work, number)
    if not shown:
        return ()
    answer = await infer(_prompt(shown, facts))
    unread = {name.partition(" ")[0] for name in (*answer.left_out, *answer.cut)}
    given: dict[int, list[WishedResolution]] = {}
    for one in answer.value.resolutions if answer.value else ():
        given.setdefault(one.number, []).append(one)
    for name, (work, number) in shown.items():
        if answer.value is None:
            work.whys[number] = answer.reason or "no model gave an answer"
        elif str(name) in unread:
            work.whys[number] = "it does not fit into what the model can read"
        else:
            _take(work, number, given.get(name, []))
    return answer.usage("conflicts")


def _take(work: _Work, number: int, given: Sequence[WishedResolution]) -> None:
    if len(given) != 1:
        work.whys[number] = (
            "the model gives more than one text for it" if given else "the model gives no text"
        )
    elif given[0].leave:
        work.whys[number] = "the model finds that both sides cannot be had"
        work.given_up.add(number)
    else:
        text = given[0].text.replace("\r\n", "\n")
        text = text if not text or text.endswith("\n") else f"{text}\n"
        if why := holds(work.conflict.hunks[number], text):
            work.whys[number] = f"the model's text does not hold: {why}"
        else:
            work.texts[number] = (text, BY_MODEL)
            work.whys.pop(number, None)


def _prompt(shown: Mapping[int, tuple[_Work, int]], facts: MergeFacts) -> Prompt[WishedResolutions]:
    passages: list[Passage] = []
    problems = []
    for name, (work, number) in shown.items():
        before, after = _around(work.conflict, number)
        said = {"lines before": before, **_versions(work.conflict.hunks[number]), "lines after": after}
        about = f"{name} {work.conflict.path}"
        passages += [Passage(f"{about}: {what}", text, priority=name) for what, text in said.items()]
        if number in work.whys:
            problems.append(f"{name}: {work.whys[number]}")
    return Prompt(
        name="conflicts",
        role="code",
        answer=WishedResolutions,
        inputs={
            "title": facts.title[:300],
            "base": facts.base[:300],
            "problems": "\n".join(problems)[:6_000],
        },
        passages=tuple(passages),
    )


def _versions(hunk: ConflictHunk) -> dict[str, str]:
    return {"ancestor": hunk.base, "ours": hunk.ours, "theirs": hunk.theirs}


def _around(conflict: Conflict, number: int) -> tuple[str, str]:
    at = [n for n, part in enumerate(conflict.parts) if isinstance(part, ConflictHunk)][number]
    before = conflict.parts[at - 1] if at else ""
    after = conflict.parts[at + 1] if at + 1 < len(conflict.parts) else ""
    lines = before.split("\n")[-AROUND - 1 :] if isinstance(before, str) else []
    more = after.split("\n")[:AROUND] if isinstance(after, str) else []
    return "\n".join(lines)[-MOST_SHOWN:], "\n".join(more)[:MOST_SHOWN]


def _told(work: _Work) -> ResolvedFile:
    conflict = work.conflict
    if work.why and not conflict.parts:
        return ResolvedFile(conflict.path, why=work.why)
    hunks = []
    for number, hunk in enumerate(conflict.hunks):
        text, how = work.texts.get(number, (None, ""))
        why = how or work.why or work.whys.get(number) or f"I ask about {MOST_ASKED} conflicts at most"
        hunks.append(ResolvedHunk(hunk, None if work.why else text, why))
    file = ResolvedFile(conflict.path, hunks=tuple(hunks), before=conflict.finished(conflict.ours))
    if work.why or work.open:
        return replace(file, why=work.why or f"{len(work.open)} of {len(hunks)} conflicts left")
    return replace(file, text=conflict.finished(work.text))
