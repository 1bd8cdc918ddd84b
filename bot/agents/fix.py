"""Mends one point of a pull request: asks for edits of one file and makes of them a suggestion that
applies, or says why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from bot.core.diff import FileDiff
from bot.core.edits import EditProblem, FileEdit, replaced
from bot.core.facts import FixFacts
from bot.core.inference import Infer, Passage, Prompt, Usage
from bot.core.pathnames import resolve
from bot.core.suggestion import LineReplacement, change, in_one_hunk, proved
from bot.core.text import code_block, cut, model_words

AROUND = 60
"""Lines of the file that are shown before and after the point."""
MOST_EDITS = 20


class SearchReplace(BaseModel):
    path: str
    search: str
    replace: str


class PatchAnswer(BaseModel):
    summary: str = ""
    edits: list[SearchReplace]


@dataclass(frozen=True, slots=True)
class Mended:
    """What to say, and where there is one the change that can be offered; `after`: the whole file where it
    can't be, and could be committed still. `summary` is what to say of that."""

    words: str
    change: LineReplacement | None = None
    usage: tuple[Usage, ...] = ()
    summary: str = ""
    after: str | None = None


async def mend(facts: FixFacts, infer: Infer) -> Mended:
    """A failure is said: a person asked."""
    answer = await infer(_prompt(facts))
    usage = answer.usage("fix")
    if answer.value is None:
        return Mended(f"I could not write a fix: {answer.reason}", usage=usage)
    summary = model_words(answer.value.summary, 1_000) or "A fix:"
    after, why = _edited(facts, answer.value.edits[:MOST_EDITS])
    if after is None:
        return Mended(f"{summary}\n\nI have no suggestion to offer: {why}.", usage=usage)
    start, end, new = _difference(facts.text.split("\n"), after.split("\n"), facts)
    made = change(facts.file, facts.text, start, end, f"{new}\n")
    if made is not None and (await proved([made], facts.tools))[0]:
        return Mended(summary, made, usage)
    words = f"{summary}\n\n{_why(facts.file, start, end, made)}\n\n{_block(new)}"
    whole = LineReplacement(facts.file.path, facts.text, 1, facts.text.count("\n") + 1, after)
    fine = made is None and (await proved([whole], facts.tools))[0]
    return Mended(words, usage=usage, summary=summary, after=after if fine else None)


def _why(file: FileDiff, start: int, end: int, made: LineReplacement | None) -> str:
    if not in_one_hunk(file, start, end):
        why = "it does not fit into one hunk of this change"
    elif made is None:
        why = "its lines cannot be replaced as they stand"
    else:
        why = "the file would not parse, or the linter would complain, after it"
    return f"I can't offer this as a suggestion to commit: {why}. Lines {start} to {end} would become:"


def _block(code: str) -> str:
    return code_block(cut(code.replace("\r", ""), 6_000))


def _edited(facts: FixFacts, edits: Sequence[SearchReplace]) -> tuple[str | None, str]:
    """The file after the edits, or None and why. What is searched for must be there once."""
    path, text = facts.file.path, facts.text
    if any(resolve(edit.path, (path,)) is None for edit in edits):
        return None, "the fix needs other files too"
    wishes = dict.fromkeys(FileEdit(path, edit.search, edit.replace) for edit in edits)
    after = replaced(path, text, tuple(wishes))
    if isinstance(after, EditProblem):
        return None, after.why
    return (after, "") if after != text else (None, "the model changed nothing")


def _difference(old: list[str], new: list[str], facts: FixFacts) -> tuple[int, int, str]:
    """The lines (from 1) of the old text that differ, and what stands there in the new one. Widened to the
    lines of the thread where those hold it, for a reply there replaces exactly these; and by a line where
    nothing else would be replaced, or nothing be left."""
    same = next((n for n, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), None)
    first = min(len(old), len(new)) if same is None else same
    tail = 0
    while tail < min(len(old), len(new)) - first and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    last = len(old) - tail
    if first == last or first == len(new) - tail:
        first, tail = (first - 1, tail) if first else (first, tail - 1)
        last = len(old) - tail
    if facts.start - 1 <= first and last <= facts.end:
        first, last = facts.start - 1, facts.end
        tail = len(old) - last
    return first + 1, last, "\n".join(new[first : len(new) - tail])


def _prompt(facts: FixFacts) -> Prompt[PatchAnswer]:
    lines = facts.text.split("\n")
    first, last = max(0, facts.start - 1 - AROUND), facts.end + AROUND
    said = "\n\n".join(f"{who}: {what[:2_000]}" for who, what in facts.conversation)
    return Prompt(
        name="fix",
        role="code",
        answer=PatchAnswer,
        inputs={
            "title": facts.title[:300],
            "lines": "\n".join(lines[facts.start - 1 : facts.end]),
            "conversation": said[-6_000:],
            "wish": facts.wish[:1_000],
            "language": facts.context.settings.language,
        },
        passages=(Passage(facts.file.path, "\n".join(lines[first:last])),),
    )
