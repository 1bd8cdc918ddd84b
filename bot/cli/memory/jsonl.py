"""Memory as JSON lines, one memory each: what `hob memory export` writes and `hob memory import` takes.

{"version":1,"kind":"convention","text":"Never print.","author":"ann","at":"2026-11-01T10:00:00Z"}
{"version":1,"kind":"dismissal","text":"by design",…,"fingerprint":"3f…","path":"a.py","words":["x"]}
"""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from bot.core.conventions import evidence_of, named
from bot.core.errors import UserError
from bot.core.memory import MOST, MOST_EVIDENCE, MOST_TEXT, Lesson, Memory
from bot.core.refs import LOGIN, Login

VERSION = 1
KINDS = ("convention", "dismissal")
MOST_COMPLAINTS = 5
_TIMES = (datetime(2008, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


def _text(most: int, least: int = 0) -> Any:
    """Text without NUL, which PostgreSQL does not take."""
    return StringConstraints(min_length=least, max_length=most, pattern=r"^[^\x00]*$")


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    version: Literal[1]
    author: Annotated[str, StringConstraints(pattern=f"^(?:{LOGIN.pattern})$")]
    number: Annotated[int, Field(ge=0, lt=2**53)] = 0
    at: Annotated[AwareDatetime, Field(strict=False, ge=_TIMES[0], le=_TIMES[1])]
    expires: Annotated[AwareDatetime, Field(strict=False, ge=_TIMES[0], le=_TIMES[1])] | None = None

    def memory(self) -> Memory:
        """As the store takes it; its number is given there."""
        given = self.model_dump(exclude={"version", "at", "expires"})
        lesson = Lesson(**{**given, "author": Login(self.author), "words": tuple(given.get("words", ()))})
        return Memory(0, lesson, self.at.timestamp(), self.expires.timestamp() if self.expires else None)


class ConventionLine(_Line):
    kind: Literal["convention"]
    text: Annotated[str, _text(MOST_TEXT, 1)]
    evidence: Annotated[str, _text(MOST_EVIDENCE)] = ""
    """JSON, of what was learned."""

    def memory(self) -> Memory:
        made = super().memory()
        seen = evidence_of(made.lesson)
        if seen is None:
            return replace(made, lesson=replace(made.lesson, evidence=""))
        lesson = replace(
            made.lesson,
            fingerprint=named(seen.pattern, seen.trigger),
            path=seen.pattern,
            source="learned",
            words=seen.trigger,
        )
        return replace(made, lesson=lesson)


class DismissalLine(_Line):
    kind: Literal["dismissal"]
    text: Annotated[str, _text(MOST_TEXT)]
    fingerprint: Annotated[str, StringConstraints(pattern="^[0-9a-f]{24}$")]
    path: Annotated[str, _text(1_000, 1)]
    category: Annotated[str, _text(100)]
    title: Annotated[str, _text(200)]
    source: Annotated[str, _text(40, 1)]
    words: Annotated[list[Annotated[str, StringConstraints(pattern=r"^\w{1,40}$")]], Field(max_length=60)]


_LINE: TypeAdapter[ConventionLine | DismissalLine] = TypeAdapter(
    Annotated[ConventionLine | DismissalLine, Field(discriminator="kind")]
)
_TAG = re.compile(r"^(?:convention|dismissal)\.")


def fields(one: Memory) -> dict[str, Any]:
    """A memory as its line says it, JSON's types only."""
    lesson = one.lesson
    found: dict[str, Any] = {
        "version": VERSION,
        "kind": lesson.kind,
        "text": lesson.text,
        "author": lesson.author,
        "number": lesson.number,
        "at": _time(one.at),
    }
    if one.expires is not None:
        found["expires"] = _time(one.expires)
    if lesson.evidence:
        found["evidence"] = lesson.evidence
    if lesson.kind == "dismissal":
        names = ("fingerprint", "path", "category", "title", "source")
        found |= {name: getattr(lesson, name) for name in names} | {"words": list(lesson.words)}
    return found


def written(one: Memory) -> str:
    """One line, without its end."""
    return json.dumps(fields(one))


def read(body: bytes) -> list[Memory]:
    """All lines of a file, or UserError that names the first wrong ones; empty lines count for nothing."""
    found: list[Memory] = []
    wrong: list[str] = []
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            found.append(_LINE.validate_json(line).memory())
        except ValidationError as error:
            wrong.append(f"line {number}: {_complaint(error)}")
        if len(wrong) > MOST_COMPLAINTS or len(found) > MOST:
            break
    if wrong:
        more = "; and more" if len(wrong) > MOST_COMPLAINTS else ""
        raise UserError("; ".join(wrong[:MOST_COMPLAINTS]) + more, "nothing was imported")
    if len(found) > MOST:
        raise UserError(f"more than {MOST:,} memories", "that is more than a repository has room for")
    return found


def _complaint(error: ValidationError) -> str:
    """The first thing that is wrong with a line, without the line's own words."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = _TAG.sub("", ".".join(str(part)[:40] for part in first["loc"]))
    if first["type"] == "extra_forbidden":
        return "it has a key that is not known"
    if first["type"] == "json_invalid":
        return "it is not JSON"
    return f"{where}: {first['msg'][:120]}" if where else first["msg"][:120]


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
