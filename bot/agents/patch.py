"""Writes a patch of several files: asks for edits, tries them on the head's texts, and asks once more with
what was wrong. Nothing is applied halfway: a patch that does not hold is a reason, not a change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from pydantic import BaseModel

from bot.core.code_analysis import LINTED
from bot.core.edit_paths import asks_for_lock_files
from bot.core.edits import EditedFiles, EditProblem, FileEdit, apply
from bot.core.facts import PatchFacts
from bot.core.inference import Infer, Passage, Prompt, Usage
from bot.core.layout import changed_layout
from bot.core.text import in_code, model_words, some_of

PROMPTS = {"fix": "mend"}
"""Kinds whose prompt has another name."""
MOST_INSTRUCTIONS = 8_000
MOST_NAMES = 200
"""Other paths that a model is told of."""


class WishedEdit(BaseModel):
    path: str
    search: str = ""
    replace: str = ""
    delete: bool = False
    rename_to: str = ""


class WishedPatch(BaseModel):
    summary: str = ""
    edits: list[WishedEdit]


@dataclass(frozen=True, slots=True)
class PatchChecks:
    """What was done to see whether a patch is sound: the files that were parsed, those for which there is no
    parser, and those that a linter read; None where it could not run."""

    parsed: tuple[str, ...] = ()
    unparsed: tuple[str, ...] = ()
    linted: tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Patched:
    """`texts`: path -> the file after it, None where it goes; empty where `why` says in a clause why there is
    no patch. `summary`: what it does; of none only what a model says that proposes nothing: what would have
    been done reads as if it were. `unread`: files that no model saw whole."""

    summary: str = ""
    texts: Mapping[str, str | None] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    unread: tuple[str, ...] = ()
    usage: tuple[Usage, ...] = ()
    final: bool = False
    """Whether asking again would not help."""
    checks: PatchChecks | None = None
    """None where nothing was checked."""


async def patch(
    facts: PatchFacts, infer: Infer, problems: Sequence[str] = (), shown: Sequence[Passage] = ()
) -> Patched:
    """A failure is said: a person asked. `problems`: what was wrong with an earlier one, and `shown` what
    else a model has to see of that."""
    usage: tuple[Usage, ...] = ()
    done = Patched()
    for _ in range(2):
        answer = await infer(_prompt(facts, problems, shown))
        usage = (*usage, *answer.usage(facts.kind))
        if answer.value is None:
            return Patched(why=answer.reason or "no model gave an answer", usage=usage)
        done, problems = await tried(answer.value, facts)
        unread = tuple(path for path in (*answer.left_out, *answer.cut) if path in facts.texts)
        done = replace(done, unread=unread, usage=usage)
        if not problems or done.final:
            return done
    return done


async def tried(
    wished: WishedPatch, facts: PatchFacts, written: Mapping[str, str] = MappingProxyType({})
) -> tuple[Patched, Sequence[str]]:
    """The patch on the files as they are, and what is wrong with it, each with the lines that stand there.
    `written`: files of a work tree, which the edits are tried on and which are part of the patch."""
    summary = model_words(wished.summary, 1_500)
    edits = [_edit(one) for one in wished.edits]
    if not edits and not written:
        return Patched(summary, why="the model proposes no change", final=True), ["there are no edits"]
    locks = asks_for_lock_files(facts.wish)
    now = {**facts.texts, **written}
    edited = apply(edits, now, exists=facts.exists, allowed=facts.allowed, lock_files=locks)
    if written and not edited.problems:
        edited = _on_top(edited, facts.texts, written)
    if not edited.problems and not edited.texts:
        return Patched(why="the edits change nothing", final=True), ["the edits change nothing"]
    problems, checks = [_told(one) for one in edited.problems], None
    if not problems:
        problems, checks = await checked(edited.texts, edited.renamed, facts)
    if not problems:
        return Patched(summary, edited.texts, edited.renamed, checks=checks), ()
    final = bool(edited.problems) and not edited.mendable
    return Patched(why=why_of(problems), final=final), problems


def _on_top(edited: EditedFiles, heads: Mapping[str, str], written: Mapping[str, str]) -> EditedFiles:
    """What was written and then edited, as a change of the heads."""
    texts = {**written, **edited.texts}
    changed = {path: text for path, text in texts.items() if text != heads.get(path)}
    renamed = {new: old for new, old in edited.renamed.items() if old in heads}
    return EditedFiles(changed, (), renamed)


def why_of(problems: Sequence[str]) -> str:
    """A clause for people."""
    return "; ".join(_brief(one) for one in problems[:5])


def _edit(one: WishedEdit) -> FileEdit:
    return FileEdit(one.path.strip(), one.search, one.replace, one.delete, one.rename_to.strip())


async def checked(
    texts: Mapping[str, str | None], renamed: Mapping[str, str], facts: PatchFacts
) -> tuple[list[str], PatchChecks]:
    """What does not parse any more, and what the linter has to say that it did not say before; and what was
    looked at."""
    pairs = {
        path: (facts.texts.get(renamed.get(path, path), ""), text)
        for path, text in texts.items()
        if text is not None
    }
    parses = {path: facts.tools.still_parses(path, *both) for path, both in pairs.items()}
    said = [f"{path}: it would not parse any more" for path, fine in parses.items() if fine is False]
    said += [
        f"{path}: {wrong}"
        for path, (before, after) in pairs.items()
        if (wrong := facts.wrong(path, before, after) or changed_layout(path, before, after))
    ]
    remarks = await facts.tools.lint(
        {
            f"{side}/{path}": text
            for path, both in pairs.items()
            for side, text in zip(("old", "new"), both, strict=True)
        }
    )
    old = {
        (one.path.removeprefix("old/"), one.category, one.title)
        for one in remarks or ()
        if one.path.startswith("old/")
    }
    for one in remarks or ():
        path = one.path.removeprefix("new/")
        if one.path.startswith("new/") and (path, one.category, one.title) not in old:
            said.append(f"{path}: the linter would say: {one.title}")
    return said, PatchChecks(
        tuple(path for path, fine in parses.items() if fine is not None),
        tuple(path for path, fine in parses.items() if fine is None),
        None if remarks is None else tuple(path for path in pairs if path.endswith(LINTED)),
    )


def _told(one: EditProblem) -> str:
    """For the model: with the lines that stand there."""
    where = f"{one.path}: {one.why}." if one.path else f"{one.why}."
    return f"{where}\nThe nearest lines, from line {one.first}:\n{one.near}" if one.near else where


def _brief(problem: str) -> str:
    """For people: its first line."""
    return problem.partition("\n")[0].rstrip(".")


def _prompt(facts: PatchFacts, problems: Sequence[str], shown: Sequence[Passage]) -> Prompt[WishedPatch]:
    said = "\n\n".join(f"{who}: {what[:2_000]}" for who, what in facts.conversation)
    return Prompt(
        name=PROMPTS.get(facts.kind, facts.kind),
        role="code",
        answer=WishedPatch,
        inputs={
            "title": facts.title[:300],
            "description": facts.description[:4_000],
            "conversation": said[-8_000:],
            "wish": facts.wish[:1_000],
            "instructions": facts.instructions[:MOST_INSTRUCTIONS],
            "problems": "\n\n".join(problems)[:8_000],
            "files": "\n".join(facts.names[:MOST_NAMES]),
            "language": facts.context.settings.language,
        },
        passages=(
            *(
                Passage(path, text, priority=place)
                for place, (path, text) in enumerate(facts.texts.items(), 1)
            ),
            *shown,
        ),
    )


def listed(texts: Mapping[str, str | None], most: int = 8) -> str:
    """The files of a patch, for people."""
    names = [f"{in_code(path)}{' (deleted)' if text is None else ''}" for path, text in sorted(texts.items())]
    return some_of(names, most)
