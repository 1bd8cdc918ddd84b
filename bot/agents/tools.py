"""What a model may call while it works on a patch: it looks at the commit that the patch is for, writes into
a work tree of the run (the commit's files with what was written over them), and has that tried. All of it
is read only but for that tree, which exists nowhere but here."""

import difflib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from bot.agents.patch import checked
from bot.core.code_search import Excerpt
from bot.core.edit_paths import asks_for_lock_files, is_private, why_not
from bot.core.edits import MOST_TEXT, unfit
from bot.core.facts import Commit, PatchFacts
from bot.core.inference import Tool, ToolUse
from bot.core.knowledge import Found
from bot.core.pathnames import resolve
from bot.core.suite_runs import SuiteRun
from bot.core.text import utf8_size

MOST_LINES = 400
"""Of a file at once."""
MOST_FOUND = 10
MOST_WRITTEN = 200_000
"""Characters of one file."""
MOST_FILES = 40
"""That may be written."""
MOST_DIFFED = 100_000
REGULAR = (0o100644, 0o100755)

ReadFiles = Callable[[Sequence[str]], Awaitable[tuple[Mapping[str, str], Mapping[str, int]]]]
"""(text by path of those of these paths that are regular text files, git's modes by path)"""


class ReadFile(BaseModel):
    """Lines `start` to `end` of a file, with what you wrote into it."""

    path: str = Field(max_length=400)
    start: int = Field(1, ge=1)
    end: int = Field(MOST_LINES, ge=1)


class SearchCode(BaseModel):
    """Passages of the repository that have to do with some words, best first."""

    query: str = Field(min_length=1, max_length=300)


class ListSymbols(BaseModel):
    """The functions and classes of a file, with their lines."""

    path: str = Field(max_length=400)


class Callers(BaseModel):
    """Who refers to a function or class: `name`, `Class.name` or `path::name`."""

    name: str = Field(min_length=1, max_length=300)


class RelatedIssues(BaseModel):
    """Issues and pull requests about some words."""

    query: str = Field(min_length=1, max_length=300)


class RecentCommits(BaseModel):
    """The newest commits that touched a file."""

    path: str = Field(max_length=400)


class WriteFile(BaseModel):
    """Writes a whole file into your work tree; what you wrote is part of your patch."""

    path: str = Field(max_length=400)
    text: str = Field(max_length=MOST_WRITTEN)


class RunChecks(BaseModel):
    """Parses what you wrote and has a linter read it."""


class RunTests(BaseModel):
    """Runs the repository's tests on what you wrote."""


ARGUMENTS: Mapping[str, type[BaseModel]] = {
    "read_file": ReadFile,
    "search_code": SearchCode,
    "list_symbols": ListSymbols,
    "callers": Callers,
    "related_issues": RelatedIssues,
    "recent_commits": RecentCommits,
    "write_file": WriteFile,
    "run_checks": RunChecks,
    "run_tests": RunTests,
}
OF_THE_TREE = frozenset({"read_file", "list_symbols", "run_checks", "run_tests", "search_code"})
"""They may give something else after something was written."""


def _same(text: str) -> str:
    return text


def _nobody(_: ToolUse) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """What tools need of others, each about one commit. A tool is not there where what it needs is not."""

    search: Callable[[str], Awaitable[Sequence[Excerpt]]] | None = None
    callers: Callable[[str], Awaitable[Sequence[Found]]] | None = None
    issues: Callable[[str], Awaitable[Sequence[Found]]] | None = None
    commits: Callable[[str], Awaitable[Sequence[Commit]]] | None = None
    tests: Callable[[Mapping[str, str | None]], Awaitable[SuiteRun]] | None = None
    """On the commit with these files in place of its own."""
    redact: Callable[[str], str] = _same
    """Takes out what Hob must not tell."""
    note: Callable[[ToolUse], None] = _nobody


class ToolRefused(Exception):
    """What a call asked for is not to be had; the message is for the model."""


@dataclass(slots=True)
class WorkTree:
    """The files of a run: those of the commit as far as they were read (`facts`), and `written` over them."""

    facts: PatchFacts
    read: ReadFiles
    written: dict[str, str] = field(default_factory=dict)
    version: int = 0
    """Counts what changed by writing."""

    def text(self, path: str) -> str | None:
        """As it is now; None where there is none, or it was not read."""
        return self.written.get(path, self.facts.texts.get(path))

    def meant(self, path: str) -> str:
        """The path that is meant by one that is nearly right; itself where none is."""
        path = path.strip().removeprefix("./").removeprefix("/")
        if path in self.written or path in self.facts.texts:
            return path
        exists = self.facts.exists
        known = [*self.written, *self.facts.texts, *self.facts.names]
        return path if exists and exists(path) else resolve(path, known) or path

    async def fetch(self, paths: Sequence[str]) -> None:
        """Reads those that were not read yet, in one go."""
        wanted = [path for path in dict.fromkeys(map(self.meant, paths)) if self._unread(path)]
        if not wanted:
            return
        texts, modes = await self.read(wanted)
        self.facts = replace(
            self.facts,
            texts={**self.facts.texts, **texts},
            modes={**self.facts.modes, **modes},
            names=tuple(path for path in self.facts.names if path not in texts),
        )

    def _unread(self, path: str) -> bool:
        if self.text(path) is not None or is_private(path) or len(path) > 400:
            return False
        return self.facts.exists is None or self.facts.exists(path)

    def write(self, path: str, text: str) -> bool:
        """Whether that changes anything; `ToolRefused`. What is there must have been fetched."""
        locks = asks_for_lock_files(self.facts.wish)
        if why := why_not(path, self.facts.allowed, lock_files=locks):
            raise ToolRefused(f"{path} may not be written: {why}")
        mode = self.facts.modes.get(path)
        there = self.facts.exists(path) if self.facts.exists else mode is not None
        if (there and path not in self.facts.texts) or mode not in (None, *REGULAR):
            raise ToolRefused(f"{path} is no text file that can be written over")
        before = self.facts.texts.get(path, "")
        if why := unfit(path, before, text):
            raise ToolRefused(why)
        if path not in self.written and len(self.written) >= MOST_FILES:
            raise ToolRefused(f"no more than {MOST_FILES} files may be written")
        others = sum(utf8_size(one) for name, one in self.written.items() if name != path)
        if others + utf8_size(text) > MOST_TEXT:
            raise ToolRefused(f"the texts that you wrote would be over {MOST_TEXT:,} bytes")
        if "\r\n" in before and before.count("\r\n") == before.count("\n"):
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        if self.text(path) == text:
            return False
        self.written[path] = text
        self.version += 1
        return True

    @property
    def diff(self) -> str:
        """What was written, for whoever judges it."""
        parts = []
        for path, text in self.written.items():
            before = self.facts.texts.get(path, "")
            if len(before) + len(text) > MOST_DIFFED:
                parts.append(f"{path}: written anew, {len(text):,} characters")
                continue
            lines = difflib.unified_diff(before.split("\n"), text.split("\n"), path, path, lineterm="")
            parts.append("\n".join(lines))
        return "\n".join(parts)


@dataclass(slots=True)
class ToolBox:
    """Calls of tools on one work tree."""

    tree: WorkTree
    lookups: Lookups = field(default_factory=Lookups)

    def offered(self, names: Sequence[str]) -> tuple[Tool, ...]:
        """Those of these names that are to be had here."""
        needs: Mapping[str, object] = {
            "search_code": self.lookups.search,
            "callers": self.lookups.callers,
            "related_issues": self.lookups.issues,
            "recent_commits": self.lookups.commits,
            "run_tests": self.lookups.tests,
        }
        return tuple(_tool(name, ARGUMENTS[name]) for name in names if needs.get(name, True))

    async def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        """What it gives; `ToolRefused`, and what the ports raise. The name is one that was offered."""
        try:
            given: Any = ARGUMENTS[name].model_validate(arguments)
        except ValidationError as error:
            wrong = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors()[:5])
            raise ToolRefused(f"its arguments do not do: {wrong}") from None
        match given:
            case ReadFile():
                return self._lines(await self._text(given.path), given)
            case ListSymbols():
                return self._symbols(given.path, await self._text(given.path))
            case WriteFile():
                return await self._write(given)
            case RunChecks():
                return await self._checks()
            case RunTests() if self.lookups.tests:
                return _told(await self.lookups.tests(dict(self.tree.written)))
            case SearchCode() if self.lookups.search:
                return self._found(await self.lookups.search(given.query))
            case Callers() if self.lookups.callers:
                return _places(await self.lookups.callers(given.name))
            case RelatedIssues() if self.lookups.issues:
                return _issues(await self.lookups.issues(given.query))
            case RecentCommits() if self.lookups.commits:
                return _commits(await self.lookups.commits(self.tree.meant(given.path)))
        raise ToolRefused("there is no such tool here")

    async def _text(self, path: str) -> str:
        path = self.tree.meant(path)
        await self.tree.fetch([path])
        if (text := self.tree.text(path)) is None:
            why = "passwords are kept in such files" if is_private(path) else "there is no such text file"
            raise ToolRefused(f"{path[:200]} cannot be read: {why}")
        return text

    def _lines(self, text: str, asked: ReadFile) -> str:
        lines = text.removesuffix("\n").split("\n")
        end = min(max(asked.end, asked.start), asked.start + MOST_LINES - 1, len(lines))
        if asked.start > len(lines):
            raise ToolRefused(f"the file has {len(lines)} lines")
        shown = "\n".join(lines[asked.start - 1 : end])
        return f"lines {asked.start} to {end} of {len(lines)}:\n{shown}"

    def _symbols(self, path: str, text: str) -> str:
        found = [one for one in self.tree.facts.tools.symbols(self.tree.meant(path), text) if one.symbol]
        lines = [
            f"{one.start}-{one.end} {one.kind} {one.symbol} {one.signature[:150]}" for one in found[:200]
        ]
        return "\n".join(lines) or "no functions or classes are known in it"

    async def _write(self, given: WriteFile) -> str:
        path = self.tree.meant(given.path)
        await self.tree.fetch([path])
        if not self.tree.write(path, given.text):
            return f"{path} says that already: nothing changed"
        return f"written: {path}, {len(given.text):,} characters"

    async def _checks(self) -> str:
        if not self.tree.written:
            return "nothing was written yet; the edits of your answer are checked when you give it"
        problems, _ = await checked(dict(self.tree.written), {}, self.tree.facts)
        return "\n".join(problems) or f"nothing is wrong with the {len(self.tree.written)} files written"

    def _found(self, excerpts: Sequence[Excerpt]) -> str:
        parts = []
        for one in excerpts[:MOST_FOUND]:
            stale = " (as it was before you wrote it)" if one.path in self.tree.written else ""
            parts.append(f"{one.name}{stale}\n{one.numbered}")
        return "\n\n".join(parts) or "nothing was found"


def _tool(name: str, arguments: type[BaseModel]) -> Tool:
    schema = arguments.model_json_schema()
    properties = {
        key: {each: value for each, value in one.items() if each != "title"}
        for key, one in schema.get("properties", {}).items()
    }
    shape = {"type": "object", "properties": properties, "required": schema.get("required", [])}
    return Tool(name, str(arguments.__doc__), shape)


def _told(run: SuiteRun) -> str:
    if run.refused:
        raise ToolRefused(f"the tests were not run: {run.refused}")
    counts = f"{len(run.passed)} passed, {len(run.failed)} failed" if run.passed or run.failed else ""
    head = "all passed" if run.good else run.killed or f"they failed with exit code {run.code}"
    failed = "".join(f"\nfailed: {one[:200]}" for one in sorted(run.failed)[:30])
    return f"{head}{f' ({counts})' if counts else ''}{failed}\n{run.output[-6_000:]}"


def _places(found: Sequence[Found]) -> str:
    told = [
        f"{one.path}:{one.start}-{one.end} {one.symbol}: {'; '.join(one.why)[:200]}" for one in found[:20]
    ]
    at = next((f"\n(as of commit {one.sha[:10]})" for one in found if one.sha), "")
    return "\n".join(told) + at if told else "nobody is known to refer to it"


def _issues(found: Sequence[Found]) -> str:
    told = [f"#{one.number} ({one.kind}) {one.title[:200]}" for one in found[:MOST_FOUND] if not one.source]
    return "\n".join(told) or "none is known"


def _commits(found: Sequence[Commit]) -> str:
    told = [f"{one.sha[:10]} {one.at} {one.author[:60]}: {one.message[:300]}" for one in found[:MOST_FOUND]]
    return "\n".join(told) or "none is known"
