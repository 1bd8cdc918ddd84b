"""A piece of work ends when any one of what it may cost is used up, and says which."""

import pytest

from bot.core.work_budget import WorkBudget


def budget(now: list[float] | None = None) -> WorkBudget:
    at = now if now is not None else [0.0]
    return WorkBudget(steps=3, tokens=1_000, seconds=120, clock=lambda: at[0])


@pytest.mark.parametrize(
    ("steps", "tokens", "later", "told"),
    [
        (3, 0, 0.0, "its 3 questions to models are used up"),
        (1, 1_000, 0.0, "its 1,000 tokens are used up"),
        (0, 0, 120.0, "its 2 minutes are over"),
        (2, 999, 119.0, ""),
    ],
)
def test_whatever_is_used_up_first_ends_it_and_is_named(
    steps: int, tokens: int, later: float, told: str
) -> None:
    now = [5.0]
    mine = budget(now)
    mine.spend(tokens, steps)
    now[0] += later
    assert (mine.used_up, mine.allows()) == (told, not told)


def test_more_than_is_left_is_not_allowed_and_time_does_not_run_backwards() -> None:
    now = [0.0]
    mine = budget(now)
    mine.spend(-5)
    assert (mine.allows(2), mine.allows(3), mine.tokens_spent) == (True, False, 0)
    now[0] = 500.0
    assert mine.seconds_left == 0.0
