"""Describes a change: a walkthrough for its readers; a title, a text and labels for its author to take."""

from dataclasses import dataclass

from pydantic import BaseModel

from bot.core.diff import render
from bot.core.facts import ChangeFacts
from bot.core.folding import folded
from bot.core.inference import Completion, Infer, Passage, Prompt, Usage
from bot.core.pathnames import resolve
from bot.core.pr_description import Proposal, own_words
from bot.core.text import count, cut, in_code

MOST_LABELS = 3
MOST_FILES = 60
MOST_NOTES = 200
"""Of one answer: each is looked up among the paths."""
MOST_PATCH = 12_000
"""Characters of one file's diff."""
_CHANGE = "change of "


class FileNote(BaseModel):
    path: str
    what: str


class Description(BaseModel):
    summary: str
    files: list[FileNote]
    title: str
    body: str
    labels: list[str]


@dataclass(frozen=True, slots=True)
class Described:
    """`failure`: why there is no description, a sentence; then all else is empty."""

    summary: str = ""
    folded: str = ""
    """The change file by file, and what was not read."""
    proposal: Proposal | None = None
    failure: str = ""
    usage: tuple[Usage, ...] = ()


async def describe(facts: ChangeFacts, infer: Infer) -> Described:
    """Without a diff to read nobody is asked."""
    if not any(file.hunks for file in facts.files):
        return Described(failure="there is nothing in this change that I can read.")
    answer = await infer(_prompt(facts))
    usage = answer.usage("describe")
    if answer.value is None:
        return Described(failure=answer.reason, usage=usage)
    said = answer.value
    return Described(
        summary=cut(said.summary.strip(), 2_000) or "I have nothing to say about this change as a whole.",
        folded=_file_by_file(facts, answer, said.files),
        proposal=_proposal(facts, said),
        usage=usage,
    )


def shown(proposal: Proposal, slug: str) -> str:
    """A proposal for people to judge."""
    labels = f"\n\n**Labels**: {', '.join(f'`{one}`' for one in proposal.labels)}" if proposal.labels else ""
    apply = f"`@{slug} describe apply` takes them over: the text goes below what the author wrote."
    return f"**Title**: {proposal.title}\n\n{proposal.body}{labels}\n\n{apply}"


def _proposal(facts: ChangeFacts, said: Description) -> Proposal:
    """Labels by the names that exist, those that are new on the pull request."""
    exist = {folded(name): name for name, _ in facts.context.labels}
    present = set(map(folded, facts.labels))
    named = dict.fromkeys(folded(one) for one in said.labels)
    fresh = [exist[name] for name in named if name in exist and name not in present]
    title = cut(" ".join(said.title.split()), 120) or facts.title
    body = cut(said.body.strip(), 6_000)
    return Proposal(facts.head_sha, title, body, tuple(fresh[:MOST_LABELS]))


def _file_by_file(facts: ChangeFacts, answer: Completion[Description], notes: list[FileNote]) -> str:
    """Only of files that were shown; and what was not read."""
    unread = {name.removeprefix(_CHANGE) for name in answer.left_out}
    changed = {file.path for file in facts.files} - unread
    told = ((resolve(note.path, changed, unread), " ".join(note.what.split())) for note in notes[:MOST_NOTES])
    what = {path: words for path, words in told if path is not None}
    lines = [f"- {in_code(path)}: {cut(words, 300, end='…')}" for path, words in what.items()]
    partly = sorted({name.removeprefix(_CHANGE) for name in answer.cut} | _long(facts))
    left = [
        *(f"{in_code(path)}: no room for it in the model's window" for path in sorted(unread)),
        *(f"{in_code(path)}: read in part" for path in partly if path not in unread),
        *(f"{in_code(one.path)}: {one.why}" for one in facts.skipped),
    ]
    parts = ["\n".join(lines[:MOST_FILES])] if lines else []
    if left:
        more = f"\n- and {count(len(left) - MOST_FILES, 'more file')}" if len(left) > MOST_FILES else ""
        parts.append("Not read:\n\n" + "\n".join(f"- {one}" for one in left[:MOST_FILES]) + more)
    return "\n\n".join(parts)


def _long(facts: ChangeFacts) -> set[str]:
    return {file.path for file in facts.files if len(render(file)) > MOST_PATCH}


def _prompt(facts: ChangeFacts) -> Prompt[Description]:
    return Prompt(
        name="describe",
        role="chat",
        answer=Description,
        inputs={
            "title": facts.title[:300],
            "body": own_words(facts.body)[:4_000],
            "labels": "\n".join(f"{name}: {what}" if what else name for name, what in facts.context.labels)[
                :3_000
            ],
            "language": facts.context.settings.language,
        },
        passages=tuple(
            Passage(f"{_CHANGE}{file.path}", cut(render(file), MOST_PATCH))
            for file in facts.files
            if file.hunks
        ),
    )
