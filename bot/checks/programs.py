"""What the checks share that run a program: names of Hob's for the files, and an answer or a reason."""

import os
import shutil
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

import msgspec

from bot.core.check_input import NotJudged
from bot.core.sandbox_types import WORK, Ended, RunProgram, SandboxedProgram, SandboxUnusable

T = TypeVar("T")
OUR_FOLDERS = ("", WORK.name, "work")
"""How the folder of Hob's files ends in what a program says of them: as the sandbox shows it, as it lies."""


class ProgramMissing(SandboxUnusable):
    """It is not installed."""


def beside_hob(name: str) -> str:
    """The program that was installed with Hob, whatever PATH says."""
    return str(Path(sysconfig.get_path("scripts"), name).resolve())


def find(name: str) -> str | None:
    """The program that was installed with Hob, else the one on PATH. What stands on PATH without its whole
    path lies in whichever folder Hob was started in: maybe a stranger's."""
    beside = beside_hob(name)
    path = os.pathsep.join(filter(os.path.isabs, os.environ.get("PATH", os.defpath).split(os.pathsep)))
    found = beside if Path(beside).is_file() else shutil.which(name, path=path)
    return str(Path(found).resolve()) if found and Path(found).is_file() else None


def named(texts: Mapping[str, str], ending: str = "") -> tuple[dict[str, str], list[str]]:
    """The texts as `0.sh`, `1.sh` …, and the paths in that order. A path of a repository is never a file's
    name: it may say `-x`, `../`, or the name of a configuration. One that is its ending alone (`.py`) has it
    all the same."""
    paths = list(texts)
    endings = [ending or PurePosixPath(f"x{path.rpartition('/')[2]}").suffix for path in paths]
    files = {f"{at}{endings[at]}": texts[path] for at, path in enumerate(paths)}
    return files, paths


def path_of(name: str, paths: Sequence[str]) -> str:
    """The repository's path for a file's name in an answer; Unusable for one that was not given."""
    said = PurePosixPath(name)
    if not (said.stem.isascii() and said.stem.isdigit() and len(said.stem) < 9):
        raise NotJudged("it speaks of a file that it was not given")
    if int(said.stem) >= len(paths) or said.parent.name not in OUR_FOLDERS:
        raise NotJudged("it speaks of a file that it was not given")
    return paths[int(said.stem)]


async def answer(run: RunProgram, program: SandboxedProgram, kind: type[T]) -> T:
    """The JSON that the program prints; Unusable where it prints none."""
    ended = await run(program)
    if ended.killed:
        raise NotJudged(ended.killed)
    try:
        return msgspec.json.decode(ended.output, type=kind)
    except (ValueError, RecursionError):  # msgspec's own are ValueErrors, and so is what is no UTF-8
        raise NotJudged(unreadable(ended)) from None


def unreadable(ended: Ended) -> str:
    """For people."""
    return f"it gave no answer that can be read ({exited(ended)})"


def exited(ended: Ended) -> str:
    """The code with which it ended, and what that may mean."""
    unseen = ended.code in {126, 127}  # of a shell or a loader that did not find something
    more = (
        "; what it starts, or is loaded with, the sandbox may not show: see docs/checks.md" if unseen else ""
    )
    return f"exit code {ended.code}{more}"
