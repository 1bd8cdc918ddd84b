"""The address of a model host as people paste it."""

import ipaddress
import os
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

_QUOTES = " \t\r\n\"'`<>"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,20}://", re.IGNORECASE)
_OPENAI = ("/chat/completions", "/completions", "/embeddings", "/models", "/responses")
_OLLAMA = ("/api/chat", "/api/generate", "/api/tags", "/api/embed", "/api/show", "/api/version")
_OWN = ("local", "lan", "home", "internal", "localdomain", "localhost", "test")
"""Ends of names inside a network."""
OLLAMA = "http://127.0.0.1:11434"


def local_ollama(environ: Mapping[str, str] = os.environ) -> str:
    """Where Ollama is when nobody has told Hob: where its own variable says, in its own words (`mini:11500`,
    `:11500`, `https://mini`), as long as that is inside the network: no code leaves it because of a variable.
    https://docs.ollama.com/faq"""
    scheme, _, said = environ.get("OLLAMA_HOST", "").strip(_QUOTES).rpartition("://")
    try:
        parts = parts_of(f"//{said}")
    except ValueError:
        return OLLAMA
    name = parts.hostname or "127.0.0.1"
    if name in ("0.0.0.0", "::"):  # noqa: S104  where it listens is not where it is called
        name = "127.0.0.1"
    if scheme not in ("", "http", "https") or not _inside(name):
        return OLLAMA
    port = parts.port or {"http": 80, "https": 443}.get(scheme, 11434)
    return f"{scheme or 'http'}://{f'[{name}]' if ':' in name else name}:{port}"


def _inside(name: str) -> bool:
    """Whether a name or an address is of a network of one's own."""
    try:
        return not ipaddress.ip_address(name).is_global
    except ValueError:
        return "." not in name or name.rpartition(".")[2] in _OWN


def parts_of(value: str) -> SplitResult:
    """The parts of an address; ValueError in our words where its host or port cannot be read."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # which is read only now
    except ValueError:
        raise ValueError("an address whose port is a number up to 65535, and whose [ ] hold IPv6") from None
    return parts


def http_url(value: str) -> str:
    """An address without a slash at its end; ValueError where it is not one of http."""
    if not value:
        return value
    parts = parts_of(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address that starts with http:// or https://")
    if parts.username or parts.password:
        raise ValueError("an address without a name or password in it")
    return value.rstrip("/")


def host_url(value: str, kind: str) -> str:
    """The address under which a host of a kind has its routes: without a route, and with a scheme where
    none was given. ValueError says what an address is."""
    value = value.strip(_QUOTES)
    if not value:
        return value
    if not _SCHEME.match(value):
        value = f"{_scheme(value.lstrip('/'))}://{value.lstrip('/')}"
    parts = parts_of(http_url(value))
    if parts.query or parts.fragment or any(mark in value for mark in " \t\r\n\\"):
        raise ValueError("an address such as http://192.168.1.20:11434, without ?, # or blanks")
    path = re.sub("/{2,}", "/", parts.path).rstrip("/")
    return f"{parts.scheme.lower()}://{parts.netloc}{_base(path, kind)}"


def _base(path: str, kind: str) -> str:
    """The path without the routes that a kind puts behind it itself."""
    if kind == "openai":
        return _without(_without(path, *_OPENAI), *_OLLAMA)
    if kind == "anthropic":
        return _without(_without(path, "/messages", "/models"), "/v1")
    if kind == "ollama":
        return _without(_without(_without(path, *_OLLAMA), *_OPENAI), "/v1", "/api")
    return path


def _without(path: str, *ends: str) -> str:
    end = next((each for each in ends if path.lower().endswith(each)), "")
    return path[: len(path) - len(end)].rstrip("/")


def _scheme(value: str) -> str:
    """https for a name of the internet without a port: a key may be sent there. What is inside a network
    speaks plainly."""
    parts = parts_of(f"//{value}")
    name = parts.hostname or ""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        inside = "." not in name or name.rpartition(".")[2] in _OWN
    else:
        inside = True
    return "http" if inside or parts.port not in (None, 443) else "https"
