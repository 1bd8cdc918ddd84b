"""One address with two faces: a page for a browser, JSON for a program, both made of the same answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.web.pages.html import rendered, wants_html

MOST = 200
USUAL = 50
BIGGEST = 2**63 - 1

Answer = dict[str, Any]
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """`name` is the operation in the API's description and the template's name; `parameters` are what the
    query may hold, by name."""

    path: str
    name: str
    about: str
    answer: Callable[[Request], Awaitable[Answer]]
    schema: Schema
    parameters: tuple[tuple[str, Schema], ...] = ()

    @property
    def route(self) -> Route:
        async def show(request: Request) -> Response:
            found = await self.answer(request)
            if wants_html(request):
                return rendered(f"{self.name}.html", request, **found)
            return JSONResponse(found)

        return Route(self.path, show, methods=["GET"], name=self.name)


@dataclass(frozen=True, slots=True)
class Button:
    """`press` answers with `done`; `schema` is of what it tells a program."""

    path: str
    name: str
    about: str
    press: Callable[[Request], Awaitable[Response]]
    schema: Schema

    @property
    def route(self) -> Route:
        return Route(self.path, self.press, methods=["POST"], name=self.name)


async def done(request: Request, where: str, told: Answer) -> Response:
    """What a button answers: back to a page for a browser, what happened for a program."""
    return RedirectResponse(where, status_code=303) if wants_html(request) else JSONResponse(told, 202)


def limit_of(request: Request) -> int:
    """`?limit=`, 1 to `MOST`; 400."""
    number = _number(request.query_params.get("limit", str(USUAL)), 4)
    if number is None or not 1 <= number <= MOST:
        raise HTTPException(400, f"limit is a number from 1 to {MOST}")
    return number


def whole(request: Request, name: str) -> int | None:
    """A whole number in the query, None where it is not there; 400."""
    given = request.query_params.get(name, "")
    if not given:
        return None
    if (number := _number(given)) is None:
        raise HTTPException(400, f"{name} is a whole number")
    return number


def choice(request: Request, name: str, choices: tuple[str, ...]) -> str:
    """One of the choices in the query, empty where it is not there; 400."""
    given = request.query_params.get(name, "")
    if given and given not in choices:
        raise HTTPException(400, f"{name} is one of {', '.join(choices)}")
    return given


def words(request: Request, name: str = "q") -> str:
    """What is looked for, at most 200 characters; 400 for what no text of a database holds."""
    given = request.query_params.get(name, "").strip()[:200]
    if "\0" in given:
        raise HTTPException(400, f"{name} holds a NUL")
    return given


def path_id(request: Request, name: str, what: str) -> int:
    """A number in the path; 404 for what is none."""
    number = _number(str(request.path_params[name]))
    if number is None:
        raise HTTPException(404, f"there is no such {what}")
    return number


def _number(given: str, digits: int = 19) -> int | None:
    """None for what is no whole number, or one that no database holds."""
    plain = given.isascii() and given.isdecimal() and len(given) <= digits
    return int(given) if plain and int(given) <= BIGGEST else None


def place_of(request: Request, kinds: tuple[type[float] | type[int], ...]) -> tuple[Any, ...] | None:
    """`?before=` of a list that is ordered by several values, joined by commas; 400."""
    given = request.query_params.get("before", "")
    if not given:
        return None
    parts = given[:100].split(",")
    try:
        found = tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, OverflowError):
        raise HTTPException(400, "before is what `next` said of the page before") from None
    if any(not abs(one) <= BIGGEST for one in found):
        raise HTTPException(400, "before is what `next` said of the page before")
    return found


def text(**more: Any) -> Schema:
    return {"type": "string", **more}


TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
LIMIT = ("limit", {"type": "integer", "minimum": 1, "maximum": MOST})
BEFORE = ("before", {"type": "integer", "minimum": 0, "maximum": BIGGEST})
PLACE = ("before", {"type": "string", "maxLength": 100, "description": "What `next` said."})
WORDS = ("q", {"type": "string", "maxLength": 200})
REPO = ("repo", {"type": "string", "maxLength": 200})


def optional(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def shape(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def listed(name: str, row: Schema, **more: Schema) -> Schema:
    """A page of rows, and where the next one begins."""
    return shape(**{name: {"type": "array", "items": row}, "next": optional(TEXT)}, **more)


def next_of(rows: list[Any], limit: int, last: Callable[[Any], object]) -> str | None:
    """Where the next page begins; None where this was the last."""
    return str(last(rows[-1])) if len(rows) == limit else None
