"""RS256 for the App's JWT, in a module of its own because its library is heavy."""

from functools import lru_cache

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.core.errors import ConfigError


def sign(claims: dict[str, object], private_key: str) -> str:
    """The signed token; `ConfigError` when the key (PEM) is none."""
    return jwt.encode(claims, _load(private_key), algorithm="RS256")


@lru_cache(maxsize=2)
def _load(private_key: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError(
            "the App's private key cannot be read: it is no unencrypted RSA key in PEM form",
            "download a new one from the App's settings page, under Private keys",
        )
    return key
