"""Conventions that the past suggests: words that stand together on lines that people then changed, and seldom
on others. They are found in the older part of a history and tried on the newer one, which had no say in it.

A change counts once: rightly spoken on where at least half of the lines that have the words were changed.
"""

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import PurePosixPath
from typing import Any, get_args

from bot.core.memory import MOST_EVIDENCE, MOST_TEXT, Lesson, covers
from bot.core.past_changes import JudgedChange, JudgedLine, Objection
from bot.core.refs import Login

OLDER_SHARE = 0.7
"""Of the changes: those that candidates are found in."""
LEAST_OBJECTED = 3
"""Changes of the older part in which people objected."""
LEAST_CASES = 5
"""Changes of the newer part that a candidate would have spoken on."""
LEAST_PRECISION = 0.5
LEAST_SPAN = 0.2
"""Of the older part, from the first change in which people objected to the last: what comes all at once is
the work on one thing, and its names do not come again."""
MOST_TRIED = 20
"""Candidates that are tried on the newer part: of many that are tried, some pass by luck."""
MOST_EXAMPLES = 3
MOST_WORDS = 15
"""Of one line that count; longer lines are data."""
MOST_TRIGGERS = 50_000
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Count:
    """Changes that a convention would have spoken on, and on how many rightly."""

    right: int = 0
    spoken: int = 0

    @property
    def precision(self) -> float:
        return self.right / self.spoken if self.spoken else 0.0

    @property
    def floor(self) -> float:
        """The lower end of Wilson's interval at 90 %, by which few cases count for little."""
        n, z = self.spoken, 1.645
        if not n:
            return 0.0
        p = self.precision
        return (p + z * z / (2 * n) - z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


@dataclass(frozen=True, slots=True)
class Example:
    """A line, where it is shown, and what was said of it."""

    url: str
    path: str
    line: str
    said: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a convention rests on. It speaks of lines under `pattern` that have all words of `trigger`;
    `against`: dismissals of findings on such lines since then."""

    pattern: str
    trigger: tuple[str, ...]
    kind: Objection
    older: Count
    newer: Count
    examples: tuple[Example, ...] = ()
    counter_examples: tuple[Example, ...] = ()
    against: int = 0

    @property
    def now(self) -> Count:
        """As it was tried, and what people dismissed since."""
        return Count(self.newer.right, self.newer.spoken + self.against)

    def holds_for(self, path: str, words: Iterable[str]) -> bool:
        return covers(self.pattern, path) and set(self.trigger) <= set(words)


def fit_to_offer(count: Count) -> bool:
    return count.spoken >= LEAST_CASES and count.precision >= LEAST_PRECISION


def split(changes: Sequence[JudgedChange], share: float = OLDER_SHARE) -> tuple[Sequence[JudgedChange], ...]:
    """(older, newer)"""
    at = round(len(changes) * share)
    return changes[:at], changes[at:]


def learned(changes: Sequence[JudgedChange], share: float = OLDER_SHARE) -> tuple[list[Evidence], int]:
    """(what may be offered, the surest first; how many candidates were tried). `changes`: oldest first."""
    older, newer = split(changes, share)
    tried = [tested(one, older, newer) for one in candidates(older)]
    fit = [one for one in tried if fit_to_offer(one.newer)]
    return sorted(fit, key=lambda one: -one.newer.floor), len(tried)


def candidates(older: Sequence[JudgedChange]) -> list[tuple[str, tuple[str, ...]]]:
    """(pattern, trigger), the surest first, no two of the same lines."""
    counts = _counted(older, _objected(older))
    objected: dict[str, list[tuple[int, JudgedLine]]] = defaultdict(list)
    for place, change in enumerate(older):
        for line in change.lines:
            for word in line.words if line.objection else ():
                objected[word].append((place, line))
    rows = sorted(counts.items(), key=lambda it: (-it[1].floor, len(it[0][1]), it[0]))
    chosen: list[tuple[str, tuple[str, ...]]] = []
    taken: list[frozenset[tuple[int, str, str]]] = []
    for (ending, trigger), count in rows:
        if len(chosen) == MOST_TRIED or count.precision < LEAST_PRECISION:
            break
        if count.right < LEAST_OBJECTED:
            continue
        spots = [
            (place, line.path, line.text)
            for place, line in objected[trigger[0]]
            if line.words.issuperset(trigger) and _ending(line.path) == ending
        ]
        places = [place for place, _, _ in spots]
        where = frozenset(spots)
        if max(places) - min(places) < LEAST_SPAN * len(older):
            continue
        if any(len(where & other) > _ALIKE * min(len(where), len(other)) for other in taken):
            continue
        taken.append(where)
        chosen.append((_pattern(ending, [path for _, path, _ in spots]), trigger))
    return chosen


def tested(
    candidate: tuple[str, tuple[str, ...]], older: Sequence[JudgedChange], newer: Sequence[JudgedChange]
) -> Evidence:
    """With its examples, the newest first."""
    pattern, trigger = candidate
    lines = [(change, line) for change in (*older, *newer) for line in _spoken(change, pattern, trigger)]
    objected = [(change, line) for change, line in lines if line.objection]
    fine = [(change, line) for change, line in lines if not line.objection]
    kinds = Counter(line.objection for _, line in objected)
    return Evidence(
        pattern,
        trigger,
        kinds.most_common(1)[0][0] if kinds else "",
        counted(pattern, trigger, older),
        counted(pattern, trigger, newer),
        _examples(objected),
        _examples(fine),
    )


def counted(pattern: str, trigger: tuple[str, ...], changes: Iterable[JudgedChange]) -> Count:
    right = spoken = 0
    for change in changes:
        lines = list(_spoken(change, pattern, trigger))
        spoken += bool(lines)
        right += bool(lines) and 2 * sum(bool(line.objection) for line in lines) >= len(lines)
    return Count(right, spoken)


def _spoken(change: JudgedChange, pattern: str, trigger: Sequence[str]) -> Iterator[JudgedLine]:
    wanted = frozenset(trigger)
    return (line for line in change.lines if wanted <= line.words and covers(pattern, line.path))


def _ending(path: str) -> str:
    return PurePosixPath(path).suffix


def _triggers(line: JudgedLine, known: Collection[str] | None = None) -> Iterator[tuple[str, ...]]:
    """Each word that tells anything, and each two of them."""
    words = [word for word in sorted(line.words) if len(word) > 2 and not word.isdecimal()]
    words = words[:MOST_WORDS] if known is None else [word for word in words if word in known]
    yield from ((word,) for word in words)
    yield from combinations(words, 2)


_Trigger = tuple[str, tuple[str, ...]]
"""The ending of the paths, and the words."""


def _objected(changes: Sequence[JudgedChange]) -> set[_Trigger]:
    """Those that stand on lines that people objected to, in enough changes."""
    found: Counter[_Trigger] = Counter()
    for change in changes:
        found.update(
            {
                (_ending(line.path), trigger)
                for line in change.lines
                if line.objection
                for trigger in _triggers(line)
            }
        )
    often = [
        (trigger, times) for trigger, times in found.most_common(MOST_TRIGGERS) if times >= LEAST_OBJECTED
    ]
    return {trigger for trigger, _ in often}


def _counted(changes: Sequence[JudgedChange], known: set[_Trigger]) -> dict[_Trigger, Count]:
    words = {word for _, trigger in known for word in trigger}
    right: Counter[_Trigger] = Counter()
    spoken: Counter[_Trigger] = Counter()
    for change in changes:
        lines: dict[_Trigger, list[int]] = defaultdict(lambda: [0, 0])
        for line in change.lines:
            ending = _ending(line.path)
            for trigger in _triggers(line, words):
                if (ending, trigger) in known:
                    tally = lines[ending, trigger]
                    tally[0] += bool(line.objection)
                    tally[1] += 1
        spoken.update(lines.keys())
        right.update(key for key, (objected, every) in lines.items() if 2 * objected >= every)
    return {key: Count(right[key], spoken[key]) for key in spoken}


def _pattern(ending: str, paths: Sequence[str]) -> str:
    """Of the first folder, where all lie under one."""
    tops = {path.partition("/")[0] if "/" in path else "" for path in paths}
    top = tops.pop() if len(tops) == 1 else ""
    return f"{top}/**/*{ending}" if top else f"*{ending}"


def _examples(lines: Sequence[tuple[JudgedChange, JudgedLine]]) -> tuple[Example, ...]:
    """Of different changes, the newest first."""
    found: dict[str, Example] = {}
    for change, line in reversed(lines):
        found.setdefault(
            change.name, Example(line.url or change.url, line.path, line.text, line.said, line.author)
        )
    return tuple(found.values())[:MOST_EXAMPLES]


def named(pattern: str, trigger: Sequence[str]) -> str:
    """The name of a convention, whatever its words and its folder: 24 hexadecimal digits."""
    told = json.dumps([_ending(pattern), sorted(trigger)]).encode()
    return hashlib.sha256(told).hexdigest()[:24]


def lesson_of(evidence: Evidence, sentence: str, author: Login) -> Lesson:
    """As a candidate that a person may accept."""
    return Lesson(
        "candidate",
        sentence[:MOST_TEXT],
        author,
        fingerprint=named(evidence.pattern, evidence.trigger),
        path=evidence.pattern,
        source="learned",
        words=evidence.trigger,
        evidence=written(evidence),
    )


def written(evidence: Evidence) -> str:
    """As JSON, with fewer examples where it would be too long."""
    examples, others = evidence.examples, evidence.counter_examples
    while True:
        kept = replace(evidence, examples=examples, counter_examples=others)
        text = json.dumps(asdict(kept))
        if len(text) <= MOST_EVIDENCE or not (examples or others):
            return text
        examples, others = examples[:-1] if len(examples) >= len(others) else examples, others[:-1]


def evidence_of(lesson: Lesson) -> Evidence | None:
    """What it rests on; None for what was not learned, or cannot be read."""
    if not lesson.evidence:
        return None
    try:
        said = json.loads(lesson.evidence)
        return Evidence(
            str(said["pattern"]),
            tuple(map(str, said["trigger"])),
            said["kind"] if said["kind"] in get_args(Objection) else "",
            Count(*_numbers(said["older"])),
            Count(*_numbers(said["newer"])),
            tuple(map(_example, said["examples"])),
            tuple(map(_example, said["counter_examples"])),
            int(said["against"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError):
        return None


def after_dismissal(learned: Lesson, dismissal: Lesson) -> Lesson:
    """An accepted convention after a person dismissed a finding: where it speaks of that code, it counts
    against it, and it is retired once it would not be offered any more."""
    known = evidence_of(learned) if learned.kind == "convention" else None
    if known is None or known.kind == "dismissed" or not known.holds_for(dismissal.path, dismissal.words):
        return learned
    return _standing(learned, replace(known, against=known.against + 1))


def tried_again(learned: Lesson, fresh: Lesson) -> Lesson:
    """What is known, with new evidence; what people dismissed since then still counts against it."""
    known, found = evidence_of(learned), evidence_of(fresh)
    if found is None:
        return learned
    return _standing(learned, replace(found, against=known.against if known else 0))


def _standing(learned: Lesson, evidence: Evidence) -> Lesson:
    """Too few cases retire nothing: it was accepted on more."""
    wrong = evidence.now.spoken >= LEAST_CASES and evidence.now.precision < LEAST_PRECISION
    kind = "retired" if learned.kind == "convention" and wrong else learned.kind
    return replace(learned, kind=kind, evidence=written(evidence))


def _numbers(said: Any) -> tuple[int, int]:
    return int(said["right"]), int(said["spoken"])


def _example(said: Any) -> Example:
    return Example(*(str(said[name]) for name in ("url", "path", "line", "said", "author")))
