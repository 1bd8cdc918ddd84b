"""Who calls, and whether they may: the App's JWT, installation tokens, permissions.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bot.testing.github.installations import Token
from bot.testing.github.state import State
from bot.testing.github.wire import RestCall, RestRefusal, RestRoute, not_found

LEVELS = ("none", "read", "write", "admin")
_NO_JWT = "A JSON web token could not be decoded"


def authenticate(call: RestCall, route: RestRoute) -> None:
    """Sets `call.token`; 401 for a bad credential, 403 and 404 for what it may not do."""
    if route.anyone:
        return
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "token") or not value:
        raise RestRefusal(401, "Requires authentication")
    if route.app:
        check_jwt(call.state, value)
        return
    call.token = known_token(call.state, value)
    if "owner" in call.params:
        _permit(call, call.token, route)


def bearer(call: RestCall) -> Token | None:
    """The token that a request shows, good or not."""
    return call.state.tokens.get(call.headers.get("authorization", "").partition(" ")[2])


def check_jwt(state: State, text: str) -> None:
    """401 unless it is the App's own, fresh, and not longer than ten minutes."""
    claims = _claims(state, text)
    now = state.now()
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or issued > now + 1:
        raise RestRefusal(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion "
            "was issued",
        )
    if not isinstance(expires, int) or expires <= now:
        raise RestRefusal(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at "
            "which the assertion expires",
        )
    if expires > now + 600 + 1:
        raise RestRefusal(401, "'Expiration time' claim ('exp') is too far in the future")
    if state.app is None or str(claims.get("iss")) not in (str(state.app.id), state.app.client_id):
        raise RestRefusal(401, "'Issuer' claim ('iss') must be an Integer")


def _claims(state: State, text: str) -> dict[str, Any]:
    """The claims of a JWT whose RS256 signature is right."""
    if state.app is None or state.app.public_key is None:
        raise RestRefusal(401, _NO_JWT)
    for public in (state.app.public_key, *state.app.more_public_keys):
        key = load_pem_public_key(public)
        assert isinstance(key, RSAPublicKey)
        try:
            header, claims, signature = text.split(".")
            if json.loads(_decoded(header)).get("alg") != "RS256":
                continue
            key.verify(_decoded(signature), f"{header}.{claims}".encode(), PKCS1v15(), SHA256())
            decoded = json.loads(_decoded(claims))
        except (ValueError, InvalidSignature):
            continue
        return decoded if isinstance(decoded, dict) else {}
    raise RestRefusal(401, _NO_JWT)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def known_token(state: State, value: str) -> Token:
    """The token, while it is good; `RestRefusal`."""
    token = state.tokens.get(value)
    now = state.now()
    if (
        token is None
        or token.revoked
        or token.expires_at <= now
        or token.installation.id not in state.installations
    ):
        raise RestRefusal(401, "Bad credentials")
    if now - token.created_at < state.young_token_seconds:
        raise RestRefusal(401, "Bad credentials")
    if token.installation.suspended_at:
        raise RestRefusal(403, "This installation has been suspended")
    return token


def allows(token: Token, need: str) -> bool:
    """Whether a token's permissions reach `name:level`; every token may read metadata."""
    name, _, level = need.partition(":")
    has = "read" if name == "metadata" else token.permissions.get(name, "none")
    return LEVELS.index(has) >= LEVELS.index(level)


def covers(state: State, token: Token, repository_id: int) -> bool:
    """Whether a repository is within a token's reach. Stricter than GitHub, where any token reads what is
    public: a bot that strays from its repository should see it here."""
    repo = next((one for one in state.repositories.values() if one.id == repository_id), None)
    if repo is None or not token.installation.covers(repo):
        return False
    return not token.repository_ids or repository_id in token.repository_ids


def _permit(call: RestCall, token: Token, route: RestRoute) -> None:
    repo = call.repo()
    if not covers(call.state, token, repo.id):
        raise not_found()
    needs = _needs(call, route)
    if needs and not any(allows(token, need) for need in needs):
        accepted = "; ".join(need.replace(":", "=") for need in needs)
        raise RestRefusal(
            403, "Resource not accessible by integration", X_Accepted_GitHub_Permissions=accepted
        )


def _needs(call: RestCall, route: RestRoute) -> tuple[str, ...]:
    """Under /issues the permission for pull requests serves pull requests only."""
    if "/issues/" not in route.path or "number" not in call.params:
        return route.needs
    subject = call.repo().issues.get(call.number("number"))
    if subject is None or subject.event == "pull_request":
        return route.needs
    return tuple(need for need in route.needs if not need.startswith("pull_requests"))
