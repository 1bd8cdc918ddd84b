"""Which labels a triage may choose where the settings name none: those that say what an issue is.

A stranger writes the issue and a model that may obey it chooses; so a label that approves, merges, deploys,
releases, closes, or runs or skips CI is never among them, nor one that a workflow acts on.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.core.folding import folded

ANY = ""
"""In `heard`: a workflow starts whatever the label is."""

_KINDS = """
    bug|bugs|bug report|confirmed bug|possible bug|defect|crash|regression|error|flake|flaky test
    enhancement|enhancement request|feature|features|feature request|new feature|improvement|proposal|idea|rfc
    question|questions|support|support request|help|discussion|feedback|documentation|docs|doc
    documentation bug
    docs bug|typo|task|chore|cleanup|refactor|refactoring|tech debt|technical debt|performance|perf
    memory leak
    accessibility|a11y|usability|ux|ui|i18n|l10n|translation|translations|localization|internationalization
    compatibility|breaking change|test|tests|testing|dependencies|maintenance|bug fix|suggestion|usage|request
"""
_AREAS = """
    api|cli|gui|web|frontend|front end|backend|back end|server|client|database|core|parser|compiler|runtime
    plugin|plugins|android|ios|macos|osx|mac|linux|windows|mobile|desktop|networking|network|storage|config
    configuration|install|installation|packaging|logging|types|typing|examples|website|editor|python
    javascript
    typescript|rust|go|java|docker|kubernetes
"""
_LEVELS = """
    urgent|critical|highest|high|important|medium|moderate|normal|low|lowest|minor|major|trivial|blocker
    very high|very low|severe|cosmetic
"""
_NEEDS = """
    needs info|needs information|needs more info|needs more information|need info|need more info
    need information
    need more information|more info needed|more information needed|info needed|information needed
    missing information|missing info|waiting for info|waiting for information|awaiting information
    awaiting info
    needs repro|needs reproduction|needs reproducer|needs a reproduction|needs steps to reproduce
    needs details
    needs more details|needs clarification|needs example|needs test case|needs logs|needs version
    needs feedback
    needs author feedback|awaiting response|awaiting reply|waiting for response|waiting for reply
    needs response
    needs triage|untriaged|triage|to triage|cannot reproduce|can t reproduce|unreproducible|unconfirmed
"""
_NEWCOMERS = """
    good first issue|good first issues|good first bug|good first contribution|good first pr|first timers only
    first timer|first issue|beginner|beginners|beginner friendly|newcomer|newcomers|newcomer friendly|starter
    starter issue|starter bug|easy|easy fix|easy pick|easy pickings|low hanging fruit|help wanted|helpwanted
    extra attention needed|contributions welcome|contribution welcome|prs welcome|pr welcome
    up for grabs|mentored
    mentor|hard|intermediate|expert
"""


_ASKS_AUTHOR = """
    needs info|needs information|needs more info|needs more information|need info|need more info
    need information|need more information|more info needed|more information needed|info needed
    information needed|missing information|missing info|waiting for info|waiting for information
    awaiting information|awaiting info|needs details|needs more details|needs clarification
    needs author feedback|awaiting response|awaiting reply|waiting for response|waiting for reply
    needs response|waiting for author|awaiting author|info|more info|needs author input|info required
    information required|more info required|author feedback|author feedback needed
"""
_STARTED = """
    in progress|wip|work in progress|started|being worked on|fix in progress|has pr|has pull request
    pr open|pr opened|pr submitted|fix submitted|fix proposed|has fix|in review|under review|doing|active
"""
_FIXED = """
    fixed|fix committed|fix merged|fixed in main|fixed in master|fixed in dev|fixed in next release
    fixed in next version|fixed in development|awaiting release|pending release|waiting for release
    next release|done|completed|implemented|solved
"""


def _words(listed: str) -> frozenset[str]:
    return frozenset(one.strip() for line in listed.splitlines() for one in line.split("|") if one.strip())


_SAYS: tuple[tuple[str, frozenset[str]], ...] = (
    ("its kind", _words(_KINDS)),
    ("its priority", _words(_LEVELS)),
    ("what is missing", _words(_NEEDS)),
    ("who may take it", _words(_NEWCOMERS)),
    ("its area", _words(_AREAS)),
)
_FREE = {
    "its kind": "kind type category cat t c",
    "its area": "area areas component comp module mod package pkg subsystem scope topic platform os lang a",
}
"""Prefixes behind which anything stands that does nothing."""
_BOUND = {
    "its priority": "priority prio pri importance urgency impact severity sev p s",
    "what is missing": "needs need status waiting awaiting state resolution",
    "who may take it": "difficulty effort experience level exp contribution participation e d",
}
"""Prefixes behind which only the known words stand."""
_PREFIXES = {
    prefix: says for group in (_FREE, _BOUND) for says, named in group.items() for prefix in named.split()
}
_LEVEL_WORDS = _words(_LEVELS)
_ABOUT = frozenset({"priority", "prio", "severity", "impact", "importance"})
_RANKED = re.compile(r"(?:priority|prio|pri|p|severity|sev|s) ?[0-9]")
_ACTS = re.compile(
    r"""\b(?:approv|automerg|merg|deploy|releas|publish|clos|lock|skip|wont|backport|cherry|canary
    |rollout|promot
    |exempt|ignor|bypass|overrid|reject|accept|invalid|duplicat|trigger|autofix|autorun|allow|unlock
    |abandon|delet
    |retest|rerun|embargo|whitelist|grant|disabl|enabl|requeue|rebas|revert|escalat|queue)[a-z]*
    |\b(?:ci|cd|run|runs|running|ok|okay|lgtm|safe|trusted|trust|verified|signed|signoff|ship|shipit
    |shipped|hold
    |ready|reviewed|stale|pinned|spam|force|forced|no|not|don|won|do|auto|bot|admin|security
    |vulnerability|dco|cla
    |landed|land|start|stop|e2e|preview|bench|benchmark)\b""",
    re.VERBOSE,
)
_NOUNS = frozenset({"ci", "cd", "releases", "deployment", "security", "locking", "merging", "queue", "bot"})
"""Areas for themselves, though some label of that name would act."""
_SHORTCODE = re.compile(r":[a-z0-9_+-]{1,40}:")
_PREFIXED = re.compile(r"([a-z-]{1,12}?) ?(?:[/:=|.>]{1,3}|[-_ ]) ?(.+)")


@dataclass(frozen=True, slots=True)
class Choice:
    """A label that exists, and whether a triage may choose it. `why`: a few words for people."""

    name: str
    may: bool
    why: str


def choices(existing: Iterable[str], allowed: Iterable[str], heard: Mapping[str, str]) -> tuple[Choice, ...]:
    """Of `existing` labels those that may be chosen: the `allowed` ones, or where none is named those that
    say what an issue is. `heard`: the workflow by the folded name of the label that it acts on."""
    named = set(map(folded, allowed))
    return tuple(_choice(name, named, heard) for name in existing)


def _choice(name: str, named: set[str], heard: Mapping[str, str]) -> Choice:
    if named:
        inside = folded(name) in named
        return Choice(name, inside, f"{'' if inside else 'not '}named in issues.labels")
    if workflow := heard.get(folded(name)) or heard.get(ANY):
        return Choice(name, False, f"{workflow} acts on it")
    says = what_it_says(name)
    return Choice(name, bool(says), f"says {says}" if says else "does not say what an issue is")


def what_it_says(name: str) -> str:
    """What a label says of an issue ("its kind", "its area"); empty where it says nothing or acts."""
    text = unicodedata.normalize("NFKC", name[:100]).casefold()
    text = _SHORTCODE.sub(" ", text).strip() if _SHORTCODE.fullmatch(text.strip()) is None else text
    text = re.sub(r"^[^a-z0-9]+|[^a-z0-9+#]+$", "", text)
    plain = _plain(text)
    for says, words in _SAYS:
        if plain in words:
            return says
    if _RANKED.fullmatch(plain) or _is_level(plain):
        return "its priority"
    found = _PREFIXED.fullmatch(text)
    says = _PREFIXES.get(found[1], "") if found else ""
    if found is None or not says:
        return ""
    value = _plain(found[2])
    if says in _FREE:
        does = _ACTS.search(value) and not (says == "its area" and value in _NOUNS)
        return "" if does or not value else says
    if says == "its priority" and (_RANKED.fullmatch(value) or re.fullmatch("[0-9]", value)):
        return says
    return next((told for told, words in _SAYS if {value, f"{found[1]} {value}"} & words), "")


IssueStatus = Literal["needs information", "in progress", "fixed"]
_STATUSES: tuple[tuple[IssueStatus, frozenset[str]], ...] = (
    ("needs information", _words(_ASKS_AUTHOR)),
    ("in progress", _words(_STARTED)),
    ("fixed", _words(_FIXED)),
)


def status_labels(
    status: IssueStatus, existing: Iterable[str], allowed: Iterable[str], heard: Mapping[str, str]
) -> tuple[str, ...]:
    """Those `existing` labels that say this of an issue, for a rule to set when it has happened: a model is
    never offered those of work in progress or done. `allowed` and `heard` as for `choices`."""
    named = set(map(folded, allowed))
    words = next(words for name, words in _STATUSES if name == status)
    return tuple(
        name
        for name in existing
        if _bare(name) in words
        and (folded(name) in named if named else not (heard.get(folded(name)) or heard.get(ANY)))
    )


def _bare(name: str) -> str:
    """A label without the prefix that says it is a status: `status: in progress`, `S-wip`."""
    text = unicodedata.normalize("NFKC", name[:100]).casefold()
    plain = _plain(_SHORTCODE.sub(" ", text))
    head, _, rest = plain.partition(" ")
    return rest if head in ("status", "state", "s", "resolution") and rest else plain


def _is_level(plain: str) -> bool:
    """`high priority`, `priority high`, `p1 critical`, `critical severity`."""
    words = plain.split()
    about = [one for one in words if one in _ABOUT or _RANKED.fullmatch(one)]
    return bool(about) and " ".join(one for one in words if one not in about) in _LEVEL_WORDS


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9+#]+", text))
