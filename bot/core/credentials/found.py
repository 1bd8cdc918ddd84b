"""Credentials in one line, each with how sure it is: an issuer's shape is certain, a random value under a
secret's name nearly, what a person could have typed is likely."""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Literal

import re2

from bot.core.credentials import issued, words
from bot.core.file_kinds import is_test
from bot.core.settings import Severity

FileRole = Literal["source", "sample"]
"""What kind of file a line stands in: in tests and documentation what looks like a credential mostly is none,
unless an issuer's shape says otherwise."""

LONGEST = 65_536
"""Characters of a line that are looked at."""
HARD_CODED = "hard-coded credential"


@dataclass(frozen=True, slots=True)
class Credential:
    """`start` and `end` are the value's in its line."""

    kind: str
    severity: Severity
    start: int
    end: int


_NAME = r"([A-Za-z_$][\w$.-]{0,99})"
_GIVEN = r"(?:\s{0,4}:\s{0,4}[&'\w.<>\[\]|?, ]{1,40}=|\s{0,20}(?::=|=>|={1,3}|:|,))"
"""What stands between a name and its value, a type too."""
_QUOTED = tuple(
    _NAME
    + r"[\"'\])]{0,3}"
    + _GIVEN
    + r"\s{0,20}[bruBRU@]{0,2}"
    + f"{mark}((?:[^{mark}\\\\]|\\\\.){{6,}}){mark}"
    for mark in ('"', "'", "`")
)
_CALLED = _NAME + r"\(\s{0,8}[\"'`]([^\"'`\s]{6,})[\"'`]"
_BARE = (
    r"^\s{0,40}(?:-\s{1,4})?(?:(?:export|set|setx|ENV|ARG|-e|--env)\s{1,5})?(?://\S{1,100}/:)?[\"']?"
    + _NAME
    + r"[\"']?\s{0,8}[:=]\s{0,8}([^\s\"'`#(){}\[\]<>$,;&|\\]{8,})\s{0,20}(?:#.*)?$"
)
_FLAG = r"\s--?" + _NAME + r"[= ]([^\s\"'`(){}\[\]<>$,;&|\\-][^\s\"'`(){}\[\]<>$,;&|\\]{7,})"
_ELEMENT = r"<" + _NAME + r"(?:\s[^<>]{0,100})?>([^<>\s]{6,})</"
_ATTRIBUTE = r"(?:key|name)=[\"']" + _NAME + r"[\"']\s{1,10}value=[\"']([^\"']{6,})[\"']"
_JOINED = r"(?i);\s{0,5}(password|pwd)\s{0,5}=\s{0,5}([^;\"'\s{}$<>]{6,128})"
_HEADER = r"(?i)\b(bearer|basic)\s{1,4}([A-Za-z0-9._~+/-]{16,}={0,2})"

_SAMPLE_FOLDERS = frozenset(
    """
    fixture fixtures testdata mock mocks __mocks__ cassettes snapshots __snapshots__ features
    example examples sample samples demo demos doc docs documentation benchmark benchmarks
    docs_src stories testutil testutils
    """.split()  # noqa: SIM905
)
_SAMPLE_NAME = re.compile(
    r"[._-](?:stories|mock)\.\w+$"
    r"|\.(?:md|mdx|markdown|rst|adoc|txt|ipynb|po|pot|snap|html?)$|[._-](?:example|sample|template|dist|tpl|test)(?:\.|$)"
    r"|^(?:CHANGELOG|README|HISTORY|NEWS)"
)


def place_of(path: str) -> FileRole:
    """By its folders and its name."""
    *folders, name = PurePosixPath(path).parts or ("",)
    inside = any(folder.lower() in _SAMPLE_FOLDERS for folder in folders)
    return "sample" if inside or is_test(path) or _SAMPLE_NAME.search(name) else "source"


@cache
def _named() -> tuple[Any, ...]:
    patterns = (*_QUOTED, _CALLED, _BARE, _FLAG, _ELEMENT, _ATTRIBUTE, _JOINED, _HEADER)
    return tuple(issued.compiled(pattern) for pattern in patterns)


@cache
def _one_look() -> Any:
    """What a line without any credential does not hold, in one automaton."""
    every = re2.Set.SearchSet(issued.options())  # type: ignore[no-untyped-call]
    for _, pattern in (*issued.SHAPES, *issued.WIDE):
        every.Add(pattern)
    every.Add(r"(?i)pass|pwd|psw|pw\b|secret|token|key|credential|bearer|basic")
    every.Compile()
    return every


def may_hold(line: str) -> bool:
    """Cheap: a line of which this is false holds no credential."""
    return bool(_one_look().Match(line))


def readable(text: str) -> str:
    """As long as `text`, without the halves of characters that RE2 does not read."""
    return text.encode("utf-8", "replace").decode()


def found(line: str, place: FileRole = "source") -> list[Credential]:
    """The credentials of a line that a person should be told of, no two over the same characters."""
    line = readable(line[:LONGEST])
    if not may_hold(line):
        return []
    kept: list[Credential] = []
    for one in (*_issued(line, place), *(_under_names(line) if place == "source" else ())):
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)


def _issued(line: str, place: FileRole) -> Iterator[Credential]:
    for kind, start, end in issued.shaped(line):
        value = line[start:end]
        severity = issued.SEVERITIES.get(kind, "critical")
        if issued.is_sample(value):
            continue
        if kind == issued.PRIVATE_KEY:
            told = place == "source" and _begins_key(line[end:])
        elif kind == issued.URL:
            told = place == "source" and _is_login(value)
        elif place == "sample":
            told = severity == "critical" and not words.is_none(value)
            severity = "minor"
        else:
            told = True
        if told:
            yield Credential(kind, severity, start, end)


def _begins_key(rest: str) -> bool:
    """Whether a key follows its first line, and not the rest of a program that looks for one."""
    return (
        not rest.strip()
        or re.match(r"(?:\\+[rn]|\s)*[A-Za-z0-9+/]{16}", rest[:80]) is not None
        or (re.fullmatch(r"\\+n[\"'`]?\s*[+\\,.]?\s*", rest[:40]) is not None)
    )


_NO_HOST = re.compile(
    r"(?i)^(?:localhost|host|hostname|server|127\.[\d.]+|0\.0\.0\.0|\[.*\]|10\.[\d.]+|192\.168\.[\d.]+|172\.(?:1[6-9]|2\d|3[01])\.[\d.]+"
    r"|[^.]+|(?:.*\.)?(?:example(?:\.\w+)*|localhost|local|test|invalid|docker\.internal|domain\.(?:com|tld)|host\.com|myhost\.\w+"
    r"|svc(?:\.cluster\.local)?|foo\.\w+|bar\.\w+|acme\.\w+|server\.com|site\.com|mysite\.\w+))\.?$"
)
_USUAL = frozenset(
    """
    password passwd passwort pass pwd secret user username login admin root guest anonymous postgres
    mysql mongo redis rabbitmq hunter2 changeme letmein test demo token
    """.split()  # noqa: SIM905
)


def _is_login(url: str) -> bool:
    """Whether a URL lets somebody in somewhere: at a host that others can reach, by no sample's words."""
    login, _, host = url.partition("://")[2].rpartition("@")
    user, _, password = login.partition(":")
    bare = re.sub(r"[^a-z]", "", password.lower())
    return not (
        _NO_HOST.match(host)
        or user.lower() == password.lower()
        or bare in _USUAL
        or words.is_none(password)
        or (words.wordy(password) > 0.8 and not any(map(str.isdigit, password)))
        or re.search(r"[%*\\^()|?\[]", password)
    )


def _under_names(line: str) -> Iterator[Credential]:
    for pattern in _named():
        for match in pattern.finditer(line):
            name, value = match.group(1), match.group(2)
            if severity := sure(name, value, line):
                yield Credential(HARD_CODED, severity, *match.span(2))


def sure(name: str, value: str, line: str) -> Severity | None:
    """How sure it is that a value under this name is a secret; None: it is none."""
    if name.lower() == "basic":
        return "major" if _is_basic(value) else None
    family = "secret" if name.lower() == "bearer" else words.family(name)
    if not family or words.is_none(value, name) or _is_called(name, value, line):
        return None
    if words.is_random(value) and len(value) >= (12 if family == "password" else 16):
        return "major"
    return "minor" if family == "password" and len(value) >= 8 and words.is_password(value) else None


def _is_called(name: str, value: str, line: str) -> bool:
    """`user=x password=x`: the value stands in the line as something else's too."""
    return len(value) < 16 and line.count(value) > 1 and not name.endswith(value)


def _is_basic(value: str) -> bool:
    """`Authorization: Basic`, which holds a user and a password."""
    try:
        user, colon, password = b64decode(value, validate=True).decode("ascii").partition(":")
    except (Error, ValueError):
        return False
    return (
        bool(colon)
        and user != password
        and len(password) >= 6
        and not words.is_none(password)
        and (words.is_random(password) or words.is_password(password))
    )
