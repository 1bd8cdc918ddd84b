"""A caller with nothing of Hob's own client in it: plain HTTP, an App's JWT, an installation token."""

import base64
import http.client
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.testing.github import GitHubStandIn


@dataclass
class Reply:
    """`json` None without a body; header names in lower case."""

    status: int
    json: Any
    headers: dict[str, str] = field(default_factory=dict)


def jwt(gh: GitHubStandIn, *, issued: float = -60, expires: float = 540, key: str = "") -> str:
    """An App's JWT; times in seconds from now."""
    pem = load_pem_private_key((key or gh.private_key).encode(), None)
    assert isinstance(pem, RSAPrivateKey)
    now, app = int(time.time()), gh.app
    claims = {"iat": now + int(issued), "exp": now + int(expires), "iss": str(app.id if app else 0)}
    head = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = pem.sign(head.encode(), PKCS1v15(), SHA256())
    return f"{head}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class Caller:
    """Calls with one credential."""

    def __init__(self, gh: GitHubStandIn, credential: str) -> None:
        self.gh, self.credential = gh, credential

    def __call__(self, method: str, path: str, body: Any = None, *, url: str = "", **headers: str) -> Reply:
        parts = urlsplit(url or self.gh.api_url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        sent = {
            "Authorization": f"Bearer {self.credential}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, parts.path + path, body=data, headers=sent)
            answer = connection.getresponse()
            text = answer.read()
            is_json = "json" in (answer.getheader("Content-Type") or "") and "raw" not in sent.get(
                "Accept", ""
            )
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, json.loads(text) if text and is_json else text.decode() or None, told)
        finally:
            connection.close()


def with_jwt(gh: GitHubStandIn, **claims: Any) -> Caller:
    return Caller(gh, jwt(gh, **claims))


def with_token(gh: GitHubStandIn, repo_id: int = 0, **permissions: str) -> Caller:
    """A token asked for as a client does; all permissions and repositories unless named."""
    installation = next(iter(gh.installations))
    asked: dict[str, Any] = {"permissions": permissions} if permissions else {}
    if repo_id:
        asked["repository_ids"] = [repo_id]
    reply = with_jwt(gh)("POST", f"/app/installations/{installation}/access_tokens", asked or None)
    assert reply.status == 201, reply
    return Caller(gh, reply.json["token"])
