"""Every key of a repository's settings, in one table. `.github/hob.yml`, the stored settings of users,
organisations and repositories, and what describes them to programs are all read from here."""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.core.effort import RULE_WORDS, effort_rule
from bot.core.settings import CHECKS, SEVERITIES

ValueKind = Literal[
    "flag",
    "whole",
    "choice",
    "names",
    "instructions",
    "hints",
    "language",
    "models",
    "repositories",
    "efforts",
]
LISTS: tuple[ValueKind, ...] = ("names", "models", "repositories", "efforts")
"""Kinds that people may write with commas."""

MOST_ITEMS = 100
MOST_NAME = 255
MOST_TEXT = 2_000
"""Characters of one instruction."""
ONLINE = ("never", "public", "allowed")
"""Narrowest first."""
ALLOW = ("admin", "maintain", "write")
"""Who may ask for code, narrowest first."""
ROLES = ("review", "code", "triage", "chat", "embed")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class SettingKey:
    """One key. `most` bounds a whole number; `in_file`: whether `.github/hob.yml` may hold it; `planned`: it
    is kept, and nothing reads it yet."""

    name: str
    kind: ValueKind
    about: str
    choices: tuple[str, ...] = ()
    most: int = 0
    in_file: bool = True
    planned: bool = False


class WrongValue(ValueError):
    """A value that its key cannot have; says what it can."""


KEYS: tuple[SettingKey, ...] = (
    SettingKey("review.auto", "flag", "Review pull requests when they are opened and pushed to."),
    SettingKey("review.drafts", "flag", "Review drafts too."),
    SettingKey("review.base_branches", "names", "Only pull requests into these branches; empty: into any."),
    SettingKey(
        "review.ignore_authors", "names", "Logins whose pull requests are not reviewed by themselves."
    ),
    SettingKey(
        "review.ignore_title_keywords", "names", "Words in a title that keep a review away, such as WIP."
    ),
    SettingKey("review.labels", "names", "Only pull requests with one of these labels; empty: all."),
    SettingKey(
        "review.paths", "names", "Which files are read, as .gitignore writes patterns; `!` leaves out."
    ),
    SettingKey(
        "review.instructions", "instructions", "What a reviewer should know about files: `path` and `text`."
    ),
    SettingKey("review.min_severity", "choice", "Remarks less severe than this are not posted.", SEVERITIES),
    SettingKey("review.max_comments", "whole", "At most so many remarks in one review.", most=50),
    SettingKey(
        "review.request_changes", "flag", "Critical findings request changes; otherwise Hob only comments."
    ),
    SettingKey("review.walkthrough", "flag", "A collapsed summary of the change as a comment."),
    SettingKey("review.shadow", "flag", "Reviews are made and reported weekly; nothing of them is posted."),
    SettingKey(
        "review.passes",
        "whole",
        "Read a change so often while nothing else waits; remarks need most votes.",
        most=5,
    ),
    SettingKey(
        "review.effort",
        "efforts",
        f"How thoroughly a change is read; the first rule that fits counts. A rule is {RULE_WORDS}.",
    ),
    SettingKey(
        "review.scan",
        "whole",
        "So many questions each night about code that no pull request touches, the riskiest first; 0: none.",
        most=200,
    ),
    SettingKey(
        "review.learn",
        "whole",
        "Read so many merged pull requests each week to find conventions, for a person to accept; 0: none.",
        most=200,
    ),
    SettingKey("review.max_calls", "whole", "At most so many questions to models in one review.", most=200),
    SettingKey("review.guidelines", "names", "Files of the repository that a reviewer reads first."),
    *(SettingKey(f"review.checks.{name}", "flag", check.about) for name, check in CHECKS.items()),
    SettingKey("issues.triage", "flag", "Sort new issues: labels, and a question for what is missing."),
    SettingKey(
        "issues.comment",
        "choice",
        "When a triage may also comment.",
        ("mention", "draft", "always", "never"),
    ),
    SettingKey(
        "issues.labels",
        "names",
        "The labels that a triage may choose; empty: those that say what an issue is.",
    ),
    SettingKey("issues.label_hints", "hints", "What a label means, where its description does not say it."),
    SettingKey(
        "issues.duplicates",
        "choice",
        "Whether a triage names an older issue that may be the same, or what fixed it already.",
        ("suggest", "off"),
    ),
    SettingKey("issues.nightly", "flag", "Gather each night what needs attention in one issue of Hob's."),
    SettingKey("code.enabled", "flag", "People may ask Hob for patches in branches of its own."),
    SettingKey(
        "code.allow",
        "choice",
        "The least permission of who may ask for code.",
        ("write", "maintain", "admin"),
    ),
    SettingKey(
        "code.paths", "names", "Which files a patch may touch, as .gitignore writes patterns; `!` leaves out."
    ),
    SettingKey(
        "code.push",
        "choice",
        "`author`: commits go to the author's branch where the author asks; else to one of Hob's own.",
        ("never", "author"),
    ),
    SettingKey("code.sign_off", "flag", "Commits end in `Signed-off-by` of the App."),
    SettingKey(
        "code.rounds",
        "whole",
        "`fix ci` commits at most so often until the checks pass; 0: it never goes on by itself.",
        most=10,
    ),
    SettingKey("language", "language", "The language that Hob writes in, such as `en` or `pt-BR`."),
    SettingKey(
        "online", "choice", "Whether online hosts may read this repository; only ever narrows.", ONLINE
    ),
    SettingKey("prefer", "choice", "Which hosts are asked first.", ("local", "online"), in_file=False),
    SettingKey("archives", "repositories", "Repositories (`owner/name`) searched by default.", in_file=False),
    *(
        SettingKey(
            f"models.{role}", "models", f"Models for {role}, best first, of those in hob.toml.", in_file=False
        )
        for role in ROLES
    ),
)
BY_NAME = {key.name: key for key in KEYS}


def find(name: str) -> SettingKey:
    """The key of that name; `WrongValue` with the nearest known one."""
    if (key := BY_NAME.get(name)) is not None:
        return key
    near = nearest(name)
    raise WrongValue(f"there is no key {name[:100]!r}" + (f"; did you mean {near}?" if near else ""))


def nearest(name: str) -> str:
    """The known key that is most like `name`, or none; the last word alone (`min_severity`) counts too."""
    tails = {key.name.rpartition(".")[2]: key.name for key in reversed(KEYS)}
    names = difflib.get_close_matches(name[:100], BY_NAME, n=1, cutoff=0.6)
    last = difflib.get_close_matches(name[:100], tails, n=1, cutoff=0.7)
    return names[0] if names else tails[last[0]] if last else ""


def taken(key: SettingKey, value: object) -> Any:
    """A JSON value as the key's own (lists as tuples); `WrongValue` where it cannot be."""
    return _TAKERS[key.kind](key, value)


def _flag(_: SettingKey, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise WrongValue("true or false is expected")


def _whole(key: SettingKey, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= key.most:
        return value
    raise WrongValue(f"a whole number from 0 to {key.most} is expected")


def _choice(key: SettingKey, value: object) -> str:
    if isinstance(value, str) and value in key.choices:
        return value
    raise WrongValue(f"one of {', '.join(key.choices)} is expected")


def _text(value: object, most: int) -> str:
    if isinstance(value, str) and 0 < len(value) <= most and _printable(value):
        return value
    raise WrongValue(f"a text of 1 to {most} characters is expected")


def _printable(text: str) -> bool:
    """Nothing that cannot be stored or shown: no control characters but line ends, no half characters."""
    return all(part.isprintable() for part in re.split(r"[\n\t]", text))


def _list(value: object) -> list[Any]:
    if isinstance(value, list | tuple) and len(value) <= MOST_ITEMS:
        return list(value)
    raise WrongValue(f"a list of at most {MOST_ITEMS} entries is expected")


def _names(_: SettingKey, value: object) -> tuple[str, ...]:
    return tuple(_text(item, MOST_NAME) for item in _list(value))


def _instructions(_: SettingKey, value: object) -> tuple[dict[str, str], ...]:
    def one(item: object) -> dict[str, str]:
        if not isinstance(item, dict) or set(item) != {"path", "text"}:
            raise WrongValue("an instruction has a `path` and a `text`, no more")
        return {"path": _text(item["path"], MOST_NAME), "text": _text(item["text"], MOST_TEXT)}

    return tuple(one(item) for item in _list(value))


def _hints(_: SettingKey, value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MOST_ITEMS:
        raise WrongValue("an object of labels to hints is expected")
    return {_text(label, MOST_NAME): _text(hint, MOST_NAME) for label, hint in value.items()}


def _language(_: SettingKey, value: object) -> str:
    if isinstance(value, str) and LANGUAGE.fullmatch(value):
        return value
    raise WrongValue("a language tag such as en or pt-BR is expected")


def _models(key: SettingKey, value: object) -> tuple[str, ...]:
    found = _names(key, [value] if isinstance(value, str) else value)
    if not found:
        raise WrongValue("at least one model is expected; remove the key to use the default")
    return found


def _efforts(key: SettingKey, value: object) -> tuple[str, ...]:
    found = _names(key, value)
    if wrong := [text for text in found if effort_rule(text) is None]:
        raise WrongValue(f"{wrong[0]!r} is no rule: it is {RULE_WORDS}")
    return found


def _repositories(key: SettingKey, value: object) -> tuple[str, ...]:
    found = _names(key, value)
    if wrong := [name for name in found if not REPOSITORY.fullmatch(name)]:
        raise WrongValue(f"owner/name is expected, not {wrong[0]!r}")
    return found


_TAKERS: dict[ValueKind, Callable[[SettingKey, object], Any]] = {
    "flag": _flag,
    "whole": _whole,
    "choice": _choice,
    "names": _names,
    "instructions": _instructions,
    "hints": _hints,
    "language": _language,
    "models": _models,
    "repositories": _repositories,
    "efforts": _efforts,
}
