"""Martian's benchmark as it is published, and as it is broken."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import UserError
from bot.core.scoring import Score
from bot.evals.bootstrap import interval
from bot.evals.martian import load_benchmark
from tests.evals.martian import DIVIDES, EMPTY, LEAK, UPSTREAM, make_benchmark, told


@pytest.fixture
def top(tmp_path: Path) -> Path:
    return make_benchmark(tmp_path)


def test_what_people_held_to_be_right_and_what_tools_said(top: Path) -> None:
    one, two = load_benchmark(top).pulls
    assert (one.url, one.title, one.golden) == (UPSTREAM.format(1), "Brew", (DIVIDES,))
    assert (two.url, two.golden) == (UPSTREAM.format(2), (EMPTY, LEAK))
    assert one.said == {"loud": ("It divides by zero", "Add a test", "Rename x"), "shy": ()}
    assert two.said == {"loud": ("Names", "Names"), "shy": ("An empty pot passes",)}
    assert load_benchmark(top.parent) == load_benchmark(top)


def test_scores_as_they_were_published(top: Path) -> None:
    assert load_benchmark(top).published == {
        "a_judge": {
            "loud": (Score(1, 1, 3, 1), Score(1, 0, 2, 2)),
            "shy": (Score(1, 0, 0, 1), Score(1, 1, 1, 2)),
        }
    }


def test_a_stored_score_that_cannot_be_is_none(top: Path) -> None:
    """More found than there is, found by nothing, or no numbers: such a row would lead every table."""
    no_scores = [told(9, 1, 1), told(1, 0, 1), told(-1, 3, 1), told(0, 3, 1) | {"tp": True}, {}, [], None]
    stored = {UPSTREAM.format(n): {"loud": one} for n, one in enumerate([*no_scores, told(2, 1, 2)])}
    (top / STORED).write_text(json.dumps(stored))
    assert load_benchmark(top).published == {"a_judge": {"loud": (Score(1, 2, 1, 2),)}}


def test_the_question_is_read_from_the_script_which_is_not_run(top: Path) -> None:
    prompt = load_benchmark(top).prompt
    assert prompt.system == "You evaluate."
    asked = prompt.about("{candidate} & {0.__class__}", "B")
    assert "\n{candidate} & {0.__class__}\nCandidate Issue:\nB\n" in asked
    assert asked.endswith('Respond with ONLY {"reasoning": "", "match": true/false, "confidence": 0.0-1.0}')


def test_comments_as_they_were_posted_where_nobody_cut_them(top: Path) -> None:
    (top / "results" / "a_judge" / "candidates.json").unlink()
    review = {
        "tool": "loud",
        "review_comments": [{"path": "a", "line": 1, "body": " Look "}, {"body": None}, 7],
    }
    posted = {UPSTREAM.format(1): {"reviews": [review, {"tool": None}, "x"]}, "elsewhere": 3}
    (top / "results" / "benchmark_data.json").write_text(json.dumps(posted))
    one, two = load_benchmark(top).pulls
    assert (one.said, two.said) == ({"loud": ("Look",)}, {})


GOLDEN, STORED = "golden_comments/tea.json", "results/a_judge/evaluations.json"
SCRIPT = "code_review_benchmark/step3_judge_comments.py"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        (GOLDEN, "[", "is no JSON"),
        (GOLDEN, "[" * 100_000, "is no JSON"),
        (GOLDEN, '["\\ud800"]', "is no JSON"),
        (GOLDEN, "{}", "a list is expected"),
        (GOLDEN, "[]", "has 0 pull requests"),
        (GOLDEN, '[{"url": "https://github.com/a/b/pull/1x", "comments": [{"comment": "c"}]}]', "has 0 pull"),
        (GOLDEN, '[{"url": "file:///etc/passwd", "comments": [{"comment": "c"}]}, 3, null]', "has 0 pull"),
        (STORED, "\xff", "is no JSON"),
        (SCRIPT, "def", "is no Python"),
        (SCRIPT, "(" * 10_000, "is no Python"),
        (SCRIPT, "JUDGE_PROMPT = 'x'", "has no JUDGE_PROMPT"),
        (SCRIPT, "JUDGE_PROMPT = '{golden_comment} {candidate} {secret}'", "has no JUDGE_PROMPT"),
        (SCRIPT, "JUDGE_PROMPT = '{golden_comment.__class__} {candidate}'", "has no JUDGE_PROMPT"),
        (SCRIPT, "JUDGE_PROMPT = '{golden_comment!r} {candidate}'", "has no JUDGE_PROMPT"),
        (SCRIPT, "JUDGE_PROMPT = '{golden_comment:>99999999} {candidate}'", "has no JUDGE_PROMPT"),
        (SCRIPT, "JUDGE_PROMPT = '{golden_comment} {candidate} {'", "has no JUDGE_PROMPT"),
        (SCRIPT, "JUDGE_PROMPT = f'{golden_comment} {candidate}'", "has no JUDGE_PROMPT"),
    ],
)
def test_a_file_that_is_none_is_named(file: str, content: str, said: str, top: Path) -> None:
    (top / file).write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError) as wrong:
        load_benchmark(top)
    assert said in str(wrong.value)
    assert Path(file).name in str(wrong.value) or "golden_comments" in str(wrong.value)


@pytest.mark.parametrize(
    "odd",
    [
        *({"tp": tp, "total_candidates": 1, "total_golden": 1} for tp in ("1", -1, 10**9, None, 1.5)),
        *({"tp": 1}, [], None, "x", {"skipped": True}),
    ],
)  # fmt: skip
def test_a_decision_that_makes_no_sense_is_none(odd: Any, top: Path) -> None:
    (top / STORED).write_text(json.dumps({UPSTREAM.format(1): {"loud": odd}, "b": odd}))
    assert load_benchmark(top).published == {"a_judge": {}}


def test_another_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"it has no golden_comments"):
        load_benchmark(tmp_path)


def test_an_interval_holds_the_figure_and_narrows_with_more_cases() -> None:
    few = [Score(1, hit, 2, 1) for hit in (0, 1, 1, 0, 1)]
    many = few * 40
    for scores in (few, many):
        around = interval(scores, lambda score: score.recall)
        assert around is not None
        assert around[0] <= 0.6 <= around[1]
        assert around == interval(scores, lambda score: score.recall)
    wide, narrow = (interval(scores, lambda score: score.recall) for scores in (few, many))
    assert wide is not None and narrow is not None
    assert narrow[1] - narrow[0] < 0.2 < wide[1] - wide[0]


@pytest.mark.parametrize("scores", [[], [Score(1, 1, 1, 1)], [Score(1, 0, 0, 1)] * 9])
def test_what_has_no_interval(scores: list[Score]) -> None:
    assert interval(scores, lambda score: score.precision) is None


def test_cases_that_are_all_alike_have_no_width() -> None:
    assert interval([Score(1, 1, 2, 1)] * 6, lambda score: score.precision) == (0.5, 0.5)
