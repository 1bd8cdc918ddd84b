"""Why lines are as they are, as a local repository tells it: the commits that made them, newest first, and
which repository of GitHub it is a clone of. https://git-scm.com/docs/git-log#Documentation/git-log.txt--Lltstartgtltendgtltfilegt"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bot.core.errors import UserError
from bot.core.facts import Commit
from bot.core.pathnames import LONGEST
from bot.core.refs import Sha
from bot.core.text import cut, day
from bot.git import git, run
from bot.local.uncommitted import without_filters

SECONDS = 30.0
MOST_COMMITS = 12
LONGEST_MESSAGE = 2_000
_NAME = re.compile(r"[:/]([A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}?)(?:\.git)?/?\Z")
_HOST = re.compile(
    r"[a-z+]{2,20}://(?:[^@/\s]{1,300}@)?([A-Za-z0-9.-]{1,253})(?::[0-9]{1,5})?/"
    r"|(?:[^@/\s:]{1,100}@)?([A-Za-z0-9.-]{1,253}):(?!//)"
)
"""Of a URL, or as ssh has it."""
_FORMAT = "--format=tformat:%H%x00%aN%x00%at%x00%B"
_PLAIN = ("--no-color", "--no-decorate", "--no-ext-diff", "--no-textconv", "--encoding=UTF-8")


@dataclass(frozen=True, slots=True)
class LineHistory:
    """`lines`: how many the file has in the last commit. `partial`: git took too long, older commits are
    missing. `changed`: the file was changed since, so that its lines may have other numbers there."""

    commits: tuple[Commit, ...]
    lines: int
    partial: bool = False
    changed: bool = False


def inside(root: Path, said: str) -> str:
    """The path of a file of the repository as git names it; UserError for one that leads out of it. An
    absolute one is taken too where it lies in the repository."""
    if not said or len(said) > LONGEST or "\0" in said or not _encodable(said):
        raise UserError(f"a path has 1 to {LONGEST} characters, and no NUL", "name a file of the repository")
    path = PurePosixPath(said)
    if path.is_absolute():
        tops = [top for top in (root, root.resolve()) if path.is_relative_to(top)]
        path = path.relative_to(tops[0]) if tops else path
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise UserError(
            f"{cut(said, 80, end='…')!r} leads out of the repository", "name a file by its path from the top"
        )
    return str(path)


async def history(root: Path, path: str, start: int = 0, end: int = 0) -> LineHistory:
    """Of these lines of the last commit, of the whole file where `start` is 0. UserError where the last
    commit has no such file or lines; `path` is as `inside` gives it."""
    total = await _lines(root, path)
    if start > total or (start and not start <= (end or start)):
        raise UserError(f"{cut(path, 80, end='…')} has {total} lines, not {start}-{end or start}")
    if start:
        which = [f"-L{start},{min(end or start, total)}:{path}", "-s"]
    else:
        which = ["--follow", "--", f":(literal){path}"]
    asked = ("log", "-z", _FORMAT, f"--max-count={MOST_COMMITS}", *_PLAIN, *which)
    ran = await run(root, *asked, seconds=SECONDS)
    if ran.why and not ran.late:
        raise UserError(f"git cannot tell the history of {cut(path, 80, end='…')}: {ran.why}")
    compared = ("diff", "--quiet", "--no-ext-diff", "--no-textconv", "HEAD", "--", f":(literal){path}")
    differs = await run(root, *compared, environ=await without_filters(root))
    return LineHistory(tuple(_commits(ran.out)), total, ran.late, differs.code == 1)


async def touching(root: Path, path: str, at: Sha, most: int, environ: Mapping[str, str]) -> list[Commit]:
    """The newest commits up to `at` that touched a file, newest first; UserError for a path that leads out of
    the repository."""
    asked = ("log", "-z", _FORMAT, f"--max-count={most}", *_PLAIN, "--end-of-options", at)
    ran = await run(root, *asked, "--", f":(literal){inside(root, path)}", seconds=SECONDS, environ=environ)
    return _commits(ran.out) if ran.late or not ran.why else []


async def origin_name(root: Path, site: str = "") -> str:
    """`owner/name` by the address of the remote `origin`; empty where it has none that looks like one.
    `site`: a host (`github.com`), and it must be one there."""
    return (await remote_names(root, site)).get("origin", "")


def is_on(address: str, site: str) -> bool:
    """Whether a remote's address may be of that host. A name without a dot is one of ssh's configuration, and
    may be any host."""
    found = _HOST.match(address)
    host = (found[1] or found[2]).lower() if found else ""
    return bool(host) and ("." not in host or host == site or host.endswith(f".{site}"))


async def remote_names(root: Path, site: str = "") -> dict[str, str]:
    """Each remote -> `owner/name`, where its address looks like one, and one of `site`, if that is given."""
    code, out = await git(root, "config", "-z", "--get-regexp", r"^remote\..*\.url$")
    names: dict[str, str] = {}
    for told in out.decode("utf-8", "replace").split("\0") if code == 0 else ():
        key, _, address = told.partition("\n")
        address = address.strip()[:1_000]
        if (found := _NAME.search(address)) and (not site or is_on(address, site)):
            names[key.removeprefix("remote.").removesuffix(".url")] = found[1]
    return names


async def _lines(root: Path, path: str) -> int:
    """How many the file has in the last commit; UserError where it has no such file."""
    code, out = await git(root, "cat-file", "blob", f"HEAD:{path}")
    if code:
        raise UserError(
            f"the last commit has no file {cut(path, 80, end='…')}", "name a file that is committed"
        )
    return out.count(b"\n") + (not out.endswith(b"\n") and bool(out))


def _commits(out: bytes) -> list[Commit]:
    """Four fields for each; of what was cut off in the middle nothing."""
    fields = out.decode("utf-8", "replace").split("\0")
    found = []
    for sha, author, at, message in zip(*(fields[n::4] for n in range(4)), strict=False):
        when = day(float(at)) if at.isdecimal() else "?"
        found.append(Commit(Sha(sha.strip()), author[:200], message.strip()[:LONGEST_MESSAGE], when))
    return found


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
