"""What an adapter is called, whose prompts it gets, when its training counts and when it is better."""

import json
import math
from dataclasses import replace

import pytest

from bot.core.adapter_records import AdapterRecord, Evaluation, not_better, record_of
from bot.core.adapters import Adapter, AdapterName, adapter_name, dashed, in_front
from bot.core.scoring import Score
from bot.core.training import Losses, LossReport, TrainingSettings, loss_report, losses_of, seconds_left
from bot.evals.bootstrap import better_share

BASE = "mlx-community/Coder-7B-4bit"
NAME = f"{BASE}+octo--tea:1a2b3c4d5e6f"


def scores(matched: int, found: int, golden: int = 1, cases: int = 12) -> Evaluation:
    """So many of the cases are matched; `found` remarks in all."""
    said = [found // cases + (number < found % cases) for number in range(cases)]
    return Evaluation(tuple(Score(1, int(number < matched), said[number], golden) for number in range(cases)))


def test_a_name_says_base_repository_and_digest() -> None:
    assert adapter_name(NAME) == AdapterName(BASE, "octo--tea", "1a2b3c4d5e6f")
    assert str(adapter_name(NAME)) == NAME


@pytest.mark.parametrize(
    "other",
    [BASE, "qwen:14b", "", f"{NAME}@mini", f"{BASE}+octo/tea:1a2b3c4d5e6f", f"{BASE}+../x:1a2b3c4d5e6f",
     f"{BASE}+octo--tea:1a2b", f"{BASE}+octo--tea:1a2b3c4d5e6f\n", f"{BASE}+octo--tea:1A2B3C4D5E6F",
     "+" * 9_000],
)  # fmt: skip
def test_no_other_name_is_one(other: str) -> None:
    assert adapter_name(other) is None


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ((BASE,), (NAME, BASE)),
        (("big", BASE), ("big", NAME, BASE)),
        ((f"{BASE}@mini", "big"), (f"{NAME}@mini", f"{BASE}@mini", "big")),
        (("big",), ("big",)),
        ((), ()),
    ],
)
def test_an_adapter_stands_before_its_base_model(wanted: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert in_front(wanted, [Adapter(NAME, BASE, "0" * 40, 7, "/there")]) == expected


def test_the_same_repository_is_the_same_in_a_name_however_it_is_written() -> None:
    assert dashed("Octo/Tea.js") == dashed("octo/tea.js") == "octo--tea.js"


def test_a_digest_is_of_data_model_and_settings() -> None:
    one = TrainingSettings()
    digests = {
        one.digest("data", BASE, "r1"),
        one.digest("data2", BASE, "r1"),
        one.digest("data", "other", "r1"),
        one.digest("data", BASE, "r2"),
        replace(one, iterations=7).digest("data", BASE, "r1"),
        replace(one, learning_rate=1e-4).digest("data", BASE, "r1"),
        replace(one, layers=-1).digest("data", BASE, "r1"),
    }
    assert len(digests) == 7
    assert one.digest("data", BASE, "r1") in digests
    assert all(adapter_name(str(AdapterName(BASE, "octo--tea", each))) for each in digests)


def test_only_answers_are_learnt_from_one_example_at_a_time() -> None:
    told = TrainingSettings(iterations=600).config("/m", "/d", "/a")
    assert (told["mask_prompt"], told["batch_size"], told["grad_checkpoint"]) == (True, 1, True)
    assert (told["iters"], told["steps_per_report"], told["steps_per_eval"]) == (600, 12, 60)
    assert TrainingSettings(iterations=3).config("/m", "/d", "/a")["steps_per_report"] == 1


VALIDATED = "     1    \x1b[1mval\x1b[0m \x1b[1m6.685\x1b[0m    3.52s"
TRAINED = "    10    \x1b[1m5.106 ▼\x1b[0m    \x1b[1m   47\x1b[0m      2.2k"


def test_what_mlx_lm_says_is_read_with_and_without_colours() -> None:
    assert loss_report(VALIDATED) == LossReport(1, 6.685, validation=True)
    assert loss_report(TRAINED) == LossReport(10, 5.106)
    assert loss_report("  1200    0.001 ▲    4,487     21.8k") == LossReport(1200, 0.001)
    assert loss_report("   50    val 0.981    0.08s\r") == LossReport(50, 0.981, validation=True)
    told = "Iter 1: Val loss 2.874, Val took 1.234s"
    assert loss_report(told) == LossReport(1, 2.874, validation=True)
    told = (
        "Iter 10: Train loss 1.050, Learning Rate 1.000e-05, It/sec 0.9, Tokens/sec 210.1, Trained Tokens 99"
    )
    assert loss_report(told) == LossReport(10, 1.05)
    found = loss_report("   50    nan ▲    1    1.0k")
    assert found is not None
    assert math.isnan(found.loss)


@pytest.mark.parametrize(
    "line",
    ["", "Training", "  iter   train_loss     tok/s     tokens", "  save  0000100_adapters.safetensors",
     "10 5.1", "10 val x", "1e9 val 1.0", "-1 val 1.0", "10 val 1e999", "\uff19 val 1.0",
     "9" * 300 + " val 1.0",
     "\x1b[1m" * 90, f"{VALIDATED}\n{VALIDATED}", "10 val 5." + "1" * 390],
)  # fmt: skip
def test_anything_else_that_it_says_is_no_loss(line: str) -> None:
    assert loss_report(line) is None


def test_losses_are_of_validation_where_there_is_any() -> None:
    validated = [LossReport(1, 6.0, validation=True), LossReport(9, 2.0, validation=True)]
    trained = [LossReport(5, 5.0), LossReport(9, 7.0)]
    assert losses_of([*validated, *trained]) == Losses(6.0, 2.0, validation=True)
    assert losses_of([validated[0], *trained]) == Losses(5.0, 7.0, validation=False)
    assert losses_of([*validated[:1], *trained[:1]]) is None


@pytest.mark.parametrize(
    ("first", "last", "fell"),
    [(2.0, 1.0, True), (2.0, 2.0, False), (1.0, 2.0, False), (2.0, math.nan, False), (math.inf, 1.0, False)],
)
def test_a_loss_has_fallen_or_not(first: float, last: float, fell: bool) -> None:
    assert Losses(first, last, validation=True).fell == fell


def test_the_time_left_follows_from_the_time_so_far() -> None:
    assert seconds_left(100, 600, 50.0) == 250.0
    assert seconds_left(0, 600, 50.0) is None


GOOD, NOTHING = scores(9, 10), scores(0, 0)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (NOTHING, GOOD, ""),
        (scores(3, 9), scores(9, 12), ""),
        (GOOD, GOOD, "not better than its base model: F1 0.818 before, 0.818 after"),
        (GOOD, scores(3, 9), "not better than its base model: F1 0.818 before, 0.286 after"),
        (NOTHING, NOTHING, "not better than its base model: F1 0.000 before, 0.000 after"),
        (scores(5, 10), scores(6, 11), "may be chance"),
        (scores(4, 4), scores(12, 24), "finds more by saying more: 1.00 wrong"),
        (NOTHING, replace(GOOD, unread=2), "could not read 2 of 12 cases, its base 0"),
        (
            scores(0, 0, cases=9),
            scores(9, 9, cases=9),
            "too few pull requests are held out (9, 10 are needed)",
        ),
        (NOTHING, Evaluation(), "not tried"),
        (scores(1, 1, cases=11), GOOD, "not tried"),
    ],
)
def test_an_adapter_is_better_or_it_is_said_why_not(before: Evaluation, after: Evaluation, why: str) -> None:
    share = better_share(before.scores, after.scores) if len(before.scores) == len(after.scores) else 0.0
    told = not_better(before, after, share)
    assert why in told
    assert bool(told) == bool(why)


def test_few_cases_are_enough_only_for_whoever_says_so() -> None:
    few = scores(3, 3, cases=4)
    assert "held out (4, 10" in not_better(scores(0, 0, cases=4), few, 1.0)
    assert not_better(scores(0, 0, cases=4), few, 1.0, few_accepted=True) == ""
    assert not_better(few, few, 0.0, few_accepted=True) != ""


RECORD = AdapterRecord(
    "Octo/Tea", 7, BASE, "0" * 40, "1a2b3c4d5e6f", "ab" * 32, "2026-11-30T18:00:00+00:00", TrainingSettings(),
    Losses(2.0, 1.0, validation=True), "cd" * 32, NOTHING, GOOD, 1.0,
)  # fmt: skip


def test_a_record_is_read_as_it_was_written() -> None:
    assert record_of(RECORD.text) == RECORD
    assert RECORD.name == NAME
    assert RECORD.refusal == ""
    told = json.loads(RECORD.text)
    assert (told["name"], told["f1_before"], told["f1_after"]) == (NAME, 0.0, 0.8182)
    adapter = RECORD.adapter("/there")
    assert (adapter.name, adapter.base, adapter.repo_id, adapter.place) == (NAME, BASE, 7, "/there")


def test_a_loss_that_has_not_fallen_refuses_whatever_the_figures() -> None:
    refusal = replace(RECORD, losses=Losses(1.0, 1.5, validation=False)).refusal
    assert refusal == (
        "its loss has not fallen (training loss 1.000 before, 1.500 after): it has learnt nothing"
    )


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "[" * 5_000, RECORD.text.replace('"first"', '"frist"'),
     RECORD.text.replace('"matched": 1', '"matched": -1'),
     RECORD.text.replace('"repo_id": 7', '"repo_id": null'),
     RECORD.text.replace('"found": 1', '"found": "many"'),
     RECORD.text.replace('"better_in": 1.0', '"better_in": NaN'),
     RECORD.text.replace('"better_in": 1.0', '"better_in": 1e999'),
     RECORD.text.replace('"learning_rate": 1e-05', '"learning_rate": NaN'),
     RECORD.text.replace('"matched": 1', '"matched": 99'),
     RECORD.text.replace('"cases": 1,', '"cases": 0,'),
     RECORD.text.replace('"unread": 0', '"unread": -5'),
     RECORD.text.replace(f'"base": "{BASE}"', '"base": "\\u001b[31mx"')],
)  # fmt: skip
def test_a_record_that_is_none_is_refused(text: str) -> None:
    assert text != RECORD.text
    with pytest.raises(ValueError, match=r"record|JSON|matches|invalid|Expecting|number|unread|draws"):
        record_of(text)
