"""What all questions about one change begin with, so that a host reads it once: what is known of the change
as a whole, then what holds for all of its parts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.core.context_packing import passage_size
from bot.core.facts import PullRequestFacts
from bot.core.guidelines import trimmed
from bot.core.inference import Beginning, Passage
from bot.core.memory import conventions, learned
from bot.core.review_chunks import ReviewChunk

GUIDELINE_CHARS = 3_000
ISSUE_CHARS = 1_500
MOST_CONVENTIONS = 20
"""Remembered ones in one prompt, the newest."""
INSTRUCTION_CHARS = 4_000
FOCUS_CHARS = 1_000
SPARE = ("body", "instructions", "focus")
"""Inputs that whoever judges claims can do without."""
ISSUE, AROUND, GUIDELINE = 0, 1, 2
"""What goes first where space is short has the highest number."""


@dataclass(frozen=True, slots=True)
class Common:
    """What the parts of a change have in common, and what each has beside it: `own` by part, without its
    diffs. Passages have `ISSUE`, `AROUND` or `GUIDELINE` for a priority, or -1: never left out."""

    inputs: Mapping[str, str]
    passages: tuple[Passage, ...] = ()
    own: tuple[tuple[Passage, ...], ...] = ()
    beginning: Beginning = field(default_factory=Beginning)

    def shown(self, last: int) -> tuple[Passage, ...]:
        """The common passages in a question of which passages up to the priority `last` go before them."""
        return behind(self.passages, last)


def behind(passages: Sequence[Passage], last: int) -> tuple[Passage, ...]:
    """With a priority after `last`, but for what is never left out."""
    return tuple(
        replace(one, priority=max(0, one.priority + 1 + last * (one.priority >= 0))) for one in passages
    )


def common(
    facts: PullRequestFacts, parts: Sequence[ReviewChunk], around: Sequence[Sequence[Passage]]
) -> Common:
    """`around`: the code around each part. What most parts are shown is shown to all of them."""
    rules, own_rules = _guidelines(facts, parts)
    told, own_told = _instructions(facts, parts)
    often = _most_parts(around)
    own = []
    for number in range(len(parts)):
        beside = [one for one in around[number] if one not in often]
        words = [Passage("guideline for these files", own_told[number], -1)] if own_told[number] else []
        own.append((*words, *own_rules[number], *beside))
    issues = tuple(
        Passage(f"issue {one.number}", f"{one.title}\n\n{one.body}"[:ISSUE_CHARS], ISSUE)
        for one in facts.linked_issues
    )
    inputs = {
        "title": facts.title[:300],
        "body": facts.body[:2_000],
        "instructions": told,
        "focus": facts.focus[:FOCUS_CHARS],
        "language": facts.context.settings.language,
    }
    passages = (*rules, *issues, *often)
    return Common(inputs, passages, tuple(own), Beginning(len(passages)))


def size_of(passages: Sequence[Passage]) -> int:
    return sum(map(passage_size, passages))


def _most_parts(around: Sequence[Sequence[Passage]]) -> tuple[Passage, ...]:
    """Of several parts: what more than half of them are shown, in the order of the first that is."""
    counts = Counter(one for some in around for one in some)
    return tuple(one for one, count in counts.items() if count > 1 and 2 * count > len(around))


def _guidelines(
    facts: PullRequestFacts, parts: Sequence[ReviewChunk]
) -> tuple[tuple[Passage, ...], list[tuple[Passage, ...]]]:
    """Those that hold for all parts, and for each part those that hold for it beside them."""
    held = [{name for path in part.paths for name in facts.guides.get(path, ())} for part in parts]
    everywhere = set.intersection(*held) if held else set()
    others = [[one for one in facts.context.guidelines if one[0] in names - everywhere] for names in held]
    most = max((sum(len(text) for _, text in some) for some in others), default=0)
    for_all = [one for one in facts.context.guidelines if one[0] in everywhere]
    shared = trimmed(for_all, max(GUIDELINE_CHARS // 2, GUIDELINE_CHARS - most) if for_all else 0)
    left = GUIDELINE_CHARS - sum(len(text) for _, text in shared)
    return _rules(shared), [_rules(trimmed(some, left)) for some in others]


def _rules(guidelines: Sequence[tuple[str, str]]) -> tuple[Passage, ...]:
    return tuple(Passage(f"guideline {path}", text, GUIDELINE) for path, text in guidelines)


def _instructions(facts: PullRequestFacts, parts: Sequence[ReviewChunk]) -> tuple[str, list[str]]:
    """The repository's own words for all of these files with the conventions that people had Hob remember,
    each once; and for each part those for it alone."""
    texts = [[text for path in part.paths for text in facts.instructions.get(path, ())] for part in parts]
    texts = [[*some, *learned(facts.memory, part.paths)] for some, part in zip(texts, parts, strict=True)]
    everywhere = set.intersection(*map(set, texts)) if texts else set()
    remembered = conventions(facts.memory)[-MOST_CONVENTIONS:]
    shared = [text for text in (texts[0] if texts else ()) if text in everywhere]
    told = "\n".join(dict.fromkeys((*shared, *remembered)))[:INSTRUCTION_CHARS]
    left = INSTRUCTION_CHARS - len(told)
    alone = [dict.fromkeys(one for one in some if one not in (*everywhere, *remembered)) for some in texts]
    return told, ["\n".join(some)[:left] for some in alone]
