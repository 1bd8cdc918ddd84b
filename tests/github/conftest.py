"""Our client against the stateful stand-in: a repository, a pull request, a job on it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.core.refs import RepoRef
from bot.github.client import GitHub
from bot.github.idempotency_marker import IdempotencyMarker
from bot.http import AsyncBaseTransport, Request, Response
from bot.testing.github import GitHubStandIn as StandIn
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from tests.fakes.github import Contract, contract

__all__ = ["contract"]

KEY = "a1b2c3d4e5f60718"
MARKER = IdempotencyMarker(b"a server key of 32 bytes or more..", "hob", 4242)
TEXT = "".join(f"line {n}\n" for n in range(1, 41))


@pytest.fixture(scope="session")
def pem() -> str:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def gh(tmp_path: Path, pem: str, contract: Contract) -> Iterator[StandIn]:
    with StandIn(tmp_path / "github") as standin:
        standin.observers.append(contract)
        standin.install_app("octo", private_key=pem)
        yield standin


@pytest.fixture
def repository(gh: StandIn) -> Repository:
    return gh.repository("octo/tea", files={"tea.py": TEXT, "pot.py": TEXT})


@pytest.fixture
def pull(repository: Repository) -> PullRequest:
    changed = TEXT.replace("line 20\n", "line 20, hotter\n")
    return repository.open_pull_request("Brew hotter", {"tea.py": changed}, author="mona", body="Please.")


@pytest.fixture
def repo(gh: StandIn, repository: Repository) -> RepoRef:
    return ref(gh, repository)


def ref(gh: StandIn, repository: Repository) -> RepoRef:
    installation = gh.installation_of(repository)
    assert installation
    owner, name = repository.full_name.split("/")
    return RepoRef(owner, name, repository.id, installation.id, private=repository.private)


Reply = Callable[[Request], Any]


class Canned(AsyncBaseTransport):
    """A GitHub that mints tokens and answers all else with `reply`: for what the stand-in never says."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.requests: list[Request] = []

    async def handle_async_request(self, request: Request) -> Response:
        await request.aread()
        if request.url.path.endswith("/access_tokens"):
            return Response(201, json={"token": "ghs_canned_token", "expires_at": "2099-01-01T00:00:00Z"})
        if request.url.path == "/installation/token":
            return Response(204)
        self.requests.append(request)
        found = self.reply(request)
        return found if isinstance(found, Response) else Response(200, json=found)


Connect = Callable[..., GitHub]


@pytest.fixture
async def connect(gh: StandIn, pem: str) -> AsyncIterator[Connect]:
    """Makes clients of the stand-in; writes are not spaced unless asked for."""
    made: list[GitHub] = []

    def make(**options: Any) -> GitHub:
        wanted: dict[str, Any] = {"slug": "hob", "write_gap": 0.0, **options}
        url = wanted.pop("api_url", gh.api_url)
        made.append(GitHub(url, 4242, wanted.pop("private_key", pem), **wanted))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


@pytest.fixture
def github(connect: Connect) -> GitHub:
    return connect()
