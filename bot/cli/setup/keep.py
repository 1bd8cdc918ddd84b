"""Where `hob setup` writes: a hob.toml, and beside it what an App is known by, for its owner only."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.config import Config, find
from bot.config.write import change, write_new
from bot.core.errors import ConfigError
from bot.core.toml_text import TomlChanges, TomlValue
from bot.github.registration import RegisteredApp
from bot.web.setup import SetupRequest

HEAD = "# Made by `hob setup`. Every key: docs/configuration.md\n"
ROLES = ("review", "code", "triage", "chat")
DEFAULT_API = str(Config().github.api_url)


def config_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The hob.toml that every command finds; made, empty, where there is none, so that it is known whether
    one can be written before anybody goes to GitHub."""
    asked = environ.get("HOB_CONFIG", "")
    folder = Path(environ.get("HOB_HOB__DATA_DIR") or str(Config().hob.data_dir)).expanduser()
    path = Path(asked).expanduser() if asked else find(None, environ) or folder / "hob.toml"
    if not path.exists():
        write_new(path, HEAD)
    elif not os.access(path.resolve().parent, os.W_OK):
        raise ConfigError(
            f"{path} cannot be changed", "let this user write in its folder, or name another in HOB_CONFIG"
        )
    return path.resolve()


def tree_of(path: Path) -> dict[str, Any]:
    """What the file itself says, without the environment."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def keep_app(path: Path, app: RegisteredApp, asked: SetupRequest, instead_of: int = 0) -> None:
    """Once for each App, in an order that loses nothing: the key, the secret, then the keys of hob.toml that
    name them. What hob.toml said of another App is kept beside it. `instead_of`: the App that it named when
    this began (0: none); ConfigError where it names another one by now."""
    _keep_secret(path.parent / pem_name(app.id), app.pem)
    github: dict[str, TomlValue] = {
        "app_id": app.id,
        "app_slug": app.slug,
        "private_key_file": pem_name(app.id),
    }
    before = tree_of(path).get("github", {})
    if before.get("app_id", 0) not in (app.id, instead_of):
        raise ConfigError(
            f"{path} names the App {before['app_id']} by now: another setup was faster",
            f"the key of {app.slug} is in {pem_name(app.id)}; delete one of the two Apps on GitHub",
        )
    if instead_of and instead_of != app.id:
        _keep_secret(path.with_name(f"{path.name}.app-{instead_of}"), path.read_text(encoding="utf-8"))
    if before.get("webhook_secret"):
        github["webhook_secret"] = []
    if app.webhook_secret:
        _keep_secret(path.parent / f"webhook-secret-{app.id}", f"{app.webhook_secret}\n")
        github["webhook_secret_file"] = f"webhook-secret-{app.id}"
    if asked.api_url != before.get("api_url", DEFAULT_API):
        github["api_url"] = asked.api_url
    public = asked.app.public_url
    tables: dict[str, dict[str, TomlValue]] = {
        "github": github,
        "intake": {"mode": "webhook" if public else "poll"},
    }
    if public:
        tables["server"] = {"public_url": public}
    change(path, tables)


def keep_host(path: Path, kind: str, url: str, model: str) -> None:
    """The model host and its model for every role, where hob.toml names none."""
    tree = tree_of(path)
    roles: TomlChanges = {} if "models" in tree else {"models": {role: [model] for role in ROLES}}
    table = f'\n[[hosts]]\nname = "local"\nkind = "{kind}"\nurl = "{url}"\n'
    change(path, roles, end="" if "hosts" in tree else table)


def left_over(path: Path) -> tuple[int, Path, Path | None] | None:
    """(App, key, webhook secret) whose storing was broken off before hob.toml named them; None where there is
    none, or more than one."""
    pems = list(path.parent.glob("app-*.pem"))
    numbers = [each.name.removeprefix("app-").removesuffix(".pem") for each in pems]
    if len(pems) != 1 or not numbers[0].isdecimal():
        return None
    number, pem = int(numbers[0]), pems[0]
    secret = path.parent / f"webhook-secret-{number}"
    return number, pem, secret if secret.is_file() else None


def pem_name(number: int) -> str:
    return f"app-{number}.pem"


def _keep_secret(path: Path, text: str) -> None:
    """A file that is there with this very text was written before an earlier try failed."""
    if not (path.is_file() and path.read_text(encoding="utf-8") == text):
        write_new(path, text)
