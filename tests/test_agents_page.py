"""docs/agents.md: its Python runs, its files parse, what it names is there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.prompting import parse
from bot.prompting.chains import parse_chain
from bot.scripting import agent_names
from tests.agents.conftest import make_repository
from tests.fakes.models import FakeModel, FakeOllama

PAGE = (Path(__file__).parents[1] / "docs" / "agents.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def model(request: dict[str, Any]) -> Any:
    if request.get("format"):
        return {"thought": "", "searches": [], "reads": [], "enough": True}
    return "As you say."


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_each_python_example_runs(number: int, tmp_path: Path) -> None:
    make_repository(tmp_path, {"CHANGELOG.md": "# Changes\n\n- Tea.\n", "tea.py": "def steep(): ...\n"})
    models = {"qwen2.5:7b": FakeModel(), "qwen2.5-coder:14b": FakeModel()}
    with FakeOllama(models=models, answer=model) as host:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOB_")}
        hosts = json.dumps([{"name": "mini", "url": host.url}])
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", blocks("python")[number]],
            cwd=tmp_path,
            env={**kept, "HOB_HOSTS": hosts, "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert not host.chats or "As you say." in done.stdout


def test_its_chain_and_its_persona_parse() -> None:
    (chain,) = [text for text in blocks("toml") if "[[steps]]" in text]
    assert [step.name for step in parse_chain("page", chain, "page").steps] == ["plan", "work", "review"]
    (persona,) = blocks("markdown")
    assert parse("pirate", persona, "page").max_tokens == 1024


def test_it_names_every_agent() -> None:
    assert all(f"`{name}`" in PAGE for name in agent_names())
