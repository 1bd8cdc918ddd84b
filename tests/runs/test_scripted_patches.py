"""Scripted patches as people meet them: a model says each for an issue; what is on GitHub then."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from bot.testing.github import submodule, symlink
from bot.testing.github.issues import Issue
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from tests.living import LivingHob
from tests.patches import good, refused, scripted
from tests.patches.case import Case, own_sources
from tests.runs.test_comments import ours

CONFIG = "code: {enabled: true}\nissues: {triage: false}\n"
SECRET = "It's a Secret to Everybody"
# As text, so that nothing but the bytes decides.
CASES = [
    case
    for case in scripted({f"{path}.txt": text for path, text in own_sources().items()}, 7)
    if case.name not in ("huge", "2 MB", "2 MB of 1 M characters", "2 MB in parts", "too many edits")
]
GOOD = [case for case in CASES if not case.cause][: len(good.KINDS) : 2]
MISTAKEN = [case for case in CASES if case.cause and not case.malicious][: len(refused.KINDS)]
MALICIOUS = [case for case in CASES if case.malicious and "ud8" not in case.name]


def says(case: Case) -> dict[str, Any]:
    edits = [
        {"path": one.path, "search": one.search, "replace": one.replace}
        | ({"delete": True} if one.delete else {})
        | ({"rename_to": one.rename_to} if one.rename_to else {})
        for one in case.edits
    ]
    return {"summary": "Done.", "edits": edits}


async def carried_out(hob: LivingHob, cases: Sequence[Case]) -> Iterator[tuple[Case, Repository, Issue]]:
    """Each for an issue of a repository of its own."""
    for one in hob.github.installations.values():
        one.permissions = {**one.permissions, "contents": "write"}

    def answer(request: Any) -> Any:
        wanted, said = str(request.get("format") or {}), str(request["messages"])
        if "accepted" in wanted:
            return {"reason": "good", "accepted": True}
        if "edits" in wanted:
            (number,) = set(re.findall(r"Case number (\d+)\.", said))
            return says(cases[int(number)])
        return {"steps": [{"title": "Do it", "detail": "", "role": "worker"}]}

    hob.ollama.answer = answer
    asked = []
    for number, case in enumerate(cases):
        heads = {path: text for path, text in case.heads.items() if _can_stand(path)}
        repo = hob.github.repository(f"octo/tea{number}", files={".github/hob.yml": CONFIG, **heads})
        repo.grant("ann", "write")
        named = " ".join(f"`{path}`" for path in heads)
        issue = repo.open_issue("Mend it", f"Case number {number}. {named}", author="ann")
        issue.comment("ann", "@my-hob implement")
        asked.append((case, repo, issue))
    await hob.works()
    return iter(asked)


def _can_stand(path: str) -> bool:
    """Whether git lets anybody commit it at all."""
    parts = path.split("/")
    return bool(path) and "\0" not in path and not {"", ".", "..", ".git"} & {one.lower() for one in parts}


def branches(repo: Repository) -> list[str]:
    return repo.git.run("for-each-ref", "--format=%(refname)", "refs/heads").decode().split()


def tree(repo: Repository, ref: str) -> dict[str, tuple[str, bytes]]:
    """path -> (mode, bytes)"""
    listed = repo.git.run("ls-tree", "-r", "-z", ref).decode().split("\0")[:-1]
    found = {}
    for one in listed:
        told, path = one.split("\t", 1)
        mode, _, sha = told.split()
        found[path] = (mode, repo.git.run("cat-file", "blob", sha))
    return found


async def test_S7_what_is_pushed_of_a_good_patch_is_right_to_the_byte(hob: LivingHob) -> None:
    wrong = []
    for case, repo, issue in await carried_out(hob, GOOD):
        made = [ref for ref in branches(repo) if ref.startswith("refs/heads/hob/")]
        if len(made) != 1:
            wrong.append(f"{case.name}: {ours(issue)}")
            continue
        texts: Mapping[str, str | None] = {".github/hob.yml": CONFIG, **case.heads, **case.after}
        there = {path: ("100644", text.encode()) for path, text in texts.items() if text is not None}
        if tree(repo, made[0]) != there:
            wrong.append(f"{case.name}: not byte for byte")
    assert wrong == []


@pytest.mark.parametrize("part", range(2))
async def test_S7_nothing_is_pushed_of_a_patch_that_is_refused_and_the_reason_is_said(
    hob: LivingHob, part: int
) -> None:
    wrong = []
    some = [*MISTAKEN[part::3], *MALICIOUS[part::24]]
    for case, repo, issue in await carried_out(hob, some):
        said = "\n".join(ours(issue))
        if branches(repo) != ["refs/heads/main"] or repo.pulls:
            wrong.append(f"{case.name}: pushed")
        if case.why.strip() not in said:
            wrong.append(f"{case.name}: {case.why}: {said}")
    assert wrong == []


@pytest.mark.parametrize("command", ["implement", "docs"])
@pytest.mark.parametrize(
    ("path", "quote", "why"),
    [
        ("link/deep/made.md", "", r"link.? is (no folder|there already)"),
        ("vendor/deep/made.md", "", r"vendor.? is (no folder|there already)"),
        ("Unread.md", "", "is there already"),
        ("old.md", "tea = 1\n", r"its text was not read|there is no old\.md"),
        ("link", "docs", r"its text was not read|there is no link|leaves it out"),
    ],
)
async def test_S7_nothing_takes_the_place_of_a_link_a_submodule_or_what_nobody_could_read(
    hob: LivingHob, command: str, path: str, quote: str, why: str
) -> None:
    """Each in a patch of sixty folders; a file in another encoding would not be itself again."""
    for one in hob.github.installations.values():
        one.permissions = {**one.permissions, "contents": "write"}
    files = {
        ".github/hob.yml": CONFIG,
        "docs/a.md": "x\n",
        "link": symlink("docs"),
        "vendor": submodule("1" * 40),
        "unread.md": "x\n",
        "old.md": "tea = 1\nfaçade\n".encode("latin-1"),
    }
    repo = hob.github.repository("octo/tea", files=files)
    repo.grant("ann", "write")
    many = [{"path": f"made/{n}/a.md", "search": "", "replace": "x\n"} for n in range(60)]
    asked = {"path": path, "search": quote, "replace": "x\n"}

    def answer(request: Any) -> Any:
        wanted = str(request.get("format") or {})
        if "accepted" in wanted:
            return {"reason": "good", "accepted": True}
        if "edits" in wanted:
            return {"summary": "Done.", "edits": [*many, asked]}
        return {"steps": [{"title": "Do it", "detail": "", "role": "worker"}]}

    hob.ollama.answer = answer
    on: Issue | PullRequest = repo.open_issue("Mend it", "`old.md` `link` `docs/a.md`", author="ann")
    if command == "docs":
        changed = {"docs/a.md": "y\n", "old.md": "tea = 1\n# façade\n".encode("latin-1")}
        on = repo.open_pull_request("Mend it", changed, author="ann", branch="mend")
    on.comment("ann", f"@my-hob {command}")
    await hob.works()
    assert re.search(why, ours(on)[-1]), ours(on)[-1]
    assert not [ref for ref in branches(repo) if "/hob/" in ref]
