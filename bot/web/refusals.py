"""Which answers beside the good ones an operation of the API may give: by its path, method, parameters and
body, as the guard and the shared readers of requests give them, and by name what only it refuses."""

from bot.web.pages.view import Schema

MEANING: dict[int, str] = {
    303: "To the page in which to sign in, for a browser that is not.",
    304: "It has not changed since If-None-Match.",
    400: "The query, a header or the body is malformed.",
    401: "No token or a wrong one, no session, or a wrong signature.",
    403: "Asked from another site.",
    404: "There is no such thing.",
    408: "The body did not arrive in time.",
    409: "It is not in the state for this, or this process does not allow it.",
    412: "It was changed since If-Match.",
    413: "The body is too long.",
    415: "The body is of another type.",
    421: "Asked by a name that is not this server's.",
    422: "The body does not say what is described.",
    429: "Too many wrong tokens from this address, or too many questions at once.",
    500: "Something went wrong in Hob; its log says what.",
    503: "The store, GitHub or a model host does not answer now.",
}
_BODIES: dict[str, tuple[int, ...]] = {
    "application/json": (400, 413, 415, 422),
    "application/x-www-form-urlencoded": (400, 422),
}
_WEBHOOK = (400, 401, 404, 408, 413, 415, 503)
_OF: dict[str, tuple[int, ...]] = {
    "analyze": (404,), "triage": (404,), "implement": (404,), "chat": (404,),
    "login": (401,), "login_by_link": (401,),
    "retry_run": (409,), "cancel_run": (409,), "deliver_again": (409,), "change_draft": (409,),
    "change_setting": (409,),
}  # fmt: skip
_SETTINGS = {"get": (304,), "put": (409, 412), "patch": (409, 412), "delete": (412,)}
_PROBLEM: Schema = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_PAGE: Schema = {"text/html": {"schema": {"type": "string"}}}


def refusals(path: str, method: str, operation: Schema, shared: list[Schema]) -> dict[str, Schema]:
    """Answers by status, without those that the operation describes itself; `shared` are the parameters of
    its path."""
    said = {str(status): _answer(status) for status in sorted(_statuses(path, method, operation, shared))}
    return {status: answer for status, answer in said.items() if status not in operation["responses"]}


def _statuses(path: str, method: str, operation: Schema, shared: list[Schema]) -> set[int]:
    if path == "/healthz":
        return set()
    if path == "/webhook":
        return set(_WEBHOOK)
    found = {421, 429, 500, 503, *_OF.get(operation["operationId"], ())}
    if operation.get("security") != []:
        found |= {401, 303} if method == "get" else {401}
    if method != "get":
        found.add(403)
    for parameter in (*shared, *operation.get("parameters", ())):
        found.add(404 if parameter["in"] == "path" else 400)
    for kind in operation.get("requestBody", {}).get("content", ()):
        found.update(_BODIES.get(kind, ()))
    if path.startswith("/settings/"):
        found.update(_SETTINGS[method])
    return found


def _answer(status: int) -> Schema:
    """A problem, or a page that says so; in words for a person."""
    told: Schema = {"description": MEANING[status]}
    return {**told, "content": {**_PROBLEM, **_PAGE}} if status >= 400 else told
