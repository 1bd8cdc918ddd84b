"""What CI left behind: artifacts, jobs and their logs. https://docs.github.com/en/rest/actions"""

from typing import Any

from bot.testing.github.ci import WorkflowJob
from bot.testing.github.repository import Artifact, Repository
from bot.testing.github.shapes import ci, common
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
    if call.path.startswith(f"{STORE}logs/"):
        return _log(call)
    number = int(call.path.rpartition("/")[2])
    return RestResponse(200, raw=_any(call, number).data, headers={"Content-Type": "application/zip"})


_JOB = "/repos/{owner}/{repo}/actions/jobs/{job_id}"


@route("GET", _JOB, "actions:read")
def get_job(call: RestCall) -> RestResponse:
    return RestResponse(200, ci.job(call.repo(), _job(call.repo(), call.number("job_id"))))


@route("GET", _JOB + "/logs", "actions:read")
def download_log(call: RestCall) -> RestResponse:
    """Leads to a store that takes no token, as downloads do."""
    job = _job(call.repo(), call.number("job_id"))
    if job.log.gone:
        raise RestRefusal(410, "Server Error")
    place = job.log.location or f"{call.root}{STORE}logs/{job.run.id}?sig=abc"
    return RestResponse(302, None, {"Location": place})


def _job(repo: Repository, number: int) -> WorkflowJob:
    if number not in repo.jobs:
        raise not_found()
    found: WorkflowJob = repo.jobs[number]
    return found


def _log(call: RestCall) -> RestResponse:
    number = int(call.path.rpartition("/")[2])
    log = next(repo.jobs[number].log for repo in call.state.repositories.values() if number in repo.jobs)
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    if log.packed:
        headers["Content-Encoding"] = "gzip"
    if not log.ranges:
        return RestResponse(200, raw=log.data, headers=headers)
    headers["Accept-Ranges"] = "bytes"
    begun = call.headers.get("range", "").removeprefix("bytes=").removesuffix("-")
    if begun.isdigit():
        return RestResponse(206, raw=log.data[int(begun) :], headers=headers)
    return RestResponse(200, raw=log.data, headers=headers)


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
