"""Check runs. https://docs.github.com/en/rest/checks/runs"""

from typing import Any

from bot.testing.github.ci import suites_of
from bot.testing.github.issues import CheckRun
from bot.testing.github.shapes import ci, issues
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, invalid, not_found, route

_RUNS = "/repos/{owner}/{repo}/check-runs"
_LONGEST, _ANNOTATIONS = 65_535, 50
_CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out")
_STATUSES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")


@route("POST", _RUNS, "checks:write")
def create_check_run(call: RestCall) -> RestResponse:
    repo, state = call.repo(), call.state
    name, head_sha = call.text("name", required=True), call.text("head_sha", required=True)
    if len(head_sha) != 40 or repo.git.resolve(head_sha) is None:
        raise RestRefusal(422, f"No commit found for SHA: {head_sha}")
    run = CheckRun(
        id=state.next_id(),
        repo=repo,
        app=call.app,
        name=name,
        head_sha=head_sha,
        status="queued",
        conclusion=None,
        started_at=state.now(),
        suite=int(head_sha[:7], 16),
    )
    _update(call, run)
    repo.check_runs.append(run)
    state.emit("check_run", "created", run, call.caller)
    return RestResponse(201, issues.check_run(repo, run))


def _run(call: RestCall) -> CheckRun:
    found = next((run for run in call.repo().check_runs if run.id == call.number("id")), None)
    if found is None:
        raise not_found()
    return found


@route("GET", _RUNS + "/{id}", "checks:read")
def get_check_run(call: RestCall) -> RestResponse:
    return RestResponse(200, issues.check_run(call.repo(), _run(call)))


@route("PATCH", _RUNS + "/{id}", "checks:write")
def update_check_run(call: RestCall) -> RestResponse:
    run = _run(call)
    if run.app is not call.app:
        raise RestRefusal(403, "Resource not accessible by integration")
    run.name = call.text("name") or run.name
    _update(call, run)
    return RestResponse(200, issues.check_run(call.repo(), run))


def _update(call: RestCall, run: CheckRun) -> None:
    """Checks everything, then keeps it."""
    asked = call.json()
    output = _output(asked.get("output"))
    status, conclusion = call.text("status") or run.status, call.text("conclusion")
    if status not in _STATUSES:
        raise invalid("CheckRun", "status", "status is not included in the list", "invalid")
    if conclusion and conclusion not in _CONCLUSIONS:
        raise invalid("CheckRun", "conclusion", "conclusion is not included in the list", "invalid")
    if status == "completed" and not (conclusion or run.conclusion):
        raise invalid(
            "CheckRun", "conclusion", "conclusion can't be blank when status is completed", "missing_field"
        )
    run.external_id = call.text("external_id") or run.external_id
    run.details_url = call.text("details_url") or run.details_url
    run.actions = asked.get("actions") or run.actions
    run.status = "completed" if conclusion else status
    run.conclusion = conclusion or run.conclusion
    run.completed_at = call.state.now() if run.status == "completed" else None
    if output:
        run.title, run.summary = output.get("title") or run.title, output["summary"]
        run.text = output.get("text", run.text)
        run.annotations += output.get("annotations") or []


def _output(output: Any) -> dict[str, Any]:
    if output is None:
        return {}
    if not isinstance(output, dict) or not isinstance(output.get("summary"), str):
        raise RestRefusal(422, "Invalid request.\n\nFor 'properties/output', \"summary\" wasn't supplied.")
    for name in ("summary", "text"):
        if len(output.get(name) or "") > _LONGEST:
            raise RestRefusal(
                422, f"Invalid request.\n\nOnly {_LONGEST} characters are allowed; {name} has more."
            )
    if len(output.get("annotations") or []) > _ANNOTATIONS:
        raise RestRefusal(
            422, f"Invalid request.\n\nNo more than {_ANNOTATIONS} items are allowed in annotations."
        )
    for annotation in output.get("annotations") or []:
        _check_annotation(annotation)
    return output


def _check_annotation(asked: dict[str, Any]) -> None:
    start, end = asked.get("start_line"), asked.get("end_line")
    if not isinstance(start, int) or not isinstance(end, int) or start > end:
        raise RestRefusal(
            422, "Invalid request.\n\nAn annotation's start_line must not come after its end_line."
        )
    if asked.get("annotation_level") not in ("notice", "warning", "failure") or not asked.get("message"):
        raise RestRefusal(422, 'Invalid request.\n\n"annotation_level" or "message" wasn\'t supplied.')
    if start != end and ("start_column" in asked or "end_column" in asked):
        raise RestRefusal(422, "Invalid request.\n\nColumns are allowed on annotations of one line only.")


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs", "checks:read")
def list_check_runs(call: RestCall) -> RestResponse:
    """The latest of each name and App unless `filter=all`. Filters: check_name, app_id, status."""
    repo = call.repo()
    sha = repo.git.resolve(call.params["ref"])
    runs = [run for run in repo.check_runs if run.head_sha == sha]
    if call.query.get("filter", "latest") == "latest":
        runs = list({(run.app.id, run.name): run for run in runs}.values())
    for key, value in (("check_name", "name"), ("status", "status")):
        if key in call.query:
            runs = [run for run in runs if getattr(run, value) == call.query[key]]
    if "app_id" in call.query:
        runs = [run for run in runs if str(run.app.id) == call.query["app_id"]]
    shown, headers = call.cut(runs)
    listed = [issues.check_run(repo, run) for run in shown]
    return RestResponse(200, {"total_count": len(runs), "check_runs": listed}, headers)


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/check-suites", "checks:read")
def list_check_suites(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/checks/suites#list-check-suites-for-a-git-reference"""
    repo = call.repo()
    found = suites_of(repo, repo.git.resolve(call.params["ref"]) or "")
    shown, headers = call.cut(found)
    listed = [ci.check_suite(repo, one) for one in shown]
    return RestResponse(200, {"total_count": len(found), "check_suites": listed}, headers)


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/status", "statuses:read")
def combined_status(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/commits/statuses#get-the-combined-status-for-a-specific-reference"""
    repo = call.repo()
    sha = repo.git.resolve(call.params["ref"]) or ""
    newest = {one.context: one for one in repo.statuses if one.sha == sha}
    return RestResponse(200, ci.combined_status(repo, sha, list(newest.values())))


@route("GET", _RUNS + "/{id}/annotations", "checks:read")
def list_annotations(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/checks/runs#list-check-run-annotations"""
    repo, run = call.repo(), _run(call)
    return call.page(run.annotations, lambda one: issues.annotation(repo, run, one))
