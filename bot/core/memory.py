"""What people taught Hob about a repository: findings that they dismissed, conventions that they accepted;
and conventions that the past suggests, which nobody has accepted yet."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.core.findings import Finding, fingerprint, own
from bot.core.refs import Login
from bot.core.text import strip_invisible

MemoryKind = Literal["dismissal", "convention", "candidate", "declined", "retired"]
"""A `candidate` is a convention that was learned and waits for a person; one that a person `declined` is not
offered again; `retired`: it was accepted, and did not stay right. Only a `convention` is told to
reviewers."""

MOST = 1_000
"""Of one repository; past it something has to be forgotten first."""
MOST_TEXT = 1_000
"""Characters of a reason or a convention."""
MOST_EVIDENCE = 16_000
MOST_LEARNED = 10
"""Conventions that reviewers are told beside those that hold everywhere."""
LASTS_DAYS = 365
"""A dismissal that names no time."""

_WORD = re.compile(r"[^\W\d_]\w*|\d+")
_MOST_WORDS = 60
_ALIKE, _ALIKE_ELSEWHERE, _ENOUGH_ELSEWHERE = 0.6, 0.9, 6
"""Shares of common code words from which two findings are one point: in the same file, and in another (it was
moved) where there are enough of them."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One thing to keep in mind. Of a `dismissal` the text is the reason and the rest tells the finding; of a
    `convention` the text is all, and where it was learned `path` is a pattern, `words` are what speaks,
    `fingerprint` names it whatever its words, and `evidence` is JSON (`bot.core.conventions`)."""

    kind: MemoryKind
    text: str
    author: Login
    number: int = 0
    """The issue or pull request where it was said; 0: from a file."""
    fingerprint: str = ""
    path: str = ""
    category: str = ""
    title: str = ""
    source: str = ""
    """What found the finding: `model`, or a check's name."""
    words: tuple[str, ...] = ()
    """Of the code that the finding quotes."""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """A lesson as it is kept. `n` names it within its repository and is never given twice; times are epoch
    seconds, `expires` is None for what stays."""

    n: int
    lesson: Lesson
    at: float
    expires: float | None = None


def dismissal(finding: Finding, why: str, author: Login, number: int) -> Lesson:
    """The lesson that this finding is not wanted."""
    return Lesson(
        kind="dismissal",
        text=why[:MOST_TEXT],
        author=author,
        number=number,
        fingerprint=fingerprint(finding),
        path=finding.path,
        category=finding.category[:100],
        title=finding.title[:200],
        source=finding.source[:40],
        words=code_words(own(finding).quote),
    )


def code_words(code: str) -> tuple[str, ...]:
    """The different words of some code in the order of the alphabet, at most 60."""
    words = {word.casefold()[:40] for word in _WORD.findall(strip_invisible(code)[0])}
    return tuple(sorted(words)[:_MOST_WORDS])


def dismissed_by(
    memories: Iterable[Memory],
    finding: Finding,
    number: int,
    *,
    old: str = "",
    stands: Callable[[Sequence[str]], bool] = lambda _: False,
) -> Memory | None:
    """What keeps a finding on this pull request from being shown: somebody dismissed the same point, or one
    so alike that only names in its code changed. `old`: the name that Hob 0.1.0 gave it, where that can mean
    no other. `stands(words)`: whether code of these words stands elsewhere in the file: then what was
    dismissed is still there, and this is another point."""
    name, words = fingerprint(finding), frozenset(code_words(own(finding).quote))
    return next(
        (
            one
            for one in memories
            if _dismisses(one.lesson, finding, name, old, words, number)
            or (_is_alike(one.lesson, finding, words) and not stands(one.lesson.words))
        ),
        None,
    )


def _dismisses(
    lesson: Lesson, finding: Finding, name: str, old: str, words: frozenset[str], number: int
) -> bool:
    """By name. A critical one that quotes no code and is not known by its content (a secret, as 0.1.0 named
    it) could be any other of its kind in that file: such a dismissal ends with its pull request."""
    if lesson.kind != "dismissal" or lesson.fingerprint not in (name, old):
        return False
    if lesson.fingerprint == name and finding.content:
        return True
    if finding.content:
        return not words and lesson.number == number
    return bool(words) or finding.severity != "critical" or lesson.number == number


def _is_alike(lesson: Lesson, finding: Finding, words: frozenset[str]) -> bool:
    """What a check proved, and what is critical, is dismissed by its fingerprint alone."""
    if lesson.kind != "dismissal":
        return False
    if finding.severity == "critical" or (lesson.source, finding.source) != ("model", "model"):
        return False
    if not _same_claim(lesson, finding):
        return False
    ours = frozenset(lesson.words)
    alike = len(ours & words) / max(1, len(ours | words))
    if lesson.path == finding.path:
        return alike >= _ALIKE and len(words) > 2
    return alike >= _ALIKE_ELSEWHERE and len(words) >= _ENOUGH_ELSEWHERE


def _same_claim(lesson: Lesson, finding: Finding) -> bool:
    """A model words the same claim anew each time: its category, or a third of its title's words."""
    ours, theirs = (set(code_words(title)) for title in (lesson.title, finding.title))
    same_category = lesson.category.casefold() == finding.category[:100].casefold()
    return same_category or 3 * len(ours & theirs) >= len(ours | theirs) > 0


def conventions(memories: Iterable[Memory]) -> tuple[str, ...]:
    """What reviewers are told whatever changed, oldest first."""
    known = (one.lesson for one in memories if one.lesson.kind == "convention")
    return tuple(one.text for one in known if not one.evidence)


def learned(memories: Iterable[Memory], paths: Collection[str]) -> tuple[str, ...]:
    """What was learned and accepted for any of these files, oldest first; at most `MOST_LEARNED`, the
    newest."""
    known = [one.lesson for one in memories if one.lesson.kind == "convention" and one.lesson.evidence]
    fit = [one.text for one in known if any(covers(one.path, path) for path in paths)]
    return tuple(fit[-MOST_LEARNED:])


def covers(pattern: str, path: str) -> bool:
    """Of the patterns that learned conventions have: `*.py`, `src/**/*.py`, and the same without an
    ending."""
    folder, _, name = pattern.rpartition("**/")
    return path.startswith(folder) and path.endswith(name.removeprefix("*"))
