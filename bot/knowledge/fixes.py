"""What mended a closed issue, as the repository itself shows it: a merged pull request or a commit that says
so, the first tag that has it, the changelog's section that names it. Nothing is guessed."""

import re
from collections.abc import Collection
from contextlib import suppress

from bot.core.knowledge import Fix, GraphNode, KnownIssue
from bot.core.mentions import mentions
from bot.knowledge.git import Git, GitError
from bot.knowledge.parsing.files import decode
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import IndexedCommit

AFTER = 3_600
"""Seconds: GitHub closes an issue as the pull request is merged. One that was merged later only says so."""
_CHANGELOG = re.compile(
    r"(?:change[-_]?s?(?:log)?|history|news|releases?)(?:\.(?:md|rst|txt|adoc))?", re.IGNORECASE
)
_NUMBER = re.compile(r"(?:#|/(?:issues|pull)/)([1-9]\d{0,8})(?!\w)")
_VERSION = re.compile(r"\bv?\d{1,6}\.\d{1,6}[\w.+-]{0,40}|\bunreleased\b", re.IGNORECASE)
_RULED = re.compile(r"(?:=+|-+|~+|\^+)\s*")
LONGEST_HEADING = 80


def fix(index_store: IndexStore, git: Git, full_name: str, number: int) -> Fix | None:
    """None for an issue that is open or unknown, and where nothing shows what mended it or that was taken
    back."""
    with index_store.reading():
        issue = index_store.issues([number]).get(number)
        if issue is None or issue.state == "open":
            return None
        pull = _pull(index_store, issue)
        commit = _commit(index_store, full_name, number, pull)
        if commit and index_store.commits_saying(f"This reverts commit {commit.sha}"):
            return None
        if not pull and not commit:
            return None
        files = index_store.files()
    sha = commit.sha if commit else ""
    tag = path = section = ""
    with suppress(GitError):
        tag = git.first_tag(sha) if sha else ""
        names = {n for n in (number, pull) if n}
        logs = {p: f.sha for p, f in files.items() if _CHANGELOG.fullmatch(p) and not f.why}
        texts = dict(git.contents(list(logs.values())))
        for one, blob in logs.items():
            if found := section_naming(decode(texts.get(blob, b"")), names):
                path, section = one, found
                break
    return Fix(pull, sha, tag, path, section)


def fixing_commit(index_store: IndexStore, full_name: str, number: int) -> str:
    """The sha of the oldest commit of the default branch that says it fixes an issue; empty where none does,
    or where that was taken back."""
    with index_store.reading():
        commit = _commit(index_store, full_name, number, 0)
        if not commit or index_store.commits_saying(f"This reverts commit {commit.sha}"):
            return ""
        return commit.sha


def _pull(index_store: IndexStore, issue: KnownIssue) -> int:
    """The pull request that says it fixes the issue and was merged last before it was closed; 0 for none."""
    naming = index_store.edges(target=GraphNode("issue", str(issue.number)), kind="fixes")
    pulls = index_store.issues([int(edge.source.name) for edge in naming if edge.source.name.isdecimal()])
    merged = [
        one
        for one in pulls.values()
        if one.kind == "pull_request" and one.state == "merged" and one.closed <= issue.closed + AFTER
    ]
    return max(merged, key=lambda one: (one.closed, one.number)).number if merged else 0


def _commit(index_store: IndexStore, full_name: str, number: int, pull: int) -> IndexedCommit | None:
    """The oldest that brought the pull request, or without one says that it fixes the issue. Where pull
    requests are rebased nothing tells their commits."""
    if pull:
        merge = re.compile(rf"Merge pull request #{pull}(?!\d)|(?!Revert )[^\n]{{0,400}}\(#{pull}\)\Z")
        found = [one for one in index_store.commits_saying(f"#{pull}") if merge.match(one.subject)]
    else:
        found = [
            one
            for one in index_store.commits_saying(f"#{number}")
            if not _reverts(one) and _says_fixed(one, full_name, number)
        ]
    return min(found, key=lambda one: one.at) if found else None


def _reverts(commit: IndexedCommit) -> bool:
    return commit.subject.startswith("Revert ")


def _says_fixed(commit: IndexedCommit, full_name: str, number: int) -> bool:
    said = mentions(f"{commit.subject}\n\n{commit.body}", full_name)
    return any(one.relation == "fixes" and one.issue == str(number) for one in said)


def section_naming(text: str, numbers: Collection[int]) -> str:
    """The version that a changelog names one of these issues under, as its heading says it; empty where none
    does. Headings are those of Markdown and those with a ruled line below."""
    section = before = ""
    for line in text.splitlines():
        heading = line if line.startswith("#") else before if before and _RULED.fullmatch(line) else ""
        if heading and (version := _VERSION.search(heading[:LONGEST_HEADING])):
            section = version.group().rstrip(".-")
        elif section and any(int(found) in numbers for found in _NUMBER.findall(line)):
            return section
        before = line.strip()
    return ""
