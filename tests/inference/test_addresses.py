"""N1: where a connection to a model host may lead."""

import asyncio

import pytest

from bot.core.addresses import refusal
from bot.core.errors import ConfigError
from bot.core.hosts import Host
from bot.http import AsyncClient, CheckedTransport, ConnectError, Timeout
from bot.inference.runners import HostDown
from bot.inference.runners.registry import make_runner
from tests.fakes import acts
from tests.fakes.models import FakeOllama
from tests.inference.answers import GOOD

METADATA = [
    "64:ff9b:1:a9fe:a9:fe00::",  # after 48 bits, 56 and 64
    "64:ff9b:1:a9:fe:a9fe::",
    "64:ff9b:1:0:a9:fea9:fe00:0",
    "169.254.169.254",
    "169.254.170.2",
    "fd00:ec2::254",
    "fe80::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b:1::a9fe:a9fe",
    "64:ff9b:1:a9fe:a9:fe00::",
    "fd00::5efe:169.254.169.254",
    "2001:0:a9fe:a9fe::",
    "2001:0:808:808:0:0:5601:5601",
    "100.100.100.200",
    "168.63.129.16",
    "0.0.0.0",
    "::",
    "224.0.0.1",
]


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize("online", [True, False])
def test_N1_a_metadata_address_is_no_model_host(address: str, online: bool) -> None:
    assert "metadata" in refusal(address, online, literal=True)
    assert "metadata" in refusal(address, online, literal=False)


@pytest.mark.parametrize(
    ("address", "online", "refused"),
    [
        ("127.0.0.1", False, ""),
        ("192.168.1.5", False, ""),
        ("100.64.3.4", False, ""),
        ("fd12:3456::1", False, ""),
        ("8.8.8.8", False, "outside the network"),
        ("2606:4700::1111", False, "outside the network"),
        ("8.8.8.8", True, ""),
        ("10.0.0.1", True, "inside the network"),
        ("fec0::1", True, "inside the network"),
        ("fec0::1", False, ""),
        ("64:ff9b:1::10.0.0.1", True, "inside the network"),
        ("64:ff9b:1::10.0.0.1", False, ""),
        ("127.0.0.1", True, "inside the network"),
        ("::ffff:10.0.0.1", True, "inside the network"),
        ("::10.0.0.1", True, "inside the network"),
        ("64:ff9b::a00:1", True, "inside the network"),
        ("::1", False, ""),
    ],
)
def test_N1_a_name_leads_where_its_host_is_declared_to_be(address: str, online: bool, refused: str) -> None:
    assert refused in refusal(address, online, literal=False)
    assert bool(refusal(address, online, literal=False)) is bool(refused)
    assert refusal(address, online, literal=True) == ""


@pytest.mark.parametrize("url", ["http://169.254.169.254", "http://[fd00:ec2::254]:80", "http://2852039166"])
async def test_N1_a_host_at_a_metadata_address_is_down(url: str) -> None:
    runner = make_runner(Host("mini", "ollama", url))
    with pytest.raises(HostDown):
        await asyncio.wait_for(runner.models(), 20)
    await runner.aclose()


@pytest.mark.parametrize("kind", ["ollama", "openai"])
@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1", "gopher://127.0.0.1", "127.0.0.1:11434"]
)
def test_N1_only_http_is_spoken(kind: str, url: str) -> None:
    with pytest.raises(ConfigError, match="is no http:// or https:// address"):
        make_runner(Host("mini", kind, url))  # type: ignore[arg-type]


async def test_N1_a_redirect_to_a_metadata_address_is_not_followed(ollama: FakeOllama) -> None:
    ollama.says(acts.redirect("http://169.254.169.254/latest/meta-data/"))
    async with AsyncClient(transport=CheckedTransport(online=False), follow_redirects=True) as client:
        with pytest.raises(ConnectError, match="metadata"):
            await client.post(
                f"{ollama.url}/api/chat", json={"model": next(iter(ollama.models)), "messages": []}
            )


async def test_N1_a_name_is_resolved_once_and_that_address_is_connected_to(ollama: FakeOllama) -> None:
    """A name that answers with a harmless address first and with another one afterwards."""
    port = int(ollama.url.rpartition(":")[2])
    answers = [["127.0.0.1"], ["169.254.169.254"], ["169.254.169.254", "127.0.0.1"], []]
    asked = []

    async def rebinding(name: str, _port: int) -> list[str]:
        asked.append(name)
        return answers.pop(0)

    ollama.says(GOOD)
    transport = CheckedTransport(online=False, resolve=rebinding)
    async with AsyncClient(
        transport=transport, timeout=Timeout(5.0), headers={"connection": "close"}
    ) as client:
        url = f"http://rebinding.example:{port}/api/version"
        assert (await client.get(url)).status_code == 200
        assert len(asked) == 1
        with pytest.raises(ConnectError, match="metadata"):
            await client.get(url)
        assert (await client.get(url)).status_code == 200, "the harmless one of two"
        with pytest.raises(ConnectError, match="leads nowhere"):
            await client.get(url)
    assert [request.headers["host"] for request in ollama.requests] == [f"rebinding.example:{port}"] * 2


@pytest.mark.parametrize(("online", "address"), [(True, "127.0.0.1"), (False, "8.8.8.8")])
async def test_N1_a_name_that_leads_to_the_wrong_side_is_refused(
    ollama: FakeOllama, online: bool, address: str
) -> None:
    async def resolve(_name: str, _port: int) -> list[str]:
        return [address]

    async with AsyncClient(transport=CheckedTransport(online=online, resolve=resolve)) as client:
        with pytest.raises(ConnectError, match="its name leads to"):
            await client.get(f"http://host.example:{ollama.url.rpartition(':')[2]}/")
    assert ollama.requests == []
