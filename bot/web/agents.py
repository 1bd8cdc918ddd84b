"""`POST /agents/issue/triage`, `POST /agents/review/analyze`, `POST /agents/code/implement`: requests whose
runs workers do."""

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from bot.core.errors import HobError, UserError
from bot.core.settings_schema import REPOSITORY
from bot.github.payloads import clean
from bot.log import redact
from bot.web.json_body import json_object

MOST_FOCUS, LONGEST_FOCUS = 8, 100
"""Words or phrases, and characters of each."""
MOST_CONTEXT = 4_000
"""Characters."""
BIGGEST = 2**31 - 1


class AgentsPort(Protocol):
    """Each gives the number of a run; UserError where there is no such repository, issue or pull request."""

    def triage(self, full_name: str, number: int, auto_comment: bool, /) -> Awaitable[int]: ...

    def triage_new(self, full_name: str, auto_comment: bool, /) -> Awaitable[int]: ...

    def review(self, full_name: str, number: int, focus: Sequence[str], /) -> Awaitable[int]: ...

    def implement(self, full_name: str, number: int, context: str, /) -> Awaitable[int]: ...


async def triage(request: Request) -> JSONResponse:
    """One issue, or with `"batch": "new_issues"` all open ones that were not triaged yet."""
    given = await json_object(request)
    repo = _repo(given, "issue", "batch", "auto_comment")
    says = given.get("auto_comment", False)
    if not isinstance(says, bool):
        raise HTTPException(422, "auto_comment: true or false is expected")
    if ("issue" in given) == ("batch" in given):
        raise HTTPException(422, "one of issue and batch is expected")
    if "batch" in given:
        if given["batch"] != "new_issues":
            raise HTTPException(422, "batch: new_issues is expected")
        return await _accepted(_port(request).triage_new(repo, says))
    return await _accepted(_port(request).triage(repo, _number(given, "issue"), says))


async def analyze(request: Request) -> JSONResponse:
    """A review of a pull request, narrowed to `focus` where that says something."""
    given = await json_object(request)
    repo, number = _repo(given, "pr", "focus"), _number(given, "pr")
    focus = given.get("focus", [])
    if not (isinstance(focus, list) and len(focus) <= MOST_FOCUS and all(map(_is_focus, focus))):
        raise HTTPException(
            422, f"focus: a list of at most {MOST_FOCUS} texts of one line and {LONGEST_FOCUS} characters"
        )
    return await _accepted(
        _port(request).review(repo, number, [" ".join(clean(one).split()) for one in focus])
    )


async def implement(request: Request) -> JSONResponse:
    """A draft pull request for an issue. `context`: what is to be known beside it, data for the model."""
    given = await json_object(request)
    repo, number = _repo(given, "issue", "context"), _number(given, "issue")
    context = given.get("context", "")
    if not isinstance(context, str) or len(context) > MOST_CONTEXT:
        raise HTTPException(422, f"context: a text of at most {MOST_CONTEXT} characters")
    return await _accepted(_port(request).implement(repo, number, clean(context).strip()))


def _is_focus(one: Any) -> bool:
    if not isinstance(one, str) or len(one) > LONGEST_FOCUS:
        return False
    return bool(one.strip()) and len(one.splitlines()) == 1


def _port(request: Request) -> AgentsPort:
    port: AgentsPort | None = request.app.state.agents
    if port is None:
        raise HTTPException(503, "this process takes no requests for agents")
    return port


async def _accepted(asked: Awaitable[int]) -> JSONResponse:
    try:
        run = await asked
    except UserError as wrong:
        raise HTTPException(404, redact(str(wrong))) from None
    except HobError as wrong:
        raise HTTPException(503, redact(str(wrong))) from None
    return JSONResponse({"run": run}, status_code=202, headers={"location": f"/runs/{run}"})


def _repo(given: dict[str, Any], *keys: str) -> str:
    """The repository; 422 where it is none or a key is not known."""
    if unknown := given.keys() - {"repo", *keys}:
        raise HTTPException(422, f"{sorted(unknown)[0][:100]}: there is no such key")
    repo = given.get("repo")
    if not (isinstance(repo, str) and REPOSITORY.fullmatch(repo)):
        raise HTTPException(422, "repo: owner/name is expected")
    return repo


def _number(given: dict[str, Any], key: str) -> int:
    number = given.get(key)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= BIGGEST:
        raise HTTPException(422, f"{key}: a number is expected")
    return number
