"""`hob hosts` as a person runs it."""

import json

from tests.cli.conftest import Hob
from tests.fakes.models import FakeModel, FakeOllama


def configured(hob: Hob, *hosts: tuple[str, str]) -> None:
    tables = [f'[[hosts]]\nname = "{name}"\nkind = "ollama"\nurl = "{url}"\n' for name, url in hosts]
    with (hob.folder / "hob.toml").open("a") as file:
        file.write("\n" + "\n".join(tables))
        file.write(
            '[[hosts]]\nname = "cloud"\nkind = "openai"\nurl = "https://api.example.com/v1"\nonline = true\n'
        )


def test_the_pool_is_shown_with_what_each_host_has(hob: Hob) -> None:
    with FakeOllama(models={"qwen2.5-coder:14b": FakeModel()}) as ollama:
        configured(hob, ("mini", ollama.url), ("gone", "http://127.0.0.1:9"))
        told = hob.run("hosts", "--json")
        assert told.returncode == 0
        assert told.stderr == ""
        mini, gone, cloud = json.loads(told.stdout)["hosts"]
        assert (mini["name"], mini["up"], mini["in_flight"]) == ("mini", True, 0)
        assert mini["models"] == [{"name": "qwen2.5-coder:14b", "context_length": 32768, "loaded": False}]
        assert (gone["up"], gone["error"]) == (False, "connection refused")
        assert (cloud["up"], cloud["error"]) == (False, "it is online, and [privacy] online is never")
        shown = hob.run("hosts").stdout
    assert "qwen2.5-coder:14b (32,768)" in shown
    assert "connection refused" in shown


def test_a_host_pulls_a_model_and_says_how_far_it_is(hob: Hob) -> None:
    with FakeOllama() as ollama:
        configured(hob, ("mini", ollama.url))
        told = hob.run("hosts", "pull", "qwen2.5:7b", "--host", "mini")
        assert (told.returncode, told.stdout) == (0, "mini has qwen2.5:7b\n"), told.stderr
        assert "qwen2.5:7b on mini: " in told.stderr
        assert "\x1b" not in told.stderr
    for host, sentence in (("nobody", "there is no host nobody"), ("cloud", "only Ollama hosts pull models")):
        told = hob.run("hosts", "pull", "qwen2.5:7b", "--host", host)
        assert (told.returncode, told.stdout) == (1, "")
        assert sentence in told.stderr


def test_hosts_are_looked_for_only_where_it_was_asked(hob: Hob) -> None:
    with FakeOllama(models={"qwen2.5:7b": FakeModel()}) as ollama:
        port = ollama.url.rpartition(":")[2]
        told = hob.run("hosts", "discover", "--network", "127.0.0.0/29", "--port", port, "--json")
        found = json.loads(told.stdout)["hosts"]
        assert found == [{"name": "ollama-127-0-0-1", "url": ollama.url, "models": ["qwen2.5:7b"]}]
        shown = hob.run("hosts", "discover", "--port", port).stdout
        assert shown.startswith('[[hosts]]\nname = "ollama-127-0-0-1"\nkind = "ollama"\n')
    for network in ("8.8.8.0/24", "10.0.0.0/8", "nonsense"):
        told = hob.run("hosts", "discover", "--network", network)
        assert told.returncode == 1
        assert network in told.stderr
