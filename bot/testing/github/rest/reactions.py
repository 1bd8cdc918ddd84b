"""Reactions: 201 for a new one, 200 for one that was there. https://docs.github.com/en/rest/reactions/reactions"""

from collections.abc import Callable

from bot.testing.github.issues import Authored
from bot.testing.github.rest.comments import subject
from bot.testing.github.shapes import common
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, not_found, route

_REPO = "/repos/{owner}/{repo}"
_CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def _issue_comment(call: RestCall) -> Authored:
    return _known(call.repo().comments.get(call.number("id")))


def _review_comment(call: RestCall) -> Authored:
    return _known(call.repo().review_comments.get(call.number("id")))


def _known(found: Authored | None) -> Authored:
    if found is None:
        raise not_found()
    return found


def _add(call: RestCall, on: Authored) -> RestResponse:
    content = call.text("content", required=True)
    if content not in _CONTENTS:
        raise RestRefusal(
            422, "Validation Failed", [{"resource": "Reaction", "code": "invalid", "field": "content"}]
        )
    reaction, new = on.react(call.caller, content)
    return RestResponse(201 if new else 200, common.reaction(call.state, reaction))


def _remove(call: RestCall, on: Authored) -> RestResponse:
    for reaction in on.reactions:
        if reaction.id == call.number("other") and reaction.user is call.caller:
            on.reactions.remove(reaction)
            return RestResponse(204)
    raise not_found()


def _register(path: str, find: Callable[[RestCall], Authored], *kinds: str) -> None:
    """The three routes of one kind of subject."""
    read, write = [f"{kind}:read" for kind in kinds], [f"{kind}:write" for kind in kinds]

    def listed(call: RestCall) -> RestResponse:
        wanted = call.query.get("content")
        chosen = [one for one in find(call).reactions if wanted in (None, one.content)]
        return call.page(chosen, lambda one: common.reaction(call.state, one))

    route("GET", path, *read)(listed)
    route("POST", path, *write)(lambda call: _add(call, find(call)))
    route("DELETE", path + "/{other}", *write)(lambda call: _remove(call, find(call)))


_register(_REPO + "/issues/{number}/reactions", subject, "issues", "pull_requests")
_register(_REPO + "/issues/comments/{id}/reactions", _issue_comment, "issues", "pull_requests")
_register(_REPO + "/pulls/comments/{id}/reactions", _review_comment, "pull_requests")
