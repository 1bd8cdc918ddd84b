"""GitHub fails while code is pushed: whatever it answers at whatever step, one of each is there."""

import pytest

from bot.testing.github.faults import FaultKind
from tests.living import LivingHob
from tests.runs.test_comments import ours
from tests.runs.test_implement import EDIT, drafts, opened, patch, says

STEPS = ("/git/trees$", "/git/commits$", "/git/refs$", "/pulls$", "/comments$")
FAULTS: tuple[tuple[FaultKind, int], ...] = (
    ("apply_then_answer", 500),
    ("apply_then_reset", 0),
    ("apply_then_answer", 502),
    ("reset", 0),
    ("answer", 500),
)


@pytest.mark.parametrize("first", range(2))
async def test_R3_whatever_github_answers_at_whatever_step_there_is_one_of_each(
    hob: LivingHob, first: int
) -> None:
    """Each step with one fault, and with another in another test; the first look for it fails as well."""
    opened(hob)
    hob.ollama.answer = says(patch(EDIT))
    repo = hob.github.repositories["octo/tea"]
    for number, step in enumerate(STEPS):
        kind, status = FAULTS[(number + 2 * first) % len(FAULTS)]
        struck = hob.github.fault("POST", step, kind=kind, status=status)
        looked = {"/git/refs$": "/commits$", "/pulls$": "/pulls$", "/comments$": "/comments$"}.get(step)
        issue = repo.open_issue(f"Guard {number}", "`tea.py` fails without water.", author="eve")
        await hob.works()
        asked = len(hob.github.requests)
        issue.comment("ann", "@my-hob implement")
        await hob.works(limit=1)
        if looked and not number % 2:
            hob.github.fault("GET", looked, kind="answer", status=502)
        for _ in range(3):
            await hob.retries()
        assert struck.used_up, (step, hob.github.requests[asked:])
        made = repo.git.run("for-each-ref", "--format=%(refname:short)", "refs/heads/hob").decode().split()
        assert len(made) == number + 1, (step, kind)
        assert sorted(one.head_ref for one in drafts(hob)) == sorted(made), (step, kind)
        assert all(len(one.commits) == 1 for one in drafts(hob))
        assert len(ours(issue)) == 1, (step, kind)
    assert {run.state for run in hob.services.store.runs.latest(50) if "implement" in run.handler} == {"done"}
