"""Staged or all uncommitted work as a change. It is taken into an index and objects of its own, gone
afterwards: the repository is not touched. https://git-scm.com/docs/git#_the_git_repository"""

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.core.errors import UserError
from bot.core.refs import Sha
from bot.git import git, run
from bot.local.change import LocalRange, NothingToReview, is_bare, no_files, resolved

SECONDS = 120.0
_DRIVER_KEYS = {"clean": "", "smudge": "", "process": "", "required": "false"}


@asynccontextmanager
async def uncommitted(root: Path, *, staged: bool) -> AsyncIterator[LocalRange]:
    """What a commit would hold that HEAD does not: of what is staged, or of all files that are not ignored.
    UserError; `NothingToReview`."""
    if await is_bare(root):
        raise UserError("a bare repository has no working tree", "name a range, such as main..feature")
    with TemporaryDirectory(prefix="hob-review-") as folder:
        environ = {**await _apart(root, Path(folder), staged), **await without_filters(root)}
        if not staged:
            await _git(root, environ, "-c", "core.compression=0", "add", "--all", "--", ":/")
        head = Sha((await _git(root, environ, "write-tree")).decode().strip())
        commit = await resolved(root, "HEAD")
        base = commit or await no_files(root)
        tree = (await git(root, "rev-parse", f"{base}^{{tree}}"))[1].decode().strip() if commit else base
        if tree == head:
            what = "nothing is staged" if staged else "nothing differs from the last commit"
            raise NothingToReview(f"there is nothing to review: {what}", base)
        yield LocalRange(base, head, "Staged work" if staged else "Uncommitted work", "", "", environ)


async def _apart(root: Path, folder: Path, staged: bool) -> dict[str, str]:
    """git's variables for a copy of the index, and for objects beside those of the repository."""
    _, out = await git(root, "rev-parse", "--git-path", "objects", "--git-path", "index")
    objects, index = (root / name for name in out.decode("utf-8", "surrogateescape").splitlines()[:2])
    # `git commit FILE` and `git commit -a` show their hooks an index of their own.
    own = os.environ.get("GIT_INDEX_FILE", "") if staged else ""
    if own and (root / own).is_file():
        index = root / own
    (folder / "objects").mkdir()
    if index.exists():
        shutil.copyfile(index, folder / "index")
    return {
        "GIT_INDEX_FILE": str(folder / "index"),
        "GIT_OBJECT_DIRECTORY": str(folder / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
    }


async def without_filters(root: Path) -> Mapping[str, str]:
    """Variables that turn off every filter which the configuration names: `git add` would run them, and what
    compares a file with the index."""
    _, out = await git(root, "config", "--null", "--name-only", "--get-regexp", r"^filter\.")
    names = {key.rpartition(".")[0] for key in out.decode("utf-8", "surrogateescape").split("\0") if key}
    pairs = [(f"{name}.{key}", value) for name in sorted(names) for key, value in _DRIVER_KEYS.items()]
    environ = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for number, (key, value) in enumerate(pairs):
        environ |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environ


async def count_uncommitted(root: Path) -> int:
    """Files that differ from HEAD, or are new and not ignored; 0 too where git cannot tell."""
    environ = await without_filters(root)
    asked = ("status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=all")
    ran = await run(root, *asked, seconds=SECONDS, environ=environ)
    rows = iter(ran.out.decode("utf-8", "replace").split("\0")[:-1]) if ran.code == 0 else iter(())
    number = 0
    for row in rows:
        number += 1
        if row[:1] in "RC":
            next(rows, "")  # where it was before
    return number


async def _git(root: Path, environ: Mapping[str, str], *arguments: str) -> bytes:
    ran = await run(root, *arguments, seconds=SECONDS, environ=environ)
    if ran.why:
        raise UserError(f"git cannot take what is not committed: {ran.why}")
    return ran.out
