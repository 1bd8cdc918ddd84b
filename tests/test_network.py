"""Behind a proxy that asks for a password, and among hosts whose certificates a private authority gave."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot import http, log
from bot.config import load_config
from bot.core.errors import ConfigError, TemporaryError
from bot.core.hosts import Host
from bot.core.network import DIRECT, Network
from bot.github.client import GitHub
from bot.http import CheckedTransport, ConnectError, Request
from bot.inference.runners import HostDown
from bot.inference.runners.ollama import OllamaRunner
from bot.inference.runners.registry import make_runner
from bot.knowledge import fetching
from bot.testing.github import GitHubStandIn
from bot.web.ready import connects
from tests.cli.conftest import Hob, hob
from tests.fakes.github import contract, github
from tests.fakes.models import FakeOllama
from tests.fakes.openai import FakeOpenAI
from tests.fakes.proxy import PASSWORD, USERINFO, ProxyStandIn, authority, over_tls

__all__ = ["contract", "github", "hob"]
NAMES = ("github.test", "ollama.test", "openai.test")


@dataclass
class Site:
    """A network whose only way out is the proxy."""

    proxy: ProxyStandIn
    way: Network
    ollama: FakeOllama


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return authority(tmp_path_factory.mktemp("authority"), *NAMES)


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


@pytest.fixture
def site(github: GitHubStandIn, certificates: tuple[Path, Path]) -> Iterator[Site]:
    trusted, shown = certificates
    with ExitStack() as stack:
        ollama, openai = stack.enter_context(FakeOllama()), stack.enter_context(FakeOpenAI())
        places = zip(NAMES, (github.api_url, ollama.url, openai.url), strict=True)
        names = {name: stack.enter_context(over_tls(shown, port_of(url))) for name, url in places}
        proxy = stack.enter_context(ProxyStandIn(names))
        yield Site(proxy, Network(proxy.url, ca_file=str(trusted)), ollama)


def app_on(github: GitHubStandIn, way: Network, url: str = "https://github.test") -> GitHub:
    app = github.app or github.install_app("octo", slug="my-hob").app
    return GitHub(url, app.id, github.private_key, slug="my-hob", network=way)


async def test_github_is_reached_through_the_proxy_and_its_private_authority(
    github: GitHubStandIn, site: Site
) -> None:
    github.install_app("octo", slug="my-hob")
    async with app_on(github, site.way) as hob:
        assert (await hob.app().get("/app"))["slug"] == "my-hob"
        repo = github.repository("octo/tea")
        assert (await hob.find_repository("octo/tea")).id == repo.id
    assert set(site.proxy.seen) == {"CONNECT github.test"}


@pytest.mark.parametrize(
    ("kind", "url"), [("ollama", "https://ollama.test"), ("openai", "https://openai.test")]
)
async def test_model_hosts_are_reached_through_it(site: Site, kind: str, url: str) -> None:
    runner = make_runner(Host("far", kind, url, online=True, network=site.way))
    try:
        assert [model.name for model in await runner.models()] == ["qwen2.5-coder:14b"]
    finally:
        await runner.aclose()
    assert set(site.proxy.seen) == {f"CONNECT {urlsplit(url).hostname}"}


async def test_this_machine_is_never_reached_through_it(github: GitHubStandIn, site: Site) -> None:
    github.install_app("octo", slug="my-hob")
    async with app_on(github, site.way, github.api_url) as hob:
        await hob.app().get("/app")
    runner = OllamaRunner(Host("mini", "ollama", site.ollama.url, network=site.way))
    await runner.models()
    await runner.aclose()
    assert site.proxy.seen == []
    assert site.proxy.refused == 0


async def test_what_no_proxy_names_is_reached_directly(github: GitHubStandIn, site: Site) -> None:
    github.install_app("octo", slug="my-hob")
    async with app_on(github, replace(site.way, no_proxy=("test",))) as hob:
        with pytest.raises(TemporaryError, match=r"cannot reach github\.test"):
            await hob.app().get("/app")
    assert site.proxy.seen == []


async def test_an_unknown_authority_is_an_error_that_says_what_to_set(
    github: GitHubStandIn, site: Site
) -> None:
    github.install_app("octo", slug="my-hob")
    way = replace(site.way, ca_file="")
    async with app_on(github, way) as hob:
        with pytest.raises(TemporaryError, match=r"network\.ca_file"):
            await hob.app().get("/app")
    runner = OllamaRunner(Host("far", "ollama", "https://ollama.test", online=True, network=way))
    with pytest.raises(HostDown, match=r"network\.ca_file"):
        await runner.models()
    await runner.aclose()


WAYS = {
    "wrong password": (lambda site: f"http://hob:cold@127.0.0.1:{site.proxy.port}", "407"),
    "no password": (lambda site: f"http://127.0.0.1:{site.proxy.port}", "407"),
    "nobody there": (lambda _: f"http://{USERINFO}@127.0.0.1:9", "connection"),
    "no such proxy": (lambda _: f"http://{USERINFO}@proxy.invalid:3128", "through the proxy"),
}


@pytest.mark.parametrize("how", WAYS)
async def test_X1_a_proxy_that_lets_nobody_through_is_named_without_its_password(
    github: GitHubStandIn, site: Site, how: str
) -> None:
    """Nothing was sent, so it is tried again as after any failure of the network."""
    github.install_app("octo", slug="my-hob")
    made, why = WAYS[how]
    way = replace(site.way, proxy=made(site))
    for name, ask in (("GitHub", _asks_github), ("a host", _asks_host)):
        with pytest.raises((TemporaryError, HostDown)) as wrong:
            await ask(github, way)
        said = str(wrong.value)
        assert "the proxy http://" in said and why in said, (name, said)
        assert "tea" not in said and "cold" not in said and USERINFO not in said
    assert github.requests == []


async def _asks_github(github: GitHubStandIn, way: Network) -> None:
    async with app_on(github, way) as hob:
        await hob.app().get("/app")


async def _asks_host(_: GitHubStandIn, way: Network) -> None:
    runner = OllamaRunner(Host("far", "ollama", "https://ollama.test", online=True, network=way))
    try:
        await runner.models()
    finally:
        await runner.aclose()


def told(*addresses: str) -> http.Resolve:
    async def resolve(name: str, port: int) -> list[str]:
        if not addresses:
            raise OSError("no such name")
        return list(addresses)

    return resolve


REFUSED = [
    (True, ("10.0.0.8",), "inside the network"),
    (True, ("93.184.216.34", "10.0.0.8"), "inside the network"),  # the proxy would choose
    (True, ("169.254.169.254",), "metadata"),
    (False, ("169.254.169.254",), "metadata"),
    (False, ("93.184.216.34",), "outside the network"),
    (False, (), "no_proxy"),
]


@pytest.mark.parametrize(("online", "addresses", "why"), REFUSED)
async def test_N1_no_address_is_asked_of_the_proxy_that_the_host_may_not_have(
    site: Site, online: bool, addresses: tuple[str, ...], why: str
) -> None:
    checked = CheckedTransport(online=online, network=site.way, resolve=told(*addresses))
    with pytest.raises(ConnectError, match=why):
        await checked.handle_async_request(Request("GET", "https://ollama.test/"))
    await checked.aclose()
    assert site.proxy.seen == [] and site.proxy.refused == 0


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "0.0.0.0"]
)
async def test_N1_no_address_of_metadata_is_asked_of_the_proxy(site: Site, address: str) -> None:
    checked = CheckedTransport(online=True, network=site.way)
    with pytest.raises(ConnectError, match="metadata"):
        await checked.handle_async_request(Request("GET", f"https://{address}/"))
    await checked.aclose()
    assert site.proxy.seen == []


def test_git_fetches_through_it(github: GitHubStandIn, site: Site, tmp_path: Path) -> None:
    installed = github.install_app("octo", slug="my-hob")
    repo = github.repository("octo/tea", files={"tea.py": "x = 1\n"})
    file = tmp_path / "certificates.pem"
    file.write_text(http.bundle(site.way.ca_file))
    assert file.read_text().count("BEGIN CERTIFICATE") > 50
    path = urlsplit(github.git_url).path
    url = f"https://github.test{path}/octo/tea.git"
    way = replace(site.way, bundle=str(file))
    assert installed and repo
    environ = fetching.environment(own=True) | fetching.remote(url, "Basic x", way)
    for variable in ("HTTPS_PROXY", "https_proxy"):
        environ[variable] = "http://127.0.0.1:9"
    command = fetching.command("ls-remote", "origin")
    ran = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert "CONNECT github.test" in site.proxy.seen, ran.stderr
    assert "certificate" not in ran.stderr.lower()
    assert PASSWORD not in " ".join(command) and USERINFO not in " ".join(command)
    direct = fetching.remote("http://127.0.0.1:9/x", "Basic x", way)
    assert "" in [direct[name] for name in direct if name.startswith("GIT_CONFIG_VALUE")]


PROXIED = [
    ("api.github.com", True), ("192.168.1.20", True), ("github.corp", True),
    ("localhost", False), ("LOCALHOST.", False), ("a.localhost", False), ("127.0.0.1", False),
    ("127.8.8.8", False),
    ("::1", False), ("[::1]", False), ("::ffff:127.0.0.1", False),
    ("ghes.example", False), ("sub.ghes.example", False), ("GHES.example.", False), ("notghes.example", True),
    ("wild.example", False), ("a.wild.example", False), ("dot.example", False), ("a.dot.example", False),
    ("10.1.2.3", False), ("11.1.2.3", True), ("10.evil.com", True), ("fd00::8", False), ("fe00::8", True),
    ("", True), ("*", True), ("example", True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "through"), PROXIED)
def test_which_hosts_go_through_the_proxy(name: str, through: bool) -> None:
    but = ("ghes.example", "*.wild.example", ".dot.example", "10.0.0.0/8", "fd00::/16", "", "not a name")
    assert Network("http://proxy:3128", but).proxied(name) is through
    assert not Network("http://proxy:3128", ("*",)).proxied(name)
    assert not DIRECT.proxied(name)


def loaded(folder: Path, lines: str, **environ: str) -> Network:
    (folder / "hob.toml").write_text(f"[network]\n{lines}\n")
    return load_config(folder / "hob.toml", environ).pool_hosts()[0].network


def test_X1_the_password_of_a_proxy_is_in_no_log_line(tmp_path: Path) -> None:
    way = loaded(
        tmp_path, f'proxy = "http://{USERINFO}@proxy.example:3128"', HTTPS_PROXY="http://u:other-one@p:1"
    )
    assert way.proxy_name == "http://proxy.example:3128"
    shown = log.redact(f"{way.proxy} {PASSWORD} other-one Basic aG9iOnRlYSBmb3IvdHdvQA==")
    assert "tea" not in shown and "other-one" not in shown and "aG9iOnRlYSBmb3IvdHdvQA" not in shown
    assert "tea" not in repr(way) and "tea" not in repr(Host("a", "ollama", "", network=way))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ('proxy = "socks5://u:pass@proxy:1080"', "an address like http://"),
        ('proxy = "proxy:3128"', "an address like http://"),
        ('proxy = "http://u:pass@proxy/path"', "an address like http://"),
        ('proxi = "http://proxy:3128"', "proxy"),
        ("no_proxy = 3", "no_proxy"),
    ],
)
def test_a_mistake_in_it_is_named(tmp_path: Path, lines: str, why: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        loaded(tmp_path, lines)
    assert "pass" not in str(wrong.value)
    assert why in f"{wrong.value} {wrong.value.hint}"


@pytest.mark.parametrize("content", ["", "nonsense", None])
def test_a_file_without_a_certificate_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    way = loaded(tmp_path, 'ca_file = "ca.pem"')
    assert way.ca_file == str(file)
    with pytest.raises(ConfigError, match=r"network\.ca_file: .*ca\.pem"):
        http.certificates(True, way.ca_file)


async def test_a_receiver_behind_it_is_ready(site: Site) -> None:
    assert "through" in await connects("https://api.github.invalid", site.way)
    with pytest.raises(OSError, match="Connect call failed"):
        await connects("https://api.github.invalid", replace(site.way, proxy="http://127.0.0.1:9"))


def lines_of(hob: Hob) -> Any:
    told = json.loads(hob.run("doctor", "--json").stdout)["checks"]
    return {each["check"]: each for each in told}


def test_doctor_names_the_proxy_that_is_down_and_looks_at_nothing_behind_it(hob: Hob) -> None:
    source = hob.folder / "hob.toml"
    source.write_text(source.read_text() + f'[network]\nproxy = "http://{USERINFO}@127.0.0.1:9"\n')
    lines = lines_of(hob)
    assert not lines["proxy"]["ok"] and "http://127.0.0.1:9 cannot be reached" in lines["proxy"]["detail"]
    assert "so these were not looked at: GitHub" in lines["proxy"]["detail"]
    assert "GitHub" not in lines and lines["certificates"]["ok"]


def test_doctor_says_whose_certificates_are_believed(
    hob: Hob, site: Site, certificates: tuple[Path, Path]
) -> None:
    source = hob.folder / "hob.toml"
    more = f'[network]\nproxy = "{site.proxy.url}"\nca_file = "{certificates[0]}"\nno_proxy = ["corp"]\n'
    source.write_text(source.read_text() + more)
    lines = lines_of(hob)
    answers = f"http://127.0.0.1:{site.proxy.port} answers; directly: this machine, corp"
    assert answers in lines["proxy"]["detail"]
    assert str(certificates[0]) in lines["certificates"]["detail"]
    assert "tea" not in json.dumps(lines)
    assert os.environ.get("HTTPS_PROXY") or "GitHub" in lines
