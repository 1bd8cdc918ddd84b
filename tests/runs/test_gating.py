"""Where findings gate (`review.request_changes`), no check run passes for what was not judged whole."""

import asyncio

import pytest

from bot import checks
from bot.checks.programs import ProgramMissing
from bot.core.check_input import NotJudged, PartlyRun
from bot.core.check_judgement import unread
from bot.core.facts import Skipped
from bot.core.review_result import NOT_WORTH_READING, Coverage, conclusion
from bot.core.sandbox_types import SandboxUnusable
from bot.core.skip_rules import BINARY, LFS, NO_PATCH, NOT_ASKED, SUBMODULE
from bot.store.runs import MAX_ATTEMPTS
from tests.living import LivingHob, by_schema, until
from tests.runs.test_same_head import opened, shown, teahouse
from tests.runs.test_waiting import busy


@pytest.mark.parametrize("junk", ["", "{", "I think it is fine!"])
async def test_a_failed_model_passes_nothing(hob: LivingHob, junk: str) -> None:
    repo = teahouse(hob, "")
    hob.ollama.says(junk)
    pull = opened(repo)
    await hob.works()
    assert shown(pull)[0] == "action_required"
    assert "does not pass" in (pull.check_runs[-1].summary or "")
    hob.ollama.answer = by_schema()
    pull.comment("octo", "@my-hob review")
    await hob.works()
    assert shown(pull)[0] == "success"


async def test_no_host_at_all_passes_nothing(hob: LivingHob) -> None:
    repo = teahouse(hob, "")
    hob.ollama.__exit__()
    pull = opened(repo)
    await hob.works()
    assert shown(pull)[0] == "action_required"


async def test_a_file_that_is_too_large_for_a_model_passes_nothing(hob: LivingHob) -> None:
    pull = teahouse(hob, "", finds=False).open_pull_request(
        "Brew", {"a.py": "a = 1\n", "data.py": "x = 1  # long enough\n" * 6_000}, author="ann"
    )
    await hob.works()
    assert shown(pull)[0] == "action_required"


async def test_nothing_worth_reading_needs_no_judgement(hob: LivingHob) -> None:
    pull = teahouse(hob, "").open_pull_request("Lock", {"uv.lock": "a = 1\n"}, author="ann")
    await hob.works()
    assert shown(pull)[0] == "neutral"


@pytest.mark.parametrize(
    ("why", "shows"),
    [
        (NotJudged("killed after 10 s"), "action_required"),
        (PartlyRun("1 file not judged: killed", ()), "action_required"),
        (SandboxUnusable("no sandbox works here"), "success"),
        (ProgramMissing("not installed"), "success"),
    ],
)
async def test_a_check_that_ends_over_what_it_reads_passes_nothing(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch, why: SandboxUnusable, shows: str
) -> None:
    async def ends(*_: object) -> None:
        raise why

    monkeypatch.setitem(checks._RUN, "ruff", ends)
    pull = teahouse(hob, "", finds=False).open_pull_request("Brew", {"a.py": "a = 1\n"}, author="ann")
    await hob.works()
    assert shown(pull)[0] == shows
    assert "ruff" in (pull.check_runs[-1].summary or "")


async def test_a_run_that_dies_passes_nothing(hob: LivingHob) -> None:
    repo = teahouse(hob, "")
    hob.github.fault("GET", r"/pulls/\d+/files$", kind="answer", status=422, times=MAX_ATTEMPTS)
    pull = opened(repo)
    await hob.works()
    for _ in range(MAX_ATTEMPTS):
        await hob.retries()
    assert shown(pull)[0] == "action_required"
    assert shown(pull)[1].startswith("Not reviewed: failed 5 times")


async def test_a_wait_that_comes_to_nothing_passes_nothing(hob: LivingHob) -> None:
    async with busy(hob):
        pull = opened(teahouse(hob, ""))
        working = asyncio.create_task(hob.works())
        await until(lambda: pull.check_runs)
        pull.close("ann")
        await hob.works()
    await working
    assert shown(pull)[0] == "action_required"


async def test_a_judgement_taken_back_passes_nothing(hob: LivingHob) -> None:
    pull = opened(teahouse(hob, ""))
    await hob.works()
    assert shown(pull)[0] == "failure"
    pull.comment("octo", "@my-hob undo")
    await hob.works()
    assert shown(pull) == ("action_required", "Taken back")


async def test_an_answer_told_in_a_check_run_passes_nothing(hob: LivingHob) -> None:
    pull = opened(teahouse(hob, ""))
    pull.comment("octo", "@my-hob ignore")
    await hob.works()
    pull.push({"pot.py": "pot = 1\n"})
    hob.github.fault("POST", r"/comments$", kind="answer", status=403, times=99)
    pull.comment("octo", "@my-hob help")
    await hob.works()
    assert shown(pull) == ("action_required", "An answer could not be given")


@pytest.mark.parametrize("gating", [False, True])
@pytest.mark.parametrize(
    "why", [BINARY, LFS, NO_PATCH, NOT_ASKED, SUBMODULE, "patch over 100,000 characters", "anything new"]
)
def test_whatever_was_not_read_passes_only_where_nothing_gates(why: str, gating: bool) -> None:
    some = Coverage(("a.py",), (Skipped("b", why),), 2, ())
    none = Coverage((), (Skipped("b", why),), 1, ("ruff",))
    part = Coverage(("a.py",), (), 2, (), part=(Skipped("b", why),))
    failed = Coverage(("a.py",), (), 1, (), failure="no model host answered")
    for coverage in (some, none, part, failed):
        assert conclusion(coverage, (), gating=gating) == unread(gates=gating)
    whole = Coverage(("a.py",), (), 1, ())
    assert conclusion(whole, (), gating=gating, unplaced=1) == unread(gates=gating)
    assert conclusion(whole, (), gating=gating) == "success"


@pytest.mark.parametrize("why", sorted(NOT_WORTH_READING))
def test_what_needs_no_reading_passes(why: str) -> None:
    skipped = (Skipped("b", why),)
    assert conclusion(Coverage(("a.py",), skipped, 2, ()), (), gating=True) == "success"
    assert conclusion(Coverage((), skipped, 1, ()), (), gating=True) == "neutral"
