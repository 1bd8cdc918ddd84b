"""`kill -9` at each named step of `fix` and `implement`: one branch, one pull request, one answer."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from bot.testing.github.issues import Issue
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from tests.faults.stepped import SteppedHob
from tests.living import LivingHob
from tests.long import LONG
from tests.runs.test_implement import EDIT, PLAN, TEA

pytestmark = [pytest.mark.kills, pytest.mark.timeout(3000 if LONG else 300)]
Command = Literal["fix", "implement"]
CONFIG = "code: {enabled: true}\nissues: {triage: false}\nreview: {auto: false}\n"
KILLS = 50 if LONG else 4
"""Of each command."""
LINES = "".join(f"line_{n} = {n}\n" for n in range(60))


def says(request: Any) -> Any:
    wanted = str(request.get("format") or {})
    if "accepted" in wanted:
        return {"reason": "good", "accepted": True}
    if "edits" in wanted and "delete" in wanted:
        return {"summary": "Brew guards against no water.", "edits": [EDIT]}
    if "edits" in wanted:  # too far apart for a suggestion
        lines = [(f"line_{n} = {n}\n", f"line_{n} = -{n}\n") for n in (3, 57)]
        edits = [{"path": "tea.py", "search": old, "replace": new} for old, new in lines]
        return {"summary": "Mended in two places.", "edits": edits}
    return PLAN


class Asked:
    """One person's wish, and what GitHub shows of it."""

    def __init__(self, repo: Repository, command: Command, number: int) -> None:
        self.repo, self.before = repo, len(repo.pulls)
        self.on: Issue | PullRequest
        if command == "implement":
            self.on = repo.open_issue(f"Guard {number}", "`tea.py` fails without water.", author="ann")
            self.on.comment("ann", "@my-hob implement")
            return
        changed = {"tea.py": LINES.replace("line_3 = 3\n", f"line_3 = 3\nmore = {number}\n")}
        pull = repo.open_pull_request(f"Brew {number}", changed, author="ann", branch=f"brew-{number}")
        self.on = pull
        self.before += 1
        self.first = pull.review_comment("ann", "tea.py", 5, "Is this right?")
        self.first.reply("ann", "@my-hob fix")

    def answers(self) -> list[str]:
        said = [*self.on.comments, *(self.on.review_comments if isinstance(self.on, PullRequest) else ())]
        return [one.body for one in said if one.author.login == "my-hob[bot]"]

    def wrong(self, command: Command) -> list[str]:
        """What is not there once."""
        told = []
        ours = f"hob/{command}-{self.on.number}-"
        listed = self.repo.git.run("for-each-ref", "--format=%(refname:short)", "refs").decode().split()
        made = [one for one in listed if one.startswith(ours)]
        new = [one for one in self.repo.pulls[self.before :] if one.author.login == "my-hob[bot]"]
        drafts = [one for one in new if not other(one.head_ref, self.on.number)]
        if len(made) != 1:
            told.append(f"branches: {made}")
        if [one.head_ref for one in drafts] != made or not all(one.draft for one in drafts):
            told.append(f"pull requests: {[one.head_ref for one in drafts]}")
        if drafts and len(drafts[0].commits) != 1:
            told.append(f"{len(drafts[0].commits)} commits")
        if len(self.answers()) != 1 or not all(f"`{branch}`" in self.answers()[0] for branch in made):
            told.append(f"answers: {self.answers()}")
        return told


def other(branch: str, number: int) -> bool:
    """Whether it is that of another issue or pull request, on which somebody asked later."""
    found = re.fullmatch(r"hob/[a-z]+-(\d+)-.+", branch)
    return found is not None and int(found[1]) != number


@pytest.fixture
def stepped(hob: LivingHob, tmp_path: Path) -> Iterator[SteppedHob]:
    for one in hob.github.installations.values():
        one.permissions = {**one.permissions, "contents": "write"}
    hob.ollama.answer = says
    with SteppedHob(tmp_path / "hob.toml", hob.environment, tmp_path) as process:
        yield process


def chosen(steps: list[str], command: Command) -> list[str]:
    """One half where something is written to GitHub, as far as there are so many; the others anywhere."""
    chance = random.Random(command)
    # Those come by the clock, and the first time that a repository is asked.
    steps = [step for step in steps if "heartbeat" not in step and "keep_file" not in step]
    writing = [step for step in steps if "POST /git/" in step or "POST /pulls" in step or "comments" in step]
    first = chance.sample(writing, min(KILLS // 2, len(writing)))
    rest = [step for step in steps if step not in first]
    return [*first, *chance.sample(rest, min(KILLS - len(first), len(rest)))]


@pytest.mark.parametrize("command", ["fix", "implement"])
async def test_R1_killed_at_each_step_there_is_one_branch_one_pull_request_one_answer(
    hob: LivingHob, stepped: SteppedHob, command: Command
) -> None:
    repo = hob.github.repository("octo/tea", files={".github/hob.yml": CONFIG, "tea.py": TEA})
    if command == "fix":
        repo.commit({"tea.py": LINES})
    repo.grant("ann", "write")
    main = repo.git.resolve("main")
    whole = Asked(repo, command, 0)
    hob._take()
    assert stepped.run() == 0, stepped.errors()
    steps = stepped.steps
    assert whole.wrong(command) == []
    wrong = []
    killed = chosen(steps, command)
    for number, step in enumerate(killed, 1):
        asked = Asked(repo, command, number)
        hob._take()
        ended = stepped.run(step)
        if ended != -9:
            wrong.append(f"{step}: did not come to it ({ended})")
        again = stepped.run()
        said = asked.wrong(command)
        if again or said:
            wrong.append(f"{step}: {again} {said}")
    assert wrong == []
    print(f"{command}: {len(killed)} kills at {len(steps)} steps")
    runs = [run for run in hob.services.store.runs.latest(2_000) if command in run.handler]
    assert {run.state for run in runs} == {"done"}
    assert len(runs) == len(killed) + 1
    assert repo.git.resolve("main") == main
    listed = repo.git.run("for-each-ref", "--format=%(refname:short)", "refs/heads").decode().split()
    assert len([one for one in listed if one.startswith("hob/")]) == len(killed) + 1
