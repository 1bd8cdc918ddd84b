"""ruff on whole files of the head, isolated from any configuration, by rules that name defects and no taste.

The files lie in a fresh folder under names of ours: no path of the repository, no `ruff.toml`, no `extend`
is ever read (https://docs.astral.sh/ruff/configuration/, `--isolated`). ruff parses; it runs nothing of
what it reads.
"""

import asyncio
import logging
import os
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bot.core.findings import Finding
from bot.core.settings import Severity

SELECT = (
    "F,E9,PLE,B002,B003,B004,B005,B006,B008,B012,B015,B018,"
    "B020,B021,B022,B023,B025,B029,B030,B031,B035,S102,S307,S602,S605"
)
MAJOR = (
    "F821",
    "F823",
    "F811",
    "F601",
    "F602",
    "F632",
    "F502",
    "F50",
    "F52",
    "F70",
    "PLE",
    "B012",
    "B023",
    "B029",
    "S",
)
SECONDS = 30.0
log = logging.getLogger(__name__)


class _Place(msgspec.Struct):
    row: int
    column: int


class _Remark(msgspec.Struct):
    filename: str
    message: str
    location: _Place
    end_location: _Place
    code: str | None = None
    name: str | None = None


async def check(texts: Mapping[str, str]) -> list[Finding] | None:
    """Findings with their lines, in every line of the files; None when ruff did not run. Of a file that is
    no Python only the first error counts: the others follow from it."""
    paths = list(texts)
    with tempfile.TemporaryDirectory(prefix="hob-ruff-") as folder:
        files = {f"{number}{Path(path).suffix}": texts[path] for number, path in enumerate(paths)}
        await asyncio.to_thread(_write, Path(folder), files)
        output = await _run(folder)
    if output is None:
        return None
    found = [_finding(paths[int(Path(remark.filename).stem)], remark) for remark in output]
    broken = {one.path: one for one in reversed(found) if one.severity == "critical"}
    return [one for one in found if one.severity != "critical"] + list(broken.values())


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", errors="replace", newline="")


async def _run(folder: str) -> list[_Remark] | None:
    command = [
        executable(),
        "check",
        "--isolated",
        "--no-cache",
        "--exit-zero",
        "--output-format=json",
        f"--select={SELECT}",
        ".",
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={"PATH": os.defpath, "NO_COLOR": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            out, _ = await process.communicate()
        return msgspec.json.decode(out, type=list[_Remark])
    except (TimeoutError, msgspec.MsgspecError) as error:
        log.warning("ruff gave no answer: %s", type(error).__name__)
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def executable() -> str:
    """The ruff that was installed with Hob, whatever PATH says."""
    return str(Path(sysconfig.get_path("scripts"), "ruff"))


def _finding(path: str, remark: _Remark) -> Finding:
    code = remark.code or "syntax"
    return Finding(
        path=path,
        severity=_severity(code),
        category=code,
        title=f"{remark.message.splitlines()[0][:140]}",
        body=f"ruff {code}" + (f" ({remark.name})" if remark.name else ""),
        source="ruff",
        line=remark.location.row,
    )


def _severity(code: str) -> Severity:
    if code in ("syntax", "invalid-syntax") or code.startswith("E9"):
        return "critical"
    return "major" if code.startswith(MAJOR) else "minor"
