"""Sorts an issue: what kind it is, how urgent, which existing labels and which type fit, whose files it
names, what is missing. It asks at most once; it never closes, assigns, notifies or invents a label."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel

from bot.core.effects import AddLabels, Comment, Effect, KeepDraft, Plan, SetIssueType
from bot.core.facts import IssueFacts
from bot.core.folding import folded
from bot.core.inference import Allowance, Completion, Infer, Prompt
from bot.core.labels import choices, status_labels, what_it_says
from bot.core.named_files import NamedFile
from bot.core.pictures import Picture
from bot.core.security_reports import suspicion
from bot.core.text import cut, in_code

MOST_LABELS = 3
MOST_BODY, MOST_FORM_FIELD, MOST_SAID, MOST_FILE = 8_000, 600, 2_000, 1_500
"""Characters that a model is shown."""
KIND_LABELS = {
    "bug": ("bug", "kind/bug", "type: bug", "t-bug"),
    "feature": ("enhancement", "feature", "feature request", "kind/feature", "type: feature"),
    "question": ("question", "kind/question", "support"),
    "docs": ("documentation", "docs", "kind/documentation"),
    "other": (),
}
PRIORITY_LABELS = {
    "urgent": ("priority: urgent", "priority: critical", "priority/critical", "urgent", "p0"),
    "high": ("priority: high", "priority/high", "high priority", "high", "p1"),
    "normal": (),
    "low": ("priority: low", "priority/low", "low priority", "p3"),
}
"""Usual names, in order of preference; one is used only where the repository has it. Normal is what no
label says."""
KIND_TYPES = {
    "bug": ("bug", "defect"),
    "feature": ("feature", "enhancement", "feature request"),
    "question": ("question", "support"),
    "docs": ("documentation", "docs"),
    "other": (),
}
"""The same of issue types."""
GITHUB = "https://github.com"
"""Elsewhere no address stays a link."""
QUESTION, TRIAGE, SECURITY = "question", "triage", "security"
"""What a comment or a draft of it is about."""


class TriageAnswer(BaseModel):
    kind: Literal["bug", "feature", "question", "docs", "other"]
    labels: list[str] = []
    priority: Literal["urgent", "high", "normal", "low"] = "normal"
    summary: str = ""
    missing: list[str] = []
    reply: str = ""
    security: bool = False


class PictureAnswer(BaseModel):
    text: str = ""


def picture_prompt(facts: IssueFacts, images: tuple[Picture, ...]) -> Prompt[PictureAnswer]:
    """What the pictures of an issue show; asked once, and never again."""
    return Prompt(
        name="picture",
        role="triage",
        answer=PictureAnswer,
        inputs={"title": facts.title[:300], "language": facts.context.settings.language},
        images=images,
        local=bool(facts.suspicion),
        retries=Allowance(0),
    )


async def plan(facts: IssueFacts, infer: Infer, retries: Allowance | None = None) -> Plan:
    """What is new, or nothing: a failure of the model leaves the issue untouched. What reports a weakness is
    pointed to the policy and no more. `retries`: how often a model may be asked again."""
    if facts.suspicion == "certain":
        return _pointed(facts, "by rule: the words of its title and text")
    answer = await infer(_prompt(facts, retries))
    used = answer.usage("triage")
    said = answer.value
    if said is None:
        words = f"I could not sort this issue: {answer.reason}"
        told = _answered(facts, words, "") if facts.requested else ()
        return Plan(told, reason=f"not triaged: {answer.reason}", usage=used)
    if said.security and facts.suspicion:
        whole = _pointed(facts, f"{_by(answer)}, and by rule: words of its title or text")
        return Plan(whole.effects, whole.reason, usage=used)
    effects: list[Effect] = []
    question = _question(facts, said)
    labels = choose_labels(facts, said, asks=bool(question) and (facts.requested or _mode(facts) == "always"))
    if labels:
        why = tuple(f"{in_code(name)}: {_why(facts, said, name, answer)}" for name in labels)
        effects.append(AddLabels(facts.number, labels, why))
    kind = choose_type(facts, said)
    if kind:
        effects.append(SetIssueType(facts.number, kind, "", (f"{in_code(kind)}: its kind, {_by(answer)}",)))
    effects += _words(facts, said, question, labels, kind, answer)
    reason = f"{said.kind}, {said.priority}: {said.summary[:200]}"
    if not facts.may_speak:
        reason += " (it is locked: no comment)"
    return Plan(tuple(effects), reason, usage=used)


def choose_labels(facts: IssueFacts, answer: TriageAnswer, *, asks: bool = False) -> tuple[str, ...]:
    """At most three that exist, that the settings allow, that nobody took off and that are not on the issue
    yet: kind, priority, that something is asked for, the area of the files, then the model's."""
    offered = {folded(name): name for name in _offered(facts)}
    kind = next((name for name in KIND_LABELS[answer.kind] if name in offered), "")
    priority = next((name for name in PRIORITY_LABELS[answer.priority] if name in offered), "")
    needs = [folded(name) for name in needs_information(facts)[:1]] if asks else []
    offered |= {folded(name): name for name in needs_information(facts)[:1]} if asks else {}
    wanted = dict.fromkeys([kind, priority, *needs, *map(folded, _areas(facts)), *map(folded, answer.labels)])
    without = {*map(folded, facts.labels), *facts.refused}
    return tuple(offered[name] for name in wanted if name in offered and name not in without)[:MOST_LABELS]


def choose_type(facts: IssueFacts, answer: TriageAnswer) -> str:
    """One that the organisation has, where the issue has none."""
    there = {folded(name): name for name in facts.types}
    wanted = (there[name] for name in KIND_TYPES[answer.kind] if name in there)
    return "" if facts.type else next(wanted, "")


def needs_information(facts: IssueFacts) -> tuple[str, ...]:
    """The labels that say that its author is asked for something."""
    names = [name for name, _ in facts.context.labels]
    return status_labels("needs information", names, facts.context.settings.issues.labels, facts.heard)


def _pointed(facts: IssueFacts, why: str) -> Plan:
    """One sentence that repeats nothing of the report, nothing else that tells that it is one, and once."""
    reason = "it may report a weakness: nothing is set"
    if not facts.policy:
        told = _answered(facts, "There is nothing that I would set here.", "") if facts.requested else ()
        return Plan(told, reason=f"{reason}, and there is no policy to point to")
    if SECURITY in facts.told and not facts.requested:
        return Plan(reason=f"{reason}, and it was pointed to the policy")
    words = f"If this is about the security of the project, please follow its policy: {facts.policy}"
    return Plan(_kept(facts, words, SECURITY, (f"the security policy, {why}",)), reason)


def _offered(facts: IssueFacts) -> frozenset[str]:
    """The names of the labels that may be chosen."""
    names = [name for name, _ in facts.context.labels]
    every = choices(names, facts.context.settings.issues.labels, facts.heard)
    return frozenset(one.name for one in every if one.may)


def _areas(facts: IssueFacts) -> tuple[str, ...]:
    """Labels of an area that is a folder or a file of those named: by its name, or by a path in its hint."""
    parts = {folded(part) for file, _ in facts.files for part in file.path.split("/")[:-1]}
    parts |= {folded(file.path.rpartition("/")[2].partition(".")[0]) for file, _ in facts.files}
    hints = {folded(name): hint for name, hint in facts.context.settings.issues.label_hints.items()}
    found: list[str] = []
    for name, _ in facts.context.labels:
        said = folded(name)
        area = said.replace(":", "/").replace("-", "/", 1).rpartition("/")[2].strip()
        folders = [word.strip("`*,;").rstrip("/*") for word in hints.get(said, "").split() if "/" in word]
        if (what_it_says(name) == "its area" and area in parts) or any(
            file.path == folder or file.path.startswith(f"{folder}/")
            for folder in folders
            if folder
            for file, _ in facts.files
        ):
            found.append(name)
    return tuple(found)


def _mode(facts: IssueFacts) -> str:
    """How it may speak unasked."""
    return facts.context.settings.issues.comment if facts.may_speak else "never"


def _words(
    facts: IssueFacts,
    said: TriageAnswer,
    question: str,
    labels: tuple[str, ...],
    kind: str,
    answer: Completion[TriageAnswer],
) -> tuple[Effect, ...]:
    """The comment or the draft; nothing where there is nothing to add."""
    found = _component(facts)
    why = (
        f"what I wrote: {_by(answer)}",
        *(f"{in_code(str_of(file))}: named in the text" for file, _ in facts.files),
    )
    if facts.requested:
        parts = [_sorted(said, labels, kind), *found, *facts.also, *([question] if question else [])]
        return _answered(facts, "\n\n".join(parts), QUESTION if question else TRIAGE, why)
    traced = any(file.line for file, _ in facts.files)
    tells = _mode(facts) in ("always", "draft") and not facts.told
    telling = [*(found if traced else ()), *facts.also] if tells else []
    parts = [*telling, *([question] if question else [])]
    if not parts:
        return ()
    return _kept(facts, "\n\n".join(parts), QUESTION if question else TRIAGE, why)


def _kept(facts: IssueFacts, words: str, about: str, why: tuple[str, ...]) -> tuple[Effect, ...]:
    """Said at once, kept for the maintainers, or not at all, as the settings want it."""
    if facts.requested:
        return _answered(facts, words, about, why)
    match _mode(facts):
        case "always":
            return (Comment(facts.number, words, about=about, why=why),)
        case "never":
            return ()
        case _:
            return (KeepDraft(facts.number, words, about),)


def _answered(
    facts: IssueFacts, words: str, about: str = TRIAGE, why: tuple[str, ...] = ()
) -> tuple[Effect, ...]:
    """To whoever asked; nothing where GitHub takes no comment."""
    return (Comment(facts.number, words, about=about, why=why),) if facts.may_speak else ()


def _sorted(said: TriageAnswer, labels: tuple[str, ...], kind: str) -> str:
    is_a = {"other": "something else than a bug, a wish or a question", "feature": "a wish for something new"}
    what = {"bug": "a bug", "question": "a question", "docs": "about the documentation"} | is_a
    weighs = {"urgent": ", and it is urgent", "high": ", of high priority", "low": ", of low priority"}
    priority = weighs.get(said.priority, "")
    new = [f"the label{'s' if len(labels) > 1 else ''} {', '.join(map(in_code, labels))}"] if labels else []
    new += [f"the type {in_code(kind)}"] if kind else []
    return f"I take this for {what[said.kind]}{priority}. " + (
        f"I set {' and '.join(new)}." if new else "There is nothing new to set."
    )


def _component(facts: IssueFacts) -> list[str]:
    """The files, whose they are, who knows them."""
    if not facts.files:
        return []
    listed = [f"- {_link(facts, file)}" for file, _ in facts.files[:5]]
    parts = ["It leads to:\n\n" + "\n".join(listed)]
    whose = [f"owned by {_names(facts.owners)} (CODEOWNERS)"] if facts.owners else []
    whose += [f"known best to {_names(facts.people)} (by their commits)"] if facts.people else []
    return [*parts, f"These files are {' and '.join(whose)}."] if whose else parts


def _names(people: Iterable[str]) -> str:
    """In code: nobody is notified."""
    return ", ".join(in_code(one, 60) for one in tuple(people)[:3])


def str_of(file: NamedFile) -> str:
    """`path:12`."""
    return f"{file.path}:{file.line}" if file.line else file.path


def _link(facts: IssueFacts, file: NamedFile) -> str:
    repo = facts.context.repo
    at = f"{facts.site}/{repo.full_name}/blob/{repo.default_branch}/{file.path}"
    plain = facts.site == GITHUB and all(
        char.isascii() and (char.isalnum() or char in "._~+/-:") for char in at
    )
    shown = in_code(str_of(file))
    return f"[{shown}]({at}{f'#L{file.line}' if file.line else ''})" if plain else shown


def _question(facts: IssueFacts, answer: TriageAnswer) -> str:
    """What is missing, asked for once: required fields of the form that are empty, and what the model finds
    missing and no field answers."""
    silent = not facts.may_speak or (_mode(facts) == "never" and not facts.requested)
    if QUESTION in facts.told or not facts.answers or silent:
        return ""
    missing = [" ".join(item.split())[:200] for item in answer.missing if item.strip()]
    if facts.form is None:
        if not missing:
            return ""
        if reply := answer.reply.strip():
            return reply[:1_000]
    else:
        given = [folded(label) for label in facts.form.answers]
        empty = [in_code(label, 100) for label in facts.form.missing]
        known = [*given, *map(folded, facts.form.missing)]
        missing = [*empty, *(one for one in missing if not any(_same(one, label) for label in known))]
    if not missing:
        return ""
    return "To look into this, it would help to know:\n\n" + "\n".join(f"- {one}" for one in missing[:5])


def _same(item: str, label: str) -> bool:
    """Whether what is said to be missing is what a field of the form asks."""
    said = folded(item)
    return label in said or said in label or bool(_terms(said) & _terms(label))


def _terms(text: str) -> set[str]:
    words = "".join(char if char.isalnum() else " " for char in text).split()
    return {word.removesuffix("s") for word in words if len(word) > 3} - _COMMON


_COMMON = frozenset(
    """
    your which what have does with that this from when where please describe tell about used using issue exact
    information detail more should happen happened would about there here into
    """.split()  # noqa: SIM905  a list of these takes 30 lines
)


def _by(answer: Completion[TriageAnswer]) -> str:
    model, host = answer.model or "unknown", answer.host or "unknown"
    return f"said by the model {in_code(model, 100)} on {in_code(host, 60)}"


def _why(facts: IssueFacts, said: TriageAnswer, name: str, answer: Completion[TriageAnswer]) -> str:
    label = folded(name)
    if label in map(folded, needs_information(facts)):
        return "by rule: I asked for what is missing"
    if label in map(folded, _areas(facts)):
        files = ", ".join(in_code(file.path) for file, _ in facts.files[:3])
        return f"by rule: the text names {files}"
    if label in KIND_LABELS[said.kind]:
        return f"its kind, {_by(answer)}"
    return f"{'its priority' if label in PRIORITY_LABELS[said.priority] else 'it fits'}, {_by(answer)}"


def _prompt(facts: IssueFacts, retries: Allowance | None) -> Prompt[TriageAnswer]:
    hints = {folded(name): hint for name, hint in facts.context.settings.issues.label_hints.items()}
    offered = _offered(facts)
    labels = [
        f"{name}: {hints.get(folded(name), description)}"
        for name, description in facts.context.labels
        if name in offered
    ]
    files = [f"{str_of(file)}\n{shown}".strip()[:MOST_FILE] for file, shown in facts.files[:4]]
    talk = [f"{who}: {cut(what, MOST_SAID, end='…')}" for who, what in facts.said[-6:]]
    return Prompt(
        name="triage",
        role="triage",
        answer=TriageAnswer,
        inputs={
            "title": facts.title[:300],
            "body": facts.body[:MOST_BODY],
            "form": _form(facts),
            "conversation": "\n\n".join(talk),
            "pictures": facts.pictures[:2_000],
            "files": "\n\n".join(files),
            "labels": "\n".join(labels[:100]),
            "rules": facts.rules[:4_000],
            "language": facts.context.settings.language,
        },
        retries=retries,
        local=bool(facts.suspicion) or any(suspicion("", one) for one in talk),
    )


def _form(facts: IssueFacts) -> str:
    if facts.form is None:
        return ""
    answers = facts.form.answers
    return "\n".join(
        f"{one.label[:100]}: {'answered' if one.label in answers else 'not answered'}"
        for one in facts.form.form.fields
    )
