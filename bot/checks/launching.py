"""How an installed program is started in a sandbox that shows nothing but the system's own folders. Many
linters are scripts whose interpreter and packages lie elsewhere, scripts that start a program elsewhere, or
are loaded with libraries from elsewhere."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bot.core.sandbox_types import SandboxedProgram

_FIRST = re.compile(
    rb"#![ \t]{0,4}(?P<path>/[^\s\0]{1,500})(?:[ \t]{1,4}(?P<name>python[\d.]{0,6}))?"
    rb"|#!/bin/sh\n'''exec' \"?(?P<long>/[^\"\n\0]{1,1000}?)\"? \"\$0\""  # where the path is too long for it
)
_SHELL = re.compile(rb"#![ \t]{0,4}/(?:usr/)?bin/(?:env[ \t]{1,4})?(?:ba|da)?sh\b")
_PATHS = re.compile(r"""[^\s'"=:;]{1,1000}""")
_LIBRARY = re.compile(r"(?<!\S)/\S{1,1000}")
MOST_SCRIPT = 16_384
"""Bytes of a script that starts a program elsewhere."""
LDD_SECONDS = 5.0
_SHOWN = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
"""Where the sandbox of Linux has the system's libraries."""
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
    begin = _beginning(path)
    if started := _started(path, begin):
        path, begin = started, _beginning(started)
    begins = _FIRST.match(begin)
    if begins is None:
        return _loaded(path, arguments)
    if own := next(filter(Path.is_file, _natives(Path(path).parent, native)), None):
        return _loaded(str(own.resolve()), arguments)
    interpreter = _interpreter(begins)
    if interpreter is None or not interpreter.name.startswith("python"):
        return SandboxedProgram(path, arguments)
    real = interpreter.resolve()
    near = (_packages(folder.parent, real) for folder in (interpreter.parent, Path(path).parent))
    packages = [one for one in dict.fromkeys(near) if one]
    start = ("-I", "-c", _START, os.pathsep.join(packages) or os.devnull, path)
    script = "" if _system(Path(path)) else path
    reads = [one for one in (*_base(real), *packages, script) if one]
    return SandboxedProgram(str(real), (*start, *arguments), reads=tuple(dict.fromkeys(reads)))


def _beginning(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(MOST_SCRIPT)


def _started(path: str, script: bytes) -> str:
    """The program of the same name that a shell's script names, as pnpm, Homebrew and managers of versions
    write them; empty where there is none."""
    if not _SHELL.match(script):
        return ""
    here = Path(path)
    for word in dict.fromkeys(_PATHS.findall(script.decode("utf-8", "replace"))):
        # a variable before it is the script's own folder
        below = word.partition("/")[2] if word.startswith("$") else word
        for named in (below, below.lstrip("/")) if word.endswith(f"/{here.name}") else ():
            with suppress(OSError):
                found = here.parent / named
                if found.is_file() and not found.samefile(here):
                    return str(found.resolve())
    return ""


def _loaded(path: str, arguments: tuple[str, ...]) -> SandboxedProgram:
    """A program of the machine's own code, at its own place where libraries from elsewhere are loaded with
    it: it may look for them from there."""
    libraries = [] if _system(Path(path)) else _libraries(path)
    return SandboxedProgram(path, arguments, reads=(path, *libraries) if libraries else ())


def _libraries(path: str) -> list[str]:
    """Those that the sandbox does not show, as the system's loader names them; on Linux alone. It runs
    nothing of the program."""
    ldd = shutil.which("ldd", path="/usr/bin:/bin")
    if platform.system() != "Linux" or ldd is None:
        return []
    try:
        asked = subprocess.run(  # noqa: S603  a program that was found by its whole path
            [ldd, path], capture_output=True, env={"PATH": "/usr/bin:/bin"}, timeout=LDD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    named = map(os.path.normpath, _LIBRARY.findall(asked.stdout.decode("utf-8", "replace")))
    # by their names: what is a link into the system's folders is not there by its own
    files = (one for one in dict.fromkeys(named) if one != path and Path(one).is_file())
    return [one for one in files if not any(Path(one).is_relative_to(shown) for shown in _SHOWN)]


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
