"""Questions about what waits for what, recognised by rules in several languages: those are answered from
GitHub's own facts, never by likeness. What is not surely such a question is none."""

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, cast
from unicodedata import normalize

from bot.core.dependency_sentences import LATER, SENTENCES, WORDS
from bot.core.markdown_blocks import read
from bot.core.work_items import WorkRef

DependencyKind = Literal["blocks", "waiting", "ready", "open", "unblocked", "blocked", "cycles"]
"""What holds it back; who waits for it; what can be started; what a milestone has open; what its end sets
free; all that is held back; what goes round in circles."""

MOST_QUESTION = 300
"""Characters of a sentence: a longer one asks for more."""
MOST_SENTENCES = 12


@dataclass(frozen=True, slots=True)
class DependencyQuestion:
    """What is asked of what: an issue (`ref`), the one that is talked in (`here`), a milestone, or all."""

    kind: DependencyKind
    ref: WorkRef | None = None
    here: bool = False
    milestone: str = ""
    sure: bool = True
    """False: such a question only if there is a milestone of this very name."""


def _folded(text: str) -> str:
    """Without the accents of Latin and Cyrillic letters, character by character."""
    return "".join(normalize("NFKD", one)[0] if "\x7f" < one < "\u0530" else one for one in text)


_COURTESY = (
    r"((hi|hey|hello|hob|please|pls|so|and|ok|okay|well|then|can|could|would|will|do|you|tell|me|us|show|know"
    r"|list|say|give|find|out|i|we|want|need|would|like|to|let|see|check|for|quick|question|thanks"
    r"|hallo|bitte|kannst|könntest|du|mir|uns|sag|sage|zeig|zeige|mal|weißt|und|also"
    r"|bonjour|salut|peux-tu|pouvez-vous|dis-moi|dites-moi|s'il|te|vous|plaît|et"
    r"|hola|por|favor|puedes|decirme|dime|y|olá|oi|pode|dizer|diga|ciao|puoi|dirmi|dimmi|e"
    r"|hoi|kun|je|zeg|eens|en|скажи|пожалуйста"
    r"|请|请问|教えて)[\s,:!\uff0c、-]{1,3}){0,10}"
)


def _compiled(rule: str) -> re.Pattern[str]:
    for name, words in WORDS.items():
        rule = rule.replace(name, words)
    whole = _folded(rf"{_COURTESY}({rule}){LATER}\Z")
    return re.compile(re.sub(r"(?<!\\)\((?!\?)", "(?:", whole), re.IGNORECASE)


@cache
def _patterns() -> tuple[tuple[DependencyKind, re.Pattern[str]], ...]:
    """Made when somebody asks: it takes a tenth of what a process needs to start."""
    return tuple(
        (cast("DependencyKind", kind), _compiled(rule))
        for kind, _, rule in (line.partition(": ") for line in SENTENCES.strip().split("\n"))
        if not kind.startswith("#")
    )


_SENTENCES = re.compile(r"(?<=[?!\uff1f。\uff01])\s*|(?<=[^\W\d_][^\W\d_])\.\s+|\n+")
_END = " \t?!.,;:¿¡\uff1f。\uff01؟"
_NUMBER = re.compile(
    r"(?:(?:the |our |das |die |der |l'|la |le |el |il |de |het )?"
    r"(?:issue|ticket|bug|task|pr|pull[ -]request|merge[ -]request|aufgabe|tâche|tarea|problema|tarefa)s? ?)?"
    r"(?P<repo>[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}(?=\#))?(?:\#|gh-)?(?P<number>[1-9]\d{0,8})",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"https?://[\w.:-]{1,100}/(?P<repo>[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100})"
    r"/(?:issues|pull)/(?P<number>[1-9]\d{0,8})(?:[#?/].{0,80})?",
    re.IGNORECASE,
)
_HERE = re.compile(
    r"(?:this|it|that|this one|dieses|dies|das|ceci|ce|cette|esto|este|esta|isto|isso|questo|questa|dit|deze"
    r"|это|这个|これ)"
    r"(?: (?:issue|ticket|bug|task|pr|pull request|one|thread|aufgabe|tâche|tarea))?",
    re.IGNORECASE,
)
_MILESTONE_WORD = (
    r"(?:milestone|release|version|meilenstein|jalon|hito|marco|traguardo|mijlpaal"
    r"|вех[аиуе]|релиз\w?|里程碑|マイルストーン)"
)
_BEFORE = re.compile(
    r"(?:(?:the|our|next|dem|den|der|das|die|le|la|el|il|lo|o|a|het|de) ){0,2}"
    rf"(?P<word>{_MILESTONE_WORD})(?![a-z]) ?(?P<name>.+)",
    re.IGNORECASE,
)
_BEHIND = re.compile(rf"(?:(?:the|our|dem|den|der|das|die) )?(?P<name>.+?) ?{_MILESTONE_WORD}", re.IGNORECASE)
_VERSION = re.compile(
    r"v\d+(?:\.\d+)*(?:[-.+]?[a-z]{1,6}\.?\d*)?|\d+(?:\.\d+)+(?:[-.+]?[a-z]{1,6}\.?\d*)?", re.IGNORECASE
)
_QUOTES = "\"'`“”\u2018\u2019„«»「」*_ "


def dependency_question(text: str) -> DependencyQuestion | None:
    """What a text asks of dependencies, by rules alone; None where it asks something else, or more."""
    lines = (line for line, block in read(text[:8_000]) if block.kind == "prose" and not block.quoted)
    found: list[DependencyQuestion] = []
    others = 0
    for sentence in _SENTENCES.split("\n".join(lines))[: MOST_SENTENCES + 1]:
        said = " ".join(sentence.split())
        question = _read(said.strip(_END)) if len(said) <= MOST_QUESTION else None
        if question:
            found.append(question)
        elif said.endswith(("?", "\uff1f")) or len(said) > MOST_QUESTION:
            others += 1
    return found[0] if len(set(found)) == 1 and not others else None


def subject(said: str) -> DependencyQuestion | None:
    """The same with what is said after a command: `#12`, a milestone's name, nothing (here)."""
    name = said.strip(_END)
    found = _about("blocks", name) if name else DependencyQuestion("blocks", here=True)
    return replace(found, sure=True) if found else None


def _read(sentence: str) -> DependencyQuestion | None:
    said = _folded(sentence.replace("\u2019", "'"))
    for kind, pattern in _patterns():
        if match := pattern.match(said):
            place = next((place for place in map(match.span, match.re.groupindex) if place[0] >= 0), (0, 0))
            name = sentence[slice(*place)]
            return _about(kind, name) if name else DependencyQuestion(kind)
    return None


def _about(kind: DependencyKind, said: str) -> DependencyQuestion | None:
    name = said.strip(_QUOTES)
    if not name or len(name) > 100:
        return None
    if match := _ADDRESS.fullmatch(name):
        return DependencyQuestion(kind, WorkRef(int(match["number"]), match["repo"].lower()))
    if match := _NUMBER.fullmatch(name):
        ref = WorkRef(int(match["number"]), (match["repo"] or "").lower())
        bare = name == match["number"]  # a milestone may be called so
        return DependencyQuestion(kind, ref, milestone=name if bare else "")
    if _HERE.fullmatch(name):
        return DependencyQuestion(kind, here=True)
    if match := _BEFORE.fullmatch(name):
        inner = match["name"].strip(_QUOTES)
        version = match["word"].casefold() in ("release", "version") and not _VERSION.fullmatch(inner)
        return DependencyQuestion(kind, milestone=inner, sure=not version) if inner else None
    if match := _BEHIND.fullmatch(name):
        return DependencyQuestion(kind, milestone=match["name"].strip(_QUOTES), sure=False)
    return DependencyQuestion(kind, milestone=name, sure=bool(_VERSION.fullmatch(name)))
