"""What an agent in an editor may call, without the protocol: each tool reads one repository and gives JSON.
The arguments come from a model that may have read hostile text, and are bounded."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.cli.waiting import so_far
from bot.config import Config
from bot.core.errors import UserError

ToolTold = Callable[[str], None]
"""Hears how far the work is, from any thread; raises `ToolStopped` once nobody waits for it any more."""
Result = dict[str, Any]
MOST_NAMED = 20
"""Issues that one answer tells of."""
LONGEST_BODY = 2_000


class ToolStopped(Exception):
    """The call was cancelled, or took too long."""


@dataclass(frozen=True, slots=True)
class Lent:
    """The repository, by the top of its working tree, and what `hob.toml` says."""

    root: Path
    config: Config


class Arguments(BaseModel):
    """No key but those that are named."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*")
    @classmethod
    def is_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            if "\0" in value:
                raise ValueError("it holds a NUL")
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError("it is no Unicode text") from None
        return value


class SearchArguments(Arguments):
    query: str = Field(min_length=1, max_length=2_000, description="A question, an issue's text, or a name.")
    k: int = Field(10, ge=1, le=30, description="How many results.")


class AskArguments(Arguments):
    question: str = Field(min_length=1, max_length=8_000)
    agent: Literal["research", "chat"] = Field(
        "research", description="research searches, reads and searches again; chat is faster."
    )


class ReviewArguments(Arguments):
    what: Literal["branch", "staged", "worktree"] = Field(
        "branch",
        description="branch: the commits of `range`; staged; worktree: all that is not committed.",
    )
    range: str = Field(
        "",
        max_length=400,
        description="BASE..HEAD; empty: the branch that is checked out since it left the default branch.",
    )
    checks_only: bool = Field(False, description="Only the deterministic checks: seconds, no model.")


class CallersArguments(Arguments):
    name: str = Field(
        min_length=1, max_length=1_000, description="`name`, `Class.name` or `path/of/file.py::name`."
    )


class WhyArguments(Arguments):
    path: str = Field(min_length=1, max_length=4_096, description="From the top of the repository.")
    start: int = Field(0, ge=0, le=10_000_000, description="The first line, of the last commit; 0: the file.")
    end: int = Field(0, ge=0, le=10_000_000, description="The last line; 0: `start` alone.")


class FindingsArguments(Arguments):
    number: int = Field(ge=1, le=2**31, description="Of the pull request.")
    repo: str = Field(
        "", max_length=201, description="owner/name of a remote of this clone; empty: that of `origin`."
    )


async def search(lent: Lent, given: SearchArguments, told: ToolTold) -> Result:
    from bot.cli.search import result_as_json
    from bot.knowledge.local import Local, search_beside

    def find() -> Result:
        local = Local(lent.root, lent.config.hob.data_dir)
        archives = lent.config.knowledge.archives
        found, wrong = search_beside(local, archives, given.query, given.k, _indexing(told))
        results = [result_as_json(one) for one, _ in found]
        return {"results": results, "sha": local.tip, "notes": wrong}

    return await asyncio.to_thread(find)


async def ask(lent: Lent, given: AskArguments, told: ToolTold) -> Result:
    from bot.cli.ask import NOT_HERE, answer_as_json
    from bot.core.chat import Answered
    from bot.core.dependency_questions import dependency_question
    from bot.core.inference import Turn
    from bot.scripting import Workshop

    asked = dependency_question(given.question)
    if asked and asked.sure:
        raise UserError(NOT_HERE)
    written = 0
    async with Workshop(lent.config, repo=lent.root, tell=told) as shop:
        async for piece in shop.agent(given.agent).stream([Turn("user", given.question)]):
            if isinstance(piece, Answered):
                if piece.completion.value is None:
                    raise UserError(f"no answer: {piece.completion.reason}", "see `hob hosts`")
                return answer_as_json(piece, given.agent)
            written += len(piece)
            told(f"{written:,} characters written")
    raise UserError("no answer", "see `hob hosts`")


async def review(lent: Lent, given: ReviewArguments, told: ToolTold) -> Result:
    from bot.cli.review.local import Work, judge
    from bot.core.report import as_json
    from bot.local import NothingToReview

    work: Work = "" if given.what == "branch" else given.what
    if work and given.range:
        raise UserError("`range` is for commits", "leave it out, or leave `what` out")
    try:
        return as_json(await judge(lent.root, given.range, work, given.checks_only, told))
    except NothingToReview as nothing:
        return {"findings": [], "head": nothing.head, "notes": [str(nothing), nothing.hint]}


async def callers(lent: Lent, given: CallersArguments, told: ToolTold) -> Result:
    from bot.cli.search import result_as_json
    from bot.knowledge.local import Local

    def index() -> Local:
        local = Local(lent.root, lent.config.hob.data_dir)
        local.index(_indexing(told))
        return local

    local = await asyncio.to_thread(index)
    found = await local.indexed.callers(given.name)
    notes = [] if found else ["nothing of this name is defined in the last commit, or nothing refers to it"]
    return {"callers": [result_as_json(one) for one in found], "sha": local.tip, "notes": notes}


async def why(lent: Lent, given: WhyArguments, told: ToolTold) -> Result:
    from bot.core.mentions import mentions
    from bot.local.history import history, inside, origin_name

    path = inside(lent.root, given.path)
    found = await history(lent.root, path, given.start, given.end)
    name = await origin_name(lent.root)
    commits = [
        {"sha": one.sha, "author": one.author, "date": one.at, "message": one.message}
        for one in found.commits
    ]
    said = {one.issue: one.relation for each in found.commits for one in mentions(each.message, name)}
    numbers = [int(issue) for issue in said if issue.isdecimal()][:MOST_NAMED]
    told(f"{len(commits)} commits, which name {len(numbers)} issues and pull requests")
    known, note = await asyncio.to_thread(_known, lent.config, name, numbers) if numbers else ({}, "")
    notes = [note] if note else []
    if found.partial:
        notes.append("git took too long: older commits are missing")
    if found.changed:
        notes.append("the file was changed since the last commit, whose lines these are")
    issues = [
        {"number": number, "relation": said[str(number)], **known.get(number, {})} for number in numbers
    ]
    return {
        "path": path,
        "start": given.start,
        "end": given.end or given.start,
        "commits": commits,
        "issues": issues,
        "notes": notes,
    }


def _known(config: Config, name: str, numbers: list[int]) -> tuple[dict[int, Result], str]:
    """(what this machine's Hob knows of these issues and pull requests, what is to be said of that)."""
    from bot.knowledge.storage.index_stores import IndexStores
    from bot.local_egress import existing_store
    from bot.store import StoreUnavailable

    nothing = "what they say is not known here, for Hob is not installed for this repository on this machine"
    if not name:
        return {}, nothing
    try:
        store = existing_store(config)
    except StoreUnavailable:
        return {}, nothing
    try:
        repo = store.known.id_of(name)
        titles = store.issues.titles({(repo, number) for number in numbers}) if repo else {}
    finally:
        store.close()
    found: dict[int, Result] = {
        one.number: {
            "kind": "pull_request" if one.is_pull else "issue",
            "state": one.state,
            "title": one.title,
            "author": one.author,
        }
        for one in titles.values()
    }
    stores = IndexStores(config.hob.data_dir / "knowledge")
    if repo and stores.has(repo):
        index = stores.open(repo)
        try:
            for number, issue in index.issues(numbers).items():
                found[number] = {
                    "kind": issue.kind,
                    "state": issue.state,
                    "title": issue.title,
                    "author": issue.author,
                    "body": issue.body[:LONGEST_BODY],
                }
        finally:
            index.close()
    return found, "" if found else nothing


async def findings(lent: Lent, given: FindingsArguments, told: ToolTold) -> Result:
    from bot.local.history import remote_names

    names = await remote_names(lent.root)
    name = given.repo or names.get("origin", "")
    if not name:
        raise UserError("which repository is not known", "git remote add origin ADDRESS")
    if name.lower() not in {one.lower() for one in names.values()}:
        raise UserError(
            f"{name} is none of this clone's remotes ({', '.join(sorted(set(names.values()))) or 'none'}): "
            "of other repositories nothing is lent",
            "git remote add upstream ADDRESS, where it is a fork of that one",
        )
    return await asyncio.to_thread(_findings, lent.config, name, given.number)


def _findings(config: Config, name: str, number: int) -> Result:
    from bot.local_egress import existing_store
    from bot.store import StoreUnavailable
    from bot.store.findings import MOST, FindingQuery
    from bot.web.pages.runs import found_as_json

    try:
        store = existing_store(config)
    except StoreUnavailable as wrong:
        raise UserError(
            f"the findings of pull requests lie in Hob's store, and {wrong}",
            "have [store] database_url name the store of the Hob that reviews; GitHub is not asked",
        ) from None
    try:
        found = store.findings.page(FindingQuery(repo=name, number=number), None, MOST)
        about = store.issues.get(store.known.id_of(name), number)
    finally:
        store.close()
    notes = [] if found else [f"Hob has no findings of {name}#{number} in its store"]
    title = about.title if about else ""
    return {
        "repo": name,
        "number": number,
        "title": title,
        "findings": [found_as_json(one) for one in found],
        "notes": notes,
    }


def _indexing(told: ToolTold) -> Callable[[int, int, str], None]:
    return lambda done, of, what: told(so_far(done, of, what))


@dataclass(frozen=True, slots=True)
class LentTool:
    """`about` is what a model reads; after `seconds` a call is given up; `models`: whether one is asked."""

    about: str
    arguments: type[Arguments]
    call: Callable[[Lent, Any, ToolTold], Awaitable[Result]]
    seconds: float
    models: bool = False


TOOLS: Mapping[str, LentTool] = {
    "search": LentTool(
        "Finds the files and symbols of the last commit that a question, an issue's text or a name is about, "
        "best first; each result says why it was found. No model is asked.",
        SearchArguments,
        search,
        300,
    ),
    "ask": LentTool(
        "Answers a question about the repository by a model on the user's own machines; each citation "
        "(path and lines, commit) is checked. Takes some minutes.",
        AskArguments,
        ask,
        1_200,
        models=True,
    ),
    "review": LentTool(
        "Reviews the branch, what is staged, or all that is not committed, by checks and a model on the "
        "user's own machines, and gives findings with their lines. Takes minutes; posts nothing.",
        ReviewArguments,
        review,
        3_600,
        models=True,
    ),
    "callers": LentTool(
        "The functions that refer to a function or class, the surest first. No model is asked.",
        CallersArguments,
        callers,
        300,
    ),
    "why": LentTool(
        "Why lines are as they are: the commits that made them, with their messages, and the pull requests "
        "and issues that these name. No model is asked.",
        WhyArguments,
        why,
        120,
    ),
    "findings": LentTool(
        "What Hob's reviews of a pull request found: said or not and why, and whether it was fixed or "
        "dismissed. Read from Hob's store; GitHub is not asked.",
        FindingsArguments,
        findings,
        60,
    ),
}
"""By the names under which they are called."""
