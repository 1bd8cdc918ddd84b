"""The files that a change is written from: where a host has time a model says which of those found matter."""

import asyncio
from pathlib import Path
from typing import Any

from bot.context import Context
from bot.core.inference import Completion, Prompt
from bot.core.refs import RepoRef
from bot.core.work_budget import WorkBudget
from bot.implement_facts import WantedChange, implement_facts
from bot.knowledge.local_library import LocalLibrary
from bot.local.change import LocalRange
from bot.local.implement import starting_point
from bot.local.reader import LocalReader
from bot.repository import LocalRepository
from tests.agents.conftest import make_repository

WANTED = "tin.py"
FILES = {
    **{f"shelf{n}.py": f"def fetch_biscuits_{n}():\n    return 'biscuits'\n" * 3 for n in range(18)},
    WANTED: "def open_tin():\n    return 'biscuits'\n",
}


async def names_tin(prompt: Prompt[Any], /, on_text: Any = None) -> Completion[Any]:
    said: dict[str, Any] = {"thought": "", "searches": [], "reads": [], "enough": True}
    if prompt.name == "rerank":
        lines = prompt.passages[0].text.split("\n")
        said["files"] = [int(line.partition(".")[0]) for line in lines if line.endswith(f". {WANTED}")]
    answer = prompt.answer.model_validate(
        {key: said[key] for key in prompt.answer.model_json_schema()["properties"]}
    )
    return Completion(answer, host="mini", model="m", tokens_in=900, tokens_out=20, calls=1)


def test_the_code_agent_is_shown_first_what_a_model_says_that_matters(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    root = make_repository(tmp_path / "house", FILES)
    wanted = WantedChange("Where are the biscuits fetched from?", "")

    async def shown(steps: int) -> tuple[list[str], list[str], int]:
        base = await starting_point(root, "")
        reader = LocalReader(root, LocalRange(base, base, "", "", ""))
        ctx = Context(RepoRef("local", "house", 0, 0), "hob", reader, names_tin)
        library = LocalLibrary(root, tmp_path / "data", LocalRepository(root))
        budget = WorkBudget(steps, 100_000, 600.0)
        facts, used = await implement_facts(ctx, await ctx.repository(base), base, wanted, library, budget)
        return list(facts.texts), [one.purpose for one in used], budget.steps_spent

    paths, used, steps = asyncio.run(shown(40))
    assert (paths[0], used, steps) == (WANTED, ["rerank", "implement scout"], 2)
    paths, used, _ = asyncio.run(shown(4))
    assert WANTED not in paths
    assert used == ["implement scout"], "few questions are left: they are the work's"
