"""CI, as it runs for a commit: a suite of check runs of one App; of GitHub Actions each is a job with a log.

https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-checks
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.testing.github.issues import CheckRun
from bot.testing.github.repository import Repository
from bot.testing.github.world import App, World, locked

ACTIONS = "github-actions"


@dataclass(frozen=True)
class JobLog:
    """`gone`: it has expired; `location`: where it leads to instead of this GitHub's store; `packed`: the
    bytes are gzip and said to be; `ranges`: whether the store can begin later."""

    data: bytes = b""
    gone: bool = False
    location: str = ""
    packed: bool = False
    ranges: bool = True


@dataclass
class WorkflowJob:
    run: CheckRun
    workflow: str
    log: JobLog = JobLog()
    step: str = "Run make test"


@dataclass(frozen=True)
class CommitStatus:
    """What CI says without check runs. https://docs.github.com/en/rest/commits/statuses"""

    id: int
    sha: str
    context: str
    state: str
    description: str
    at: float


JobEnd = str | bytes | JobLog | None
"""How a job went: None well, else its log."""


@dataclass(eq=False)
class CheckSuite:
    """`branch` None: a fork's."""

    id: int
    repo: Repository
    app: App
    head_sha: str
    branch: str | None
    started_at: float
    runs: list[CheckRun] = field(default_factory=list)
    status: str = "queued"
    conclusion: str | None = None

    @property
    def world(self) -> World:
        return self.repo.world

    @locked
    def finish(self, ended: Mapping[str, JobEnd] | None = None, conclusion: str = "failure") -> None:
        """All its jobs end, those that are not named well; webhooks tell."""
        for run in self.runs:
            log = (ended or {}).get(run.name)
            run.status, run.completed_at = "completed", self.world.now()
            run.conclusion = "success" if log is None else conclusion
            if run.id in self.repo.jobs and log is not None:
                data = log.encode() if isinstance(log, str) else log
                self.repo.jobs[run.id].log = data if isinstance(data, JobLog) else JobLog(data)
            elif log is not None:
                run.title, run.summary = run.name, log if isinstance(log, str) else ""
        worst = [run.conclusion for run in self.runs if run.conclusion != "success"]
        self.status, self.conclusion = "completed", (worst or ["success"])[0]
        self.tell()

    @locked
    def tell(self) -> None:
        """GitHub says that it is completed, once more."""
        self.world.emit("check_suite", "completed", self, self.app.bot)


def begin(
    repo: Repository, head_sha: str, *names: str, app: str = ACTIONS, workflow: str = "CI", fork: bool = False
) -> CheckSuite:
    """CI begins for a commit, with a check run of each name; without names an App has a suite there that it
    never uses."""
    world = repo.world
    with world.changed:
        who = world.app_of(world.user(f"{app}[bot]"))
        assert who is not None
        branches = repo.git.run("for-each-ref", "--format=%(refname:short)", "--points-at", head_sha)
        found = [one for one in branches.decode().split("\n") if one and "/pull/" not in f"/{one}"]
        branch = None if fork or not found else found[0]
        suite = CheckSuite(world.next_id(), repo, who, head_sha, branch, world.now())
        for name in names:
            run = CheckRun(world.next_id(), repo, who, name, head_sha, "in_progress", None)
            run.suite, run.started_at = suite.id, world.now()
            suite.status = "in_progress"
            suite.runs.append(run)
            repo.check_runs.append(run)
            if app == ACTIONS:
                page = f"{world.html_url}/{repo.full_name}/actions/runs/{suite.id}/job/{run.id}"
                run.details_url = page
                repo.jobs[run.id] = WorkflowJob(run, workflow)
        repo.suites.append(suite)
    return suite


def set_status(repo: Repository, sha: str, context: str, state: str, description: str = "") -> None:
    with repo.world.changed:
        made = CommitStatus(repo.world.next_id(), sha, context, state, description, repo.world.now())
        repo.statuses.append(made)


def suites_of(repo: Repository, sha: str) -> list[Any]:
    """All suites of a commit; of check runs that were made without one, as if they had."""
    found: list[CheckSuite] = [one for one in repo.suites if one.head_sha == sha]
    known = {one.id for one in found}
    loose = [run for run in repo.check_runs if run.head_sha == sha and run.suite not in known]
    for app in {id(run.app): run.app for run in loose}.values():
        runs = [run for run in loose if run.app is app]
        made = CheckSuite(runs[0].suite, repo, app, sha, None, runs[0].started_at, runs)
        if all(run.status == "completed" for run in runs):
            made.status, made.conclusion = "completed", runs[-1].conclusion
        else:
            made.status = "in_progress"
        found.append(made)
    return found
