"""What CI said of a commit, read from GitHub: suites, check runs, statuses; of those that failed the job, the
end of its log and the annotations. All text here is hostile.

https://docs.github.com/en/rest/checks  https://docs.github.com/en/rest/actions/workflow-jobs
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bot import log
from bot.core.ci import ACTIONS, FAILED, WITHOUT_READING, CiState, FailedCheck, chosen
from bot.core.ci_log import excerpt, readable
from bot.core.credentials import without
from bot.core.errors import GitHubError, TemporaryError
from bot.core.refs import Sha
from bot.core.text import cut, for_terminal, one_line
from bot.github.api import Api
from bot.github.client import Job
from bot.github.job_logs import LogUnread, tail
from bot.github.payloads import clean

LOGS, STATUSES = {"actions": "read"}, {"statuses": "read"}
"""Permissions that a Hob without the code agent does not ask for."""
MOST_READ = 4
"""Failed checks that are looked into: each costs up to four calls."""
MOST_CHECKS = 500
MOST_SUITES = 100
MOST_ANNOTATIONS = 30
MOST_TEXT = 4_000
"""Characters of each text that a check brings itself."""
_NOT_SHOWN = (403, 404)
_JOB = re.compile(r"/actions/runs/\d{1,20}/jobs?/(\d{1,20})(?:[/?#]|$)")


async def states(api: Api, job: Job, sha: Sha) -> CiState:
    """Of all Apps but Hob itself. While a suite runs that has check runs, or is GitHub Actions', nothing else
    is asked; a suite without any is one that its App never began."""
    where = {"sha": sha}
    path = "/repos/{owner}/{repo}/commits/{sha}"
    listed = await api.get_all(f"{path}/check-suites", where, cap=MOST_SUITES, key="check_suites")
    suites = [one for one in listed if isinstance(one, dict)]
    running = [app for one in suites if (app := _running(one)) and app != job.slug]
    if running:
        return CiState(running=tuple(dict.fromkeys(running)))
    runs = await api.get_all(f"{path}/check-runs", where, cap=MOST_CHECKS, key="check_runs")
    others = [one for one in runs if isinstance(one, dict) and _app(one) != job.slug]
    still = [_app(one) for one in others if one.get("status") != "completed"]
    if still:
        return CiState(running=tuple(dict.fromkeys(still)))
    unstarted = [_app(one) for one in suites if one.get("conclusion") == "startup_failure"]
    failed = [_failed(one) for one in others if one.get("conclusion") in FAILED]
    failed += [FailedCheck(name=app, conclusion="startup_failure", app=app) for app in unstarted]
    passed = [_failed(one).name for one in others if one.get("conclusion") == "success"]
    skipped = [_failed(one).name for one in others if one.get("conclusion") not in (*FAILED, "success")]
    if await job.may(STATUSES):
        told = [one for one in await _statuses(job.api(STATUSES), sha) if isinstance(one, dict)]
        bad = [_status(one) for one in told if one.get("state") in ("failure", "error")]
        failed += bad
        passed += [_status(one).name for one in told if one.get("state") == "success"]
    return CiState(tuple(failed), passed=tuple(passed), skipped=tuple(skipped))


async def details(api: Api, job: Job, failed: Sequence[FailedCheck]) -> tuple[FailedCheck, ...]:
    """Of those that tell most; the others are left out."""
    logs = job.api(LOGS) if await job.may(LOGS) else None
    return tuple([await _detailed(api, logs, one) for one in chosen(failed, MOST_READ)])


def _app(one: dict[str, Any]) -> str:
    return clean((one.get("app") or {}).get("slug"))


def _running(suite: dict[str, Any]) -> str:
    if suite.get("status") == "completed":
        return ""
    begun = bool(suite.get("latest_check_runs_count")) or _app(suite) == ACTIONS
    return (_app(suite) or "?") if begun else ""


async def _statuses(api: Api, sha: Sha) -> list[Any]:
    """The newest of each context. https://docs.github.com/en/rest/commits/statuses"""
    found = await api.get("/repos/{owner}/{repo}/commits/{sha}/status", {"sha": sha, "per_page": 100})
    told = found.get("statuses") if isinstance(found, dict) else None
    return told if isinstance(told, list) else []


def _status(found: dict[str, Any]) -> FailedCheck:
    return FailedCheck(
        name=one_line(clean(found.get("context")), 200),
        conclusion="failure",
        app="status",
        page=clean(found.get("target_url")),
        summary=_cut(found.get("description")),
    )


def _failed(run: dict[str, Any]) -> FailedCheck:
    output = run.get("output") or {}
    page = clean(run.get("details_url"))
    named = _JOB.search(page)
    number = int(run["id"])
    job = (int(named[1]) if named else number) if _app(run) == ACTIONS else 0
    return FailedCheck(
        name=one_line(for_terminal(clean(run.get("name"))), 200),
        conclusion=str(run.get("conclusion")),
        id=number,
        app=_app(run),
        job=job,
        page=page,
        title=_cut(output.get("title")),
        summary=_cut(output.get("summary")),
        text=_cut(output.get("text")),
        annotated=bool(output.get("annotations_count")),
    )


async def _detailed(api: Api, logs: Api | None, one: FailedCheck) -> FailedCheck:
    one = await asyncio.to_thread(_polished, one)
    if one.annotated:
        one = replace(one, annotations=tuple(await _annotations(api, one.id)))
    if not one.job or one.conclusion in WITHOUT_READING:
        return one
    if logs is None:
        return replace(one, unread="the App lacks the permission *Actions: read*")
    try:
        found = await logs.get("/repos/{owner}/{repo}/actions/jobs/{id}", {"id": one.job})
        steps = found.get("steps") if isinstance(found, dict) else None
        bad = [
            one_line(_plain(step.get("name")), 200)
            for step in steps or ()
            if isinstance(step, dict) and step.get("conclusion") in FAILED
        ]
        one = replace(one, workflow=one_line(_plain(found.get("workflow_name")), 200), steps=tuple(bad[:5]))
        raw = await tail(logs, one.job)
    except LogUnread as why:
        return replace(one, unread=str(why))
    except TemporaryError:
        return replace(one, unread="GitHub did not give it in time")
    except GitHubError as error:
        if error.status in (404, 410):
            return replace(one, unread="GitHub does not have it any more")
        return replace(one, unread=f"GitHub refused it ({error.status})")
    return await asyncio.to_thread(_with_log, one, raw)


def _with_log(one: FailedCheck, raw: bytes) -> FailedCheck:
    text = readable(raw)
    if not text.strip():
        return replace(one, unread="it is empty" if not raw.strip() else "it is no text")
    return replace(one, log=excerpt(log.redact(text), lambda lines: without(lines).text))


def _polished(one: FailedCheck) -> FailedCheck:
    """What it says itself, as it may be shown."""
    title = one_line(_plain(one.title), 300)
    return replace(one, title=title, summary=_plain(one.summary), text=_plain(one.text))


def _plain(said: Any, most: int = MOST_TEXT) -> str:
    """What a check says itself, without what steers a terminal and without credentials."""
    text = readable(_cut(said).encode("utf-8", "replace"))
    return cut(without(log.redact(text)).text, most)


def _cut(said: Any) -> str:
    return clean(said[: 2 * MOST_TEXT]) if isinstance(said, str) else ""


async def _annotations(api: Api, run: int) -> Iterable[str]:
    path = "/repos/{owner}/{repo}/check-runs/{id}/annotations"
    try:
        listed = await api.get_all(path, {"id": run}, cap=MOST_ANNOTATIONS)
    except GitHubError as error:
        if error.status not in _NOT_SHOWN:
            raise
        return ()
    shown = (one for one in listed if isinstance(one, dict) and one.get("annotation_level") != "notice")
    return [
        f"{one_line(_plain(one.get('path')), 300)}:{_line(one.get('start_line'))}: "
        + one_line(f"{_plain(one.get('title'))} {_plain(one.get('message'))}", 700)
        for one in shown
    ]


def _line(found: Any) -> int:
    return found if isinstance(found, int) else 0
