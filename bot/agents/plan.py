"""Plans the work on an issue: steps as a task list, the files that will change (those that exist, or are said
to be new), risks, tests and open questions. One question to a model; the text is made here."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from bot.core.code_search import Excerpt
from bot.core.context_packing import pack_conversation
from bot.core.facts import RepoContext
from bot.core.inference import Infer, Passage, Prompt, Usage
from bot.core.refs import Login
from bot.core.text import count, in_code, one_line

MOST_STEPS, MOST_FILES, MOST_POINTS = 15, 20, 6
TALK_TOKENS = 1_500
ROLES = ("design", "code", "tests", "docs", "review", "release")
INTRO = "**Plan**"


class WorkPlanStep(BaseModel):
    title: str
    detail: str = ""
    role: str = ""


class PlannedFile(BaseModel):
    path: str
    new: bool = False


class WorkPlanAnswer(BaseModel):
    steps: list[WorkPlanStep]
    files: list[PlannedFile] = []
    risks: list[str] = []
    tests: list[str] = []
    questions: list[str] = []


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """An issue that is to be planned, and what stands around it."""

    context: RepoContext
    title: str
    body: str
    conversation: tuple[tuple[Login, str], ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    """Of the repository, best first."""
    standing: str = ""
    """The plan as it is now."""
    wish: str = ""
    slug: str = "hob"


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """`failure`: why there is no plan, a sentence; then there is no text."""

    text: str = ""
    failure: str = ""
    usage: tuple[Usage, ...] = field(default=())


Existing = Callable[[Sequence[str]], Awaitable[Collection[str]]]
"""Which of some paths are files of the default branch."""


async def plan(facts: PlanFacts, infer: Infer, existing: Existing) -> WorkPlan:
    answer = await infer(_prompt(facts))
    used = answer.usage("plan")
    said = answer.value
    if said is None:
        return WorkPlan(failure=answer.reason, usage=used)
    titled = {_title(one.title).casefold(): one for one in said.steps if one.title.strip()}
    steps = [_step(one) for one in list(titled.values())[:MOST_STEPS]]
    if not steps:
        return WorkPlan(failure="the model named no step.", usage=used)
    named = {path: one.new for one in said.files[:50] if (path := _path(one.path))}
    there = set(await existing(list(named)[:MOST_FILES])) if named else set()
    files = [
        f"- {in_code(path)}{'' if path in there else ' (new)'}"
        for path, new in list(named.items())[:MOST_FILES]
        if path in there or new
    ]
    dropped = len({one.path.strip() for one in said.files}) - len(files)
    parts = [f"{INTRO}\n\n" + "\n".join(steps)]
    parts += _section("Files", files)
    for name, lines in (("Risks", said.risks), ("Tests", said.tests), ("Open questions", said.questions)):
        told = dict.fromkeys(f"- {text}" for one in lines if (text := one_line(one, 300)))
        parts += _section(name, list(told)[:MOST_POINTS])
    if dropped:
        parts.append(f"*(Left out: {count(dropped, 'file')} that the model named and that I do not find.)*")
    again = in_code(f"@{facts.slug} plan")
    parts.append(f"*Edit and tick as you like: it stays when I plan again ({again}).*")
    return WorkPlan("\n\n".join(parts), usage=used)


def _step(one: WorkPlanStep) -> str:
    role = f" ({one.role})" if one.role in ROLES else ""
    detail = one_line(one.detail, 400)
    return f"- [ ] **{_title(one.title)}**{role}{': ' + detail if detail else ''}"


def _title(text: str) -> str:
    return one_line(text.replace("*", " "), 120)


def _section(name: str, lines: Sequence[str]) -> list[str]:
    return [f"**{name}**\n\n" + "\n".join(lines)] if lines else []


def _path(text: str) -> str:
    """A path inside the repository; nothing for what is none."""
    path = text.strip().removeprefix("./")
    parts = path.split("/")
    sane = path.isprintable() and len(path) <= 250 and not {"", ".", "..", ".git"} & set(parts)
    return path if sane and not set(path) & set("\\`\"'<>|:*?") else ""


def _prompt(facts: PlanFacts) -> Prompt[WorkPlanAnswer]:
    talk = pack_conversation(facts.conversation, TALK_TOKENS)
    return Prompt(
        name="plan",
        role="chat",
        answer=WorkPlanAnswer,
        inputs={
            "title": facts.title[:300],
            "body": facts.body[:6_000],
            "conversation": talk.text,
            "standing": facts.standing[:4_000],
            "wish": facts.wish[:1_000],
            "language": facts.context.settings.language,
        },
        passages=tuple(Passage(one.path, one.numbered, 1 + n) for n, one in enumerate(facts.excerpts)),
    )
