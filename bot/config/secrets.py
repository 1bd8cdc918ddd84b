"""The secrets that the configuration names: read when they are needed, and hidden from every log line."""

import contextlib
import os
from pathlib import Path

from bot.config.models import Config
from bot.core.errors import ConfigError
from bot.log import hide
from bot.paths import make_private

MAX_BYTES = 64 * 1024


def webhook_secrets(config: Config) -> tuple[bytes, ...]:
    """The secrets that a signature may be made with, several while rotating; ConfigError for an empty one."""
    secrets_ = list(config.github.webhook_secret)
    if config.github.webhook_secret_file is not None:
        lines = _text(config.github.webhook_secret_file, "webhook_secret_file").splitlines()
        secrets_ += [line.strip() for line in lines if line.strip()]
    if not secrets_ and config.source is None and not config.github.app_id:
        hint = "run `hob setup`, or name the hob.toml that you have by HOB_CONFIG (docs/setup.md)"
        raise ConfigError("no hob.toml was found, and no App is set up here", hint)
    if not secrets_ or any(not secret.strip() for secret in secrets_):
        raise ConfigError(
            "github.webhook_secret is empty: Hob does not start without a webhook secret",
            "make one with `openssl rand -hex 32`, and give it to the GitHub App too "
            '(intake.mode = "poll" needs none)',
        )
    for secret in secrets_:
        hide(secret)
    return tuple(secret.encode() for secret in secrets_)


def require_receiver(config: Config) -> tuple[bytes, ...]:
    """What a receiver cannot start without: a webhook secret. None where nothing is received."""
    return webhook_secrets(config) if config.intake.receives else ()


def private_key(config: Config) -> str:
    """The App's private key (PEM). ConfigError where it is missing or where others can read it."""
    path = config.github.private_key_file
    if path is None:
        raise ConfigError(
            "github.private_key_file is not set",
            "run `hob setup`, or name the App's .pem in hob.toml (docs/setup.md)",
        )
    check_private(path, "github.private_key_file")
    pem = _text(path, "private_key_file")
    if "PRIVATE KEY-----" not in pem or "-----END" not in pem:
        raise ConfigError(f"{path} holds no private key", "download the App's .pem from GitHub again")
    hide(pem.strip())
    for line in pem.splitlines():
        if len(line) > 30 and "-----" not in line:
            hide(line)
    return pem


def check_private(path: Path, key: str) -> None:
    """ConfigError unless `path` is a file that nobody but its owner can read."""
    try:
        mode = path.stat().st_mode
    except OSError as wrong:
        raise ConfigError(
            f"{key}: {path}: {wrong.strerror}", f"correct {key} or put the file there"
        ) from None
    if mode & 0o077:
        raise ConfigError(
            f"{key}: {path} can be read by others (mode {mode & 0o777:04o})", f"chmod 600 {path}"
        )


def api_token(config: Config) -> str:
    """The bearer token of the HTTP API and the dashboard's login: the first where there are several."""
    return api_tokens(config)[0]


def api_tokens(config: Config) -> tuple[str, ...]:
    """All that are taken, one a line, several while rotating; made (0600) when their file is not there."""
    path = config.api.token_file
    if not path.exists():
        _make_token(path)
    check_private(path, "api.token_file")
    tokens = tuple(_text(path, "token_file").split())
    if not tokens or any(len(token) < 16 for token in tokens):
        raise ConfigError(f"api.token_file: {path} is empty or short", "remove it: a new one is made")
    for token in tokens:
        hide(token)
    return tokens


def _make_token(path: Path) -> None:
    """Written whole under another name, then linked: two processes that start together share one token."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        make_private(path.parent)
        fresh.touch(mode=0o600)
        from secrets import token_urlsafe

        fresh.write_text(token_urlsafe(32) + "\n")
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    except OSError as wrong:
        raise ConfigError(f"api.token_file: {path}: {wrong.strerror}", "let this user write there") from None


def _text(path: Path, key: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode()
    except OSError as wrong:
        raise ConfigError(
            f"{key}: {path}: {wrong.strerror}", f"correct {key} or put the file there"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: {path} is not text", "put the right file there") from None
