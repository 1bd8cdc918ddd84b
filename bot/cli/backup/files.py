"""What a backup holds beside the database: hob.toml, and keys where they are wanted. Each has a name of its
own; where it goes at a restore is the configuration's to say, never the file's."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from bot.config import Config
from bot.log import HIDDEN, redact

TOML = "hob.toml"
IN_TOML = "the secrets in hob.toml"
LEFT_OUT = "# left out of the backup: "
_PEM = re.compile(
    r"-----BEGIN (?:RSA )?PRIVATE KEY-----\s+(?:[A-Za-z0-9+/=]{1,76}\s+){4,400}"
    r"-----END (?:RSA )?PRIVATE KEY-----\s*"
)
_LINES = re.compile(r"(?:[!-~]{6,500}[\r\n]+){0,50}[!-~]{6,500}[\r\n]*")
"""Secrets as they come out of generators: printable, without blanks."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """`key` of hob.toml names it; only what is shaped as such a thing is ever written there."""

    name: str
    key: str
    path: Path
    shape: re.Pattern[str]


def key_files(config: Config) -> list[KeyFile]:
    """Those that the configuration names."""
    github = config.github
    named = (
        ("private key", "github.private_key_file", github.private_key_file, _PEM),
        ("webhook secrets", "github.webhook_secret_file", github.webhook_secret_file, _LINES),
        ("API token", "api.token_file", config.api.token_file, _LINES),
    )
    return [KeyFile(name, key, path, shape) for name, key, path, shape in named if path is not None]


def collected(config: Config, *, with_keys: bool) -> tuple[dict[str, str], list[str]]:
    """(name -> text, what is left out). Without keys no secret that this process knows is in it."""
    files: dict[str, str] = {}
    left_out: list[str] = []
    if config.source is not None:
        whole = config.source.read_text(encoding="utf-8")
        files[TOML] = whole if with_keys else _without_secrets(whole)
        if files[TOML] != whole:
            left_out.append(IN_TOML)
    for one in key_files(config):
        if not one.path.exists():
            continue
        if with_keys:
            files[one.name] = one.path.read_text(encoding="utf-8")
        else:
            left_out.append(f"the {one.name}")
    return files, left_out


def _without_secrets(toml: str) -> str:
    """Lines that hold one become comments; empty where that would make other values of them."""
    written = toml.removesuffix("\n").split("\n")
    lines = [line if redact(line) == line else LEFT_OUT + redact(line) for line in written]
    clean = redact("\n".join(lines) + "\n")
    try:
        return "" if _holds(tomllib.loads(clean)) else clean
    except tomllib.TOMLDecodeError:
        return ""


def _holds(value: object) -> bool:
    """Whether a value was cut: what stands for a secret must not be taken for one."""
    if isinstance(value, dict):
        return any(map(_holds, (*value, *value.values())))
    if isinstance(value, list):
        return any(map(_holds, value))
    return isinstance(value, str) and (HIDDEN in value or LEFT_OUT.strip() in value)
