"""What CI left behind. https://docs.github.com/en/rest/actions/artifacts"""

from typing import Any

from bot.testing.github.repository import Artifact, Repository
from bot.testing.github.shapes import common
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, not_found, route
from bot.testing.github.world import stamp

STORE = "/_artifacts/"
"""Not GitHub's API: where its downloads lead."""
_ARTIFACTS = "/repos/{owner}/{repo}/actions/artifacts"


@route("GET", _ARTIFACTS, "actions:read")
def list_artifacts(call: RestCall) -> RestResponse:
    """The newest first."""
    repo = call.repo()
    found = sorted(repo.artifacts, key=lambda one: -one.id)
    shown, headers = call.cut(found)
    listed = [_artifact(call, repo, one) for one in shown]
    return RestResponse(200, {"total_count": len(found), "artifacts": listed}, headers)


@route("GET", _ARTIFACTS + "/{id}/{archive_format}", "actions:read")
def download_artifact(call: RestCall) -> RestResponse:
    """Leads to a store that takes no token, but a signature in the address."""
    artifact = _found(call, call.number("id"))
    if call.params["archive_format"] != "zip":
        raise not_found()
    if artifact.expired:
        raise RestRefusal(410, "Artifact has expired")
    return RestResponse(302, None, {"Location": f"{call.root}{STORE}{artifact.id}?sig=abc"})


def stored(call: RestCall) -> RestResponse:
    """The store: whoever sends it a token is refused, as Azure does."""
    if "authorization" in call.headers:
        raise RestRefusal(400, "AuthenticationFailed")
    number = int(call.path.rpartition("/")[2])
    return RestResponse(200, raw=_any(call, number).data, headers={"Content-Type": "application/zip"})


def _found(call: RestCall, number: int) -> Artifact:
    found = next((one for one in call.repo().artifacts if one.id == number), None)
    if found is None:
        raise not_found()
    return found


def _any(call: RestCall, number: int) -> Artifact:
    every = (one for repo in call.state.repositories.values() for one in repo.artifacts)
    found = next((one for one in every if one.id == number), None)
    if found is None:
        raise not_found()
    return found


def _artifact(call: RestCall, repo: Repository, artifact: Artifact) -> dict[str, Any]:
    url = f"{call.root}/repos/{repo.full_name}/actions/artifacts/{artifact.id}"
    return {
        "id": artifact.id,
        "node_id": common.node_id("Artifact", artifact.id),
        "name": artifact.name,
        "size_in_bytes": len(artifact.data),
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": artifact.expired,
        "created_at": stamp(artifact.at),
        "expires_at": stamp(artifact.at + 90 * 86_400),
        "updated_at": stamp(artifact.at),
        "workflow_run": {
            "id": artifact.id + 1,
            "repository_id": repo.id,
            "head_repository_id": repo.id,
            "head_branch": "main",
            "head_sha": artifact.head_sha,
        },
    }
