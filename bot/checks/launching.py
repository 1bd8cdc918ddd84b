"""How an installed program is started in a sandbox that shows nothing but the system's own folders. Many
linters are scripts whose interpreter and packages lie elsewhere."""

import os
import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from bot.core.sandbox_types import SandboxedProgram

_FIRST = re.compile(
    rb"#![ \t]{0,4}(?P<path>/[^\s\0]{1,500})(?:[ \t]{1,4}(?P<name>python[\d.]{0,6}))?"
    rb"|#!/bin/sh\n'''exec' \"?(?P<long>/[^\"\n\0]{1,1000}?)\"? \"\$0\""  # where the path is too long for it
)
_START = (
    "import os, runpy, site, sys; [site.addsitedir(one) for one in sys.argv[1].split(os.pathsep)]; "
    "sys.argv[:2] = []; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)
"""A script with its packages and nothing else: no folder of it, no variables, no user's packages."""
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}


def launched(path: str, arguments: tuple[str, ...], native: tuple[str, ...] = ()) -> SandboxedProgram:
    """The program with what it is loaded from. `native`: where the program that a script only starts may lie,
    from the script's folder on; `{system}` and `{machine}` as npm writes them. `files` are the caller's."""
    with Path(path).open("rb") as file:
        begins = _FIRST.match(file.read(2_000))
    if begins is None:
        return SandboxedProgram(path, arguments)
    if own := next(filter(Path.is_file, _natives(Path(path).parent, native)), None):
        return SandboxedProgram(str(own.resolve()), arguments)
    interpreter = _interpreter(begins)
    if interpreter is None or not interpreter.name.startswith("python"):
        return SandboxedProgram(path, arguments)
    real = interpreter.resolve()
    near = (_packages(folder.parent, real) for folder in (interpreter.parent, Path(path).parent))
    packages = [one for one in dict.fromkeys(near) if one]
    begin = ("-I", "-c", _START, os.pathsep.join(packages) or os.devnull, path)
    script = "" if _system(Path(path)) else path
    reads = [one for one in (*_base(real), *packages, script) if one]
    return SandboxedProgram(str(real), (*begin, *arguments), reads=tuple(dict.fromkeys(reads)))


def _natives(folder: Path, native: tuple[str, ...]) -> Iterator[Path]:
    machine, system = platform.machine().lower(), platform.system().lower()
    for one in native:
        yield folder / one.format(system=system, machine=_MACHINES.get(machine, machine))


def _interpreter(begins: re.Match[bytes]) -> Path | None:
    path = Path(os.fsdecode(begins["long"] or begins["path"]))
    if path.name == "env" and begins["name"]:
        found = shutil.which(
            os.fsdecode(begins["name"]), path="/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin"
        )
        return Path(found) if found else None
    return path if path.is_file() else None


def _packages(prefix: Path, interpreter: Path) -> str:
    """The packages of an environment, or of a user who installed beside the system's; empty for none."""
    names = [interpreter.name] if "." in interpreter.name else []
    found = next((prefix / "lib" / name / "site-packages" for name in names), None)
    found = found if found and found.is_dir() else next(prefix.glob("lib/python3*/site-packages"), None)
    return str(found.resolve()) if found and not _system(found) else ""


def _base(interpreter: Path) -> list[str]:
    """An interpreter that is not the system's, and its library; all of its folder on macOS, where it is an
    application. Never a folder in which a home lies."""
    prefix = interpreter.parent.parent
    libraries = [one for one in (prefix / "lib", prefix / "lib64") if any(one.glob("python3*"))]
    if _system(interpreter) or not libraries:
        return []
    if platform.system() == "Darwin" and not Path.home().is_relative_to(prefix):
        return [str(prefix)]
    return [str(interpreter), *map(str, libraries)]


def _system(path: Path) -> bool:
    """Whether the sandbox shows it anyway."""
    return any(path.resolve().is_relative_to(one) for one in ("/usr", "/bin", "/lib", "/System"))
