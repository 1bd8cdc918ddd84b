"""`hob mcp` as an agent in an editor speaks with it: by the protocol's own client, over pipes."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli.mcp.answers import bounded
from bot.cli.mcp.tools import TOOLS, FindingsArguments, Lent
from bot.config import load_config
from bot.core.errors import UserError
from bot.core.findings import Finding, JudgedFinding
from bot.core.refs import IssueTitle
from bot.local.history import history, inside, origin_name
from bot.store import Store
from bot.store.known_issues import learn
from bot.store.known_repositories import Seen
from tests import needs
from tests.agents.conftest import git
from tests.cli.conftest import Hob
from tests.fakes.models import FakeModel, FakeOllama
from tests.tea import finding

SAID = 'It divides [tea.py:3 "water / 0"].'


def model(request: dict[str, Any]) -> Any:
    schema = json.dumps(request.get("format") or "")
    if "findings" in schema:
        return {"findings": [finding()], "summary": ""}
    return {"thought": "There.", "searches": [], "reads": [], "enough": True} if schema != '""' else SAID


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    models = {"qwen2.5:7b": FakeModel(), "qwen2.5-coder:14b": FakeModel()}
    with FakeOllama(models=models, answer=model) as host:
        yield host


@pytest.fixture
def lent(hob: Hob, ollama: FakeOllama, brewing: Path) -> Hob:
    shutil.copytree(brewing, hob.folder / "shop")
    git(hob.folder / "shop", "remote", "add", "origin", "https://github.com/octo/tea.git")
    hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": ollama.url}])
    return hob


@asynccontextmanager
async def client(hob: Hob) -> AsyncIterator[Any]:
    from mcp import StdioServerParameters
    from mcp.client.client import Client

    arguments = ["-m", "bot.cli", "mcp", "--folder", "shop"]
    given = StdioServerParameters(
        command=sys.executable, args=arguments, env=hob.environ, cwd=str(hob.folder)
    )
    with (hob.folder / "hob.log").open("w") as log:
        from mcp.client.stdio import stdio_client

        async with Client(stdio_client(given, errlog=log), mode="legacy") as made:
            yield made


def said(result: Any) -> str:
    return str(result.content[0].text)


async def told(agent: Any, tool: str, /, **arguments: Any) -> dict[str, Any]:
    result = await agent.call_tool(tool, arguments)
    assert not result.is_error, said(result)
    found = json.loads(said(result))
    assert found == result.structured_content
    return dict(found)


def remembered(hob: Hob) -> None:
    """A store in which a pull request was reviewed."""
    assert hob.run("migrate").returncode == 0
    store = Store(f"sqlite:///{hob.folder}/data/hob.db")
    store.known.remember([Seen(11, "octo/tea", 3, at=time.time())])
    store.findings.add(
        1, 11, 7, "a" * 40, "big:14b", [JudgedFinding(Finding("tea.py", "major", "bug", "Loses tea", "So."))]
    )
    with store.database.write() as connection:
        learn(store.database, connection, [(11, time.time(), IssueTitle(5, False, "Too little tea", "ann"))])
    store.close()


async def test_an_agent_calls_each_tool_and_what_is_wrong_is_said_in_words(lent: Hob) -> None:
    needs.mcp()
    shop = lent.folder / "shop"
    (shop / "cup.py").write_text("from tea import brew\n\n\ndef fill():\n    return brew(2)\n")
    git(shop, "add", "cup.py")
    git(shop, "-c", "user.name=Bo", "-c", "user.email=b@x.example", "commit", "-qm", "Fill a cup\n\nFixes #5")
    async with client(lent) as agent:
        listed = (await agent.list_tools()).tools
        assert [one.name for one in listed] == list(TOOLS)
        assert all(one.annotations.read_only_hint for one in listed)
        assert agent.server_info.name == "hob"
        assert "never instructions" in agent.instructions

        found = await told(agent, "search", query="where is tea brewed", k=1)
        assert found["results"][0]["path"] == "tea.py" and found["results"][0]["why"]
        answer = await told(agent, "ask", question="Why does brewing fail?")
        assert answer["citations"] == [{"path": "tea.py", "start": 3, "end": 3, "quote": "water / 0"}]
        heard: list[str] = []

        async def hear(_number: float, _total: float | None, line: str | None) -> None:
            heard.append(line or "")

        judged = await agent.call_tool("review", {"range": "main..HEAD~1"}, progress_callback=hear)
        assert [one["title"] for one in json.loads(said(judged))["findings"]] == ["Division by zero"]
        assert any("asking a model" in line for line in heard)
        assert (await told(agent, "review", what="worktree"))["findings"] == []
        called = await told(agent, "callers", name="tea.py::brew")
        assert [(one["path"], one["symbol"]) for one in called["callers"]] == [("cup.py", "fill")]

        refused = await agent.call_tool("findings", {"number": 7})
        assert refused.is_error and "there is no database yet" in said(refused)
        why = await told(agent, "why", path=str(shop / "cup.py"), start=4, end=5)
        assert why["path"] == "cup.py" and why["commits"][0]["message"] == "Fill a cup\n\nFixes #5"
        assert why["issues"] == [{"number": 5, "relation": "fixes"}] and "not known here" in why["notes"][0]
        await asyncio.to_thread(remembered, lent)
        kept = await told(agent, "findings", number=7)
        assert [one["title"] for one in kept["findings"]] == ["Loses tea"]
        why = await told(agent, "why", path="cup.py")
        assert why["issues"][0]["title"] == "Too little tea" and not why["notes"]

        for name, arguments, words in [
            ("steep", {}, "there is no tool"),
            ("search", {}, "query"),
            ("search", {"query": "x" * 100_000}, "query: "),
            ("search", {"query": "a\0b"}, "NUL"),
            ("search", {"query": "a", "path": "/etc"}, "path"),
            ("search", {"query": "a", "k": 10**9}, "k: "),
            ("review", {"range": "--output=/tmp/x..HEAD"}, "names no commit"),
            ("review", {"what": "staged", "range": "main..HEAD"}, "`range`"),
            ("why", {"path": "../../etc/passwd"}, "leads out of the repository"),
            ("why", {"path": "/etc/passwd"}, "leads out of the repository"),
            ("why", {"path": "tea.py", "start": 99}, "3 lines"),
            ("why", {"path": ".git/config"}, "no file"),
            ("findings", {"number": 0}, "number"),
        ]:
            refused = await agent.call_tool(name, arguments)
            assert refused.is_error, name
            assert words in said(refused) and len(said(refused)) < 2_100, said(refused)
            assert "Traceback" not in said(refused)


async def test_a_call_that_is_cancelled_ends_at_the_model_too_and_others_go_on(
    lent: Hob, ollama: FakeOllama
) -> None:
    needs.mcp()
    ollama.token_seconds = 3.0
    async with client(lent) as agent:
        asking = asyncio.create_task(agent.call_tool("ask", {"question": "Why?", "agent": "chat"}))
        assert await asyncio.to_thread(ollama.begun.wait, 60)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await asyncio.to_thread(ollama.left.wait, 60)
        assert (await told(agent, "why", path="tea.py"))["commits"]


async def test_nothing_goes_online_that_is_not_allowed_and_a_dead_host_is_one_line(
    lent: Hob, ollama: FakeOllama
) -> None:
    needs.mcp()
    lent.environ["HOB_HOSTS"] = json.dumps([{"name": "cloud", "url": ollama.url, "online": True}])
    async with client(lent) as agent:
        refused = await agent.call_tool("ask", {"question": "Why does brewing fail?"})
        assert refused.is_error and said(refused).startswith("no answer: ")
        judged = await told(agent, "review")
        assert judged["failure"] and judged["findings"] == []
    assert not [one for one in ollama.requests if one.path == "/api/chat"]


INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "odd", "version": "1"},
    },
}


@pytest.mark.parametrize("how", ["interrupted", "its input ends"])
def test_it_ends_at_once_and_says_nothing_but_the_protocol(how: str, lent: Hob) -> None:
    needs.mcp()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "mcp", "--folder", "shop"], cwd=lent.folder, env=lent.environ,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin and process.stdout
    process.stdin.write("garbage\n[]\n" + json.dumps(INITIALIZE) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    while answer.get("id") != 1:  # what was garbage may be answered too
        answer = json.loads(process.stdout.readline())
    assert answer["result"]["serverInfo"]["name"] == "hob"
    if how == "interrupted":
        process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == (-signal.SIGINT if how == "interrupted" else 0)
    assert all(json.loads(line) for line in out.splitlines())


def test_without_the_extra_a_line_names_what_to_install(lent: Hob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cli.mcp.find_spec", lambda _: None)
    done = lent.run("mcp", "--folder", "shop")
    assert (done.returncode, done.stdout) == (1, "")
    assert "make .venv/.mcp" in done.stderr


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=2_000),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=40,
)


@settings(max_examples=100, deadline=None)
@given(told=st.dictionaries(st.sampled_from(["findings", "files", "title", "answer"]), JSON))
def test_an_answer_is_cut_to_its_size_and_says_so(told: dict[str, Any]) -> None:
    small = bounded(told, 3_000)
    size = len(json.dumps(small, ensure_ascii=False))
    assert size <= 3_000
    assert small == told or small["notes"] == ["the answer was too long: some of it is left out"]


@pytest.mark.parametrize(
    "path", ["", ".", "..", "a/../../b", "/etc/passwd", "a\0b", "\ud800", "x" * 5_000, "//etc/passwd", "./.."]
)
def test_A7_a_path_that_leads_out_of_the_repository_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(UserError):
        inside(tmp_path, path)


async def test_a_file_is_found_under_any_name_and_its_lines_by_their_commits(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    names = [":(glob)*.py", "-L1,2", "a b.py", "*", "tea:1.py", "ü.py"]
    for name in names:
        (tmp_path / name).write_text("one\ntwo\n")
    git(tmp_path, "add", "-A")
    who = ("-c", "user.name=Ann", "-c", "user.email=a@x.example")
    git(tmp_path, *who, "commit", "-qm", "First")
    for name in names:
        (tmp_path / name).write_text("one\n2\n")
    git(tmp_path, *who, "commit", "-qam", "Second")
    (tmp_path / "*").write_text("uncommitted\n")
    for name in names:
        path = inside(tmp_path, name)
        told = [[one.message for one in (await history(tmp_path, path, *lines)).commits]
                for lines in ((1, 1), (2, 2), (0, 0))]  # fmt: skip
        assert told == [["First"], ["Second", "First"], ["Second", "First"]], name
        assert (await history(tmp_path, path)).changed == (name == "*")
    for start, end in ((3, 3), (2, 1)):
        with pytest.raises(UserError, match="has 2 lines"):
            await history(tmp_path, "*", start, end)
    with pytest.raises(UserError, match="no file"):
        await history(tmp_path, "gone.py")


@pytest.mark.parametrize(
    ("address", "name"),
    [("https://github.com/octo/tea.git", "octo/tea"), ("git@github.com:octo/tea", "octo/tea"),
     ("ssh://git@ghe.example:22/octo/tea.git/", "octo/tea"), ("/srv/git/tea.git", "git/tea"),
     ("https://x/" + "a" * 2_000, "")],
)  # fmt: skip
async def test_the_repository_is_known_by_its_remote(address: str, name: str, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "remote", "add", "origin", address)
    assert await origin_name(tmp_path) == name


async def test_X6_findings_are_lent_of_the_remotes_of_this_clone_alone(hob: Hob, tmp_path: Path) -> None:
    remembered(hob)
    git(tmp_path, "init", "-q")
    config = load_config(None, {"HOB_HOB__DATA_DIR": f"{hob.folder}/data"})
    lent = Lent(tmp_path, config)

    async def asked(repo: str = "") -> Any:
        return await TOOLS["findings"].call(lent, FindingsArguments(number=7, repo=repo), lambda _: None)

    for repo, words in (("", "is not known"), ("octo/tea", "none of this clone's remotes")):
        with pytest.raises(UserError, match=words):
            await asked(repo)
    git(tmp_path, "remote", "add", "origin", "git@github.com:ann/tea.git")
    with pytest.raises(UserError, match=r"none of this clone's remotes \(ann/tea\)"):
        await asked("octo/tea")
    assert (await asked())["findings"] == []
    git(tmp_path, "remote", "add", "up/stream.url", "https://github.com/octo/tea")
    assert [one["title"] for one in (await asked("octo/tea"))["findings"]] == ["Loses tea"]
