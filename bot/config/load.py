"""Finds hob.toml, lays the environment over it, and says in one sentence what is wrong and where."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import ValidationError

from bot.config import complaints
from bot.config.addresses import local_ollama
from bot.config.models import Config
from bot.core.errors import ConfigError
from bot.log import hide

MAX_BYTES = 256 * 1024
PASSWORD = re.compile(r"://[^:/]*:([^@]+)@")
"""In an address of a database, Redis or proxy, where it may hold / and # unescaped."""
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")

ConfigTree = dict[str, Any]


def load_config(path: Path | str | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """hob.toml (`path`, `HOB_CONFIG`, ./hob.toml, {data_dir}/hob.toml), each key overridden by
    `HOB_<SECTION>__<KEY>`; without hosts there, this machine's Ollama is the one. ConfigError names the place
    of what cannot be used."""
    source = find(path, environ)
    text = _read(source) if source else ""
    over = from_environment(environ)
    tree = _merge(_parse(text, source), over)
    tree.setdefault("hosts", [{"name": "local", "url": local_ollama(environ)}])
    try:
        config = Config.model_validate(tree)
        folder = source.resolve().parent if source else config.hob.data_dir.expanduser()
        config = config.at(source and source.resolve(), folder)
    except ValidationError as wrong:
        raise complaints.explain(wrong, text, source, over) from None
    except (RuntimeError, OSError, ValueError) as wrong:  # no such user; no such link; a NUL
        raise ConfigError(f"a path cannot be resolved: {wrong}", "write it from / on") from None
    _hide_secrets(config, environ)
    return config


def find(path: Path | str | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read, or None where there is none; a file that was asked for by name must exist."""
    asked = path or environ.get("HOB_CONFIG")
    if asked:
        named = Path(asked).expanduser()
        if not named.is_file():
            raise ConfigError(f"there is no configuration at {named}", "correct HOB_CONFIG or make the file")
        return named
    data_dir = environ.get("HOB_HOB__DATA_DIR") or str(Config().hob.data_dir)
    places = (Path("hob.toml"), Path(data_dir).expanduser() / "hob.toml")
    return next((place for place in places if place.is_file()), None)


def _read(source: Path) -> str:
    try:
        with source.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as wrong:
        raise ConfigError(f"{source} cannot be read: {wrong.strerror}", "let this user read it") from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{source} is over {MAX_BYTES // 1024} KB", "it is hardly a hob.toml: shorten it")
    try:
        return raw.decode()
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise ConfigError(f"{source} line {line}: not UTF-8", "save it as UTF-8") from None


def _parse(text: str, source: Path | None) -> ConfigTree:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply", "hob.toml has tables and lists, no more") from None
    except ValueError as wrong:  # TOMLDecodeError, and int() on thousands of digits
        said = str(wrong).replace("at end of document", f"at line {text.count(chr(10)) + 1}, the end")
        raise ConfigError(f"{source}: not TOML: {said}", "correct that line") from None


def from_environment(environ: Mapping[str, str]) -> ConfigTree:
    """The keys that variables set, as a tree like the file's; ConfigError for one that names no key."""
    tree: ConfigTree = {}
    for name, value in sorted(environ.items()):
        if not name.startswith("HOB_"):
            continue
        if name == "HOB_HOSTS":
            tree["hosts"] = _json(name, value)
        elif name == "HOB_HANDLERS":
            tree.setdefault("hob", {})["handlers"] = value
        elif "__" in name:
            section, key = complaints.known_key(name)
            tree.setdefault(section, {})[key] = _typed(section, key, value, name)
        else:
            complaints.refuse_near_miss(name)
    return tree


def _typed(section: str, key: str, value: str, name: str) -> object:
    """A variable's text as it would stand in TOML; what does not convert is left for validation to name."""
    default = getattr(getattr(Config(), section), key)
    if isinstance(default, dict) or (value.startswith("[") and isinstance(default, tuple)):
        return _json(name, value)
    if key == "webhook_secret":  # one secret, which may hold a comma
        return value
    if isinstance(default, tuple):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(default, bool):
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
            value.lower(), value
        )
    if isinstance(default, int | float):
        return _number(value, type(default))
    return value


def _number(value: str, kind: type[int] | type[float]) -> object:
    try:
        return kind(value)
    except ValueError:
        return value


def _json(name: str, value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ConfigError(f"environment: {name} is not JSON", 'write it like [{"name": "mini", …}]') from None


def _merge(tree: ConfigTree, over: ConfigTree) -> ConfigTree:
    merged = dict(tree)
    for section, keys in over.items():
        below = tree.get(section)
        merged[section] = {**below, **keys} if isinstance(below, dict) and isinstance(keys, dict) else keys
    return merged


def _hide_proxy(url: str) -> None:
    """Its password, and the pair as it is shown to the proxy."""
    if found := PASSWORD.search(url):
        hide(found[1])
        hide(unquote(found[1]))
        hide(unquote(url.partition("://")[2].rpartition("@")[0]))


def _hide_secrets(config: Config, environ: Mapping[str, str]) -> None:
    for secret in config.github.webhook_secret:
        hide(secret)
    for url in (config.store.database_url, config.queue.redis_url):
        if found := PASSWORD.search(url):
            hide(found[1])
            hide(unquote(found[1]))
    for url in (config.network.proxy, *(environ.get(name, "") for name in PROXIES)):
        _hide_proxy(url)
    for host in config.hosts:
        hide(environ.get(host.api_key_env, "") if host.api_key_env else "")
