"""Roles of one's own, and agents and chains without a model."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bot.agents.base import Agent
from bot.agents.research import Research
from bot.config import Config
from bot.core.errors import ConfigError, UserError
from bot.core.hosts import Host, HostModel
from bot.core.privacy import Budget
from bot.inference.egress import EgressGuard
from bot.inference.guarded_call import GuardedCall
from bot.inference.hosts.known_host import Candidate
from bot.inference.hosts.scheduler import Writing
from bot.inference.runners import ChatRequest
from bot.local_egress import cleaned
from bot.scripting import Workshop
from tests.agents.conftest import make_repository
from tests.fakes.models import FakeModel, FakeOllama

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text()


def scripted(tmp_path: Path, **more: Any) -> Config:
    tree = {
        "hob": {"data_dir": str(tmp_path)},
        "models": {"chat": ["scripted"], "scribe": ["scripted"]},
        "hosts": [
            {"name": "script", "kind": "scripted", "answers": {"chat": ["One.", "Two."], "*": ["Else."]}}
        ],
    }
    return Config.model_validate({**tree, **more})


async def test_a_script_in_hob_toml_answers_by_prompt_and_order(tmp_path: Path) -> None:
    async with Workshop(scripted(tmp_path)) as shop:
        assert await shop.agent("chat").get_full_response("?") == "One."
        assert await shop.agent("chat").get_full_response("?") == "Two."
        done = await shop.agent("chat").answer("?")
        assert "no answer (left) for chat" in done.completion.reason


async def test_the_script_of_the_page_carries_out_its_chain(tmp_path: Path) -> None:
    (text,) = [one for one in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[hosts.answers]" in one]
    tree = {**tomllib.loads(text), "hob": {"data_dir": str(tmp_path)}}
    chain = next(one for one in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[[steps]]" in one)
    (tmp_path / "c.toml").write_text(chain.replace('model = "qwen2.5-coder:14b"', 'model = "scripted"'))
    async with Workshop(Config.model_validate(tree)) as shop:
        result = await shop.chain(str(tmp_path / "c.toml"), "Tea")
    assert (result.failure, "Steeped for three minutes." in result.answer) == ("", True), result.reason


async def test_work_goes_to_the_models_of_a_role_of_ones_own(ollama: FakeOllama, tmp_path: Path) -> None:
    ollama.says("Written.")
    ollama.models = {"small": FakeModel(), "big": FakeModel()}
    config = Config.model_validate(
        {
            "hob": {"data_dir": str(tmp_path)},
            "models": {"chat": ["small"], "scribe": ["big"]},
            "hosts": [{"name": "mini", "url": ollama.url, "num_ctx": 4096, "keep_alive": "30m"}],
        }
    )
    async with Workshop(config) as shop:
        done = await shop.delegate("scribe", "Write.", temperature=0.9)
    assert (done.text, done.model) == ("Written.", "big")
    (chat,) = ollama.chats
    assert (chat["options"]["temperature"], chat["options"]["num_ctx"]) == (0.9, 4096)
    assert chat["keep_alive"] == "30m"


@pytest.mark.parametrize("slip", ["reviews", "chta", "trriage", "embedd", "shares"])
def test_a_slip_is_no_role_of_ones_own(slip: str) -> None:
    with pytest.raises(ConfigError, match=slip) as wrong:
        Config.model_validate({"models": {slip: ["a"]}})
    assert "did you mean" in wrong.value.hint


async def test_an_agents_name_is_that_agent_whatever_roles_hosts_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_repository(tmp_path, {"tea.py": "x = 1\n"})
    asked: list[type[Agent]] = []

    async def run(self: Agent, messages: object, **_: object) -> Any:
        asked.append(type(self))
        yield "found"

    monkeypatch.setattr(Research, "run", run)
    hosts = [{"name": "h", "kind": "scripted", "roles": ["research", "poet"], "answers": {"*": ["x"]}}]
    async with Workshop(scripted(tmp_path, hosts=hosts), repo=tmp_path) as shop:
        assert (await shop.delegate("research", "Where?")).text == "found"
        assert asked == [Research]
        assert (await shop.delegate("poet", "Sing.")).text == "x", "a word of a host's is a specialty"


async def test_delegate_goes_through_run_of_a_subclass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(
        "from bot.agents.base import Agent\n\n\nclass Mine(Agent):\n    name = 'chat'\n\n"
        "    async def run(self, messages):\n        yield 'mine'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    async with Workshop(scripted(tmp_path)) as shop:
        assert (await shop.delegate("mine:Mine", "?")).text == "mine"
        assert [one.text for one in await shop.gather("mine:Mine", ["?", "?"])] == ["mine", "mine"]


async def test_a_tools_answer_may_be_last_and_a_picture_is_refused(tmp_path: Path) -> None:
    async with Workshop(scripted(tmp_path)) as shop:
        agent = shop.agent("chat")
        told = [{"role": "user", "content": "Look."}, {"role": "tool", "content": "42", "name": "look"}]
        assert await agent.get_full_response(told) == "One."
        parts = [{"type": "text", "text": "What"}, {"type": "text", "text": "now?"}]
        assert await agent.get_full_response([{"role": "user", "content": parts}]) == "Two."
        picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
        for message in (
            {"role": "user", "content": [*parts, picture]},
            {"role": "user", "content": "What is this?", "images": ["AA=="]},
        ):
            with pytest.raises(UserError, match="text only"):
                await agent.get_full_response([message])


async def test_earlier_turns_are_cleaned_too_before_they_leave() -> None:
    """Nothing that a conversation held goes to a host outside with its credentials."""
    host = Host("far", "scripted", "", online=True)
    model = HostModel("scripted", 16_384)
    secret = "ghp_" + "a1B2" * 9
    request = ChatRequest(
        model, "s", "u", {}, 4096, 64, turns=(("user", f"my token is {secret}"), ("assistant", "Yes."))
    )
    guarded_call = GuardedCall(
        Candidate(host, model, 4096),
        EgressGuard("allowed", False, spent=_plenty, clean=cleaned),
        None,
        _unheard,
        Writing().hearing,
    )  # type: ignore[arg-type]
    sent, hidden = await guarded_call._permitted(request)
    assert secret not in str(sent.turns) and sent.turns[1] == ("assistant", "Yes.")
    assert hidden


async def _plenty() -> Budget:
    return Budget(0.0, 1_000_000)


def _unheard(_: object) -> None:
    """Nobody learns here."""


async def test_a_script_without_a_database_makes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ollama: FakeOllama
) -> None:
    monkeypatch.chdir(tmp_path)
    ollama.says("Written.")
    ollama.models = {"small": FakeModel()}
    config = Config.model_validate(
        {"models": {"chat": ["small"]}, "hosts": [{"name": "mini", "url": ollama.url}]}
    )
    async with Workshop(config) as shop:
        assert (await shop.delegate("chat", "Write.")).text == "Written."
    assert list(tmp_path.iterdir()) == []
