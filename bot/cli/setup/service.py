"""Has the system keep `hob up` running for this user: systemd's user manager, or launchd on a Mac."""

import os
import plistlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.config.write import write_new
from bot.core.errors import UserError

HERE = Path(__file__).parent
DEPLOY = HERE.parents[2] / "deploy"
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Service:
    """`file` with `text`; what starts it, what takes it away again, and what else a person should know."""

    file: Path
    text: str
    start: tuple[tuple[str, ...], ...]
    undo: tuple[str, ...]
    note: str = ""


def service_for(platform: str, home: Path, config: Path, python: str, path: str) -> Service:
    """For `hob up` with this hob.toml, by this interpreter and with this PATH."""
    if platform == "darwin":
        return _launchd(home, config, python, path)
    return _systemd(home, config, python, path)


def _systemd(home: Path, config: Path, python: str, path: str) -> Service:
    file = home / ".config" / "systemd" / "user" / "hob.service"
    text = _template("user.service", DEPLOY / "systemd")
    for name, value in (("PYTHON", python), ("CONFIG", str(config)), ("SEARCH", path)):
        text = text.replace(f"@{name}@", value.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"'))
    manager = ("systemctl", "--user")
    return Service(
        file,
        text,
        ((*manager, "daemon-reload"), (*manager, "enable", "hob"), (*manager, "restart", "hob")),
        ("systemctl --user disable --now hob", f"rm {file}"),
        "it ends when you log out, unless: loginctl enable-linger",
    )


def _launchd(home: Path, config: Path, python: str, path: str) -> Service:
    file = home / "Library" / "LaunchAgents" / "hob.plist"
    told = plistlib.loads(_template("hob.plist", DEPLOY / "launchd").encode())
    log = str(home / "Library" / "Logs" / "hob.log")
    told |= {
        "ProgramArguments": [python, "-m", "bot.cli", "up"],
        "WorkingDirectory": str(config.parent),
        "EnvironmentVariables": {"HOB_CONFIG": str(config), "PATH": path},
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    domain = f"gui/{os.getuid()}"
    return Service(
        file,
        plistlib.dumps(told).decode(),
        (("launchctl", "bootstrap", domain, str(file)), ("launchctl", "kickstart", "-k", f"{domain}/hob")),
        (f"launchctl bootout {domain}/hob", f"rm {file}"),
    )


def install(service: Service, run: Callable[[Sequence[str]], tuple[int, str]] | None = None) -> None:
    """Writes the file and starts it; a file that says the same is left, another is kept beside. UserError."""
    run = run or _run
    manager = service.start[0][0]
    if shutil.which(manager) is None:
        raise UserError(
            f"there is no {manager} here", "leave out --service and run `hob up`, or see docs/operations.md"
        )
    if service.file.exists() and service.file.read_text(encoding="utf-8") != service.text:
        service.file.replace(service.file.with_name(f"{service.file.name}.before"))
    if not service.file.exists():
        write_new(service.file, service.text)
    for command in service.start:
        code, said = run(command)
        if code and "bootstrap" not in command:  # launchd refuses what it has already
            hint = f"see what it says of it: {' '.join(command)}"
            raise UserError(f"{' '.join(command)} ended with {code}: {' '.join(said.split())[:200]}", hint)


def _run(command: Sequence[str]) -> tuple[int, str]:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603  ours
    except (OSError, subprocess.TimeoutExpired) as wrong:
        return 1, str(wrong)
    return ran.returncode, ran.stderr


def _template(name: str, folder: Path) -> str:
    """Beside this module in a wheel, in deploy/ in a checkout."""
    inside = HERE / name
    return (inside if inside.exists() else folder / name).read_text(encoding="utf-8")


def here(config: Path) -> Service:
    """For this machine and user."""
    return service_for(sys.platform, Path.home(), config, sys.executable, os.environ.get("PATH", os.defpath))
