"""What the checks share that run a program: names of Hob's for the files, and an answer or a reason."""

import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from bot.core.sandbox_types import RunProgram, SandboxedProgram, SandboxUnusable

T = TypeVar("T")


def beside_hob(name: str) -> str:
    """The program that was installed with Hob, whatever PATH says."""
    return str(Path(sysconfig.get_path("scripts"), name).resolve())


def find(name: str) -> str | None:
    """The program that was installed with Hob, else the one on PATH."""
    beside = beside_hob(name)
    found = beside if Path(beside).is_file() else shutil.which(name)
    return str(Path(found).resolve()) if found else None


def named(texts: Mapping[str, str], ending: str = "") -> tuple[dict[str, str], list[str]]:
    """The texts as `0.sh`, `1.sh` …, and the paths in that order. A path of a repository is never a file's
    name: it may say `-x`, `../`, or the name of a configuration."""
    paths = list(texts)
    files = {f"{at}{ending or Path(path).suffix}": texts[path] for at, path in enumerate(paths)}
    return files, paths


def path_of(name: str, paths: list[str]) -> str:
    """The repository's path for a file's name in a program's answer."""
    return paths[int(Path(name).stem)]


async def answer(run: RunProgram, program: SandboxedProgram, kind: type[T]) -> T:
    """The JSON that the program prints; Unusable where it prints none."""
    ended = await run(program)
    if ended.killed:
        raise SandboxUnusable(ended.killed)
    try:
        return msgspec.json.decode(ended.output, type=kind)
    except msgspec.MsgspecError:
        raise SandboxUnusable(f"it gave no answer that can be read (exit code {ended.code})") from None
