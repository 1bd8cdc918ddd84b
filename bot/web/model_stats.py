"""What models did, from the sums of their calls: metrics, and the table that holds one against another."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from bot.store import CallTotal
from bot.web.counters import series

LABELS = ("role", "host", "model")
ModelKey = tuple[str, str, str]
Sums = dict[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Compared:
    """One model of one host in one role. Means are over its answers, None without any; `share` is its part of
    all answers of the role."""

    role: str
    host: str
    model: str
    answers: int
    failures: int
    cached: int
    share: float
    seconds: float | None
    first_token_seconds: float | None
    tokens_per_second: float | None
    cost_usd: float


def compare(totals: Iterable[CallTotal]) -> list[Compared]:
    """By role, the model that answered most often first."""
    groups: dict[ModelKey, dict[str, CallTotal]] = {}
    for one in totals:
        groups.setdefault((one.role, one.host, one.model), {})[one.outcome] = one
    by_role: dict[str, int] = {}
    for key, outcomes in groups.items():
        by_role[key[0]] = by_role.get(key[0], 0) + _calls(outcomes, "answer")
    found = [_compared(key, outcomes, by_role[key[0]]) for key, outcomes in groups.items()]
    return sorted(found, key=lambda one: (one.role, -one.answers, one.model, one.host))


def _calls(outcomes: dict[str, CallTotal], outcome: str) -> int:
    return outcomes[outcome].calls if outcome in outcomes else 0


def _compared(key: ModelKey, outcomes: dict[str, CallTotal], of_role: int) -> Compared:
    answer = outcomes.get("answer")
    writing = answer.seconds - answer.first_token_seconds if answer else 0.0
    return Compared(
        *key,
        answers=_calls(outcomes, "answer"),
        failures=_calls(outcomes, "failure"),
        cached=_calls(outcomes, "cached"),
        share=round(_calls(outcomes, "answer") / of_role, 3) if of_role else 0.0,
        seconds=round(answer.seconds / answer.calls, 2) if answer else None,
        first_token_seconds=round(answer.first_token_seconds / answer.calls, 2) if answer else None,
        tokens_per_second=round(answer.tokens_out / writing, 1) if answer and writing > 0 else None,
        cost_usd=sum(one.cost_usd for one in outcomes.values()),
    )


def lines(totals: Iterable[CallTotal]) -> list[str]:
    """The sums as Prometheus reads them: a rate of one over a rate of another is a mean."""
    totals = tuple(totals)
    calls: Sums = {(one.role, one.host, one.model, one.outcome): one.calls for one in totals}
    answers = [one for one in totals if one.outcome == "answer"]
    found = series(
        "hob_model_calls_total", "Calls of models, by outcome.", (*LABELS, "outcome"), calls, kind="counter"
    )
    for name, about in (
        ("seconds", "Seconds that answers took."),
        ("first_token_seconds", "Seconds until their first token."),
        ("tokens_in", "Tokens of their prompts."),
        ("tokens_out", "Tokens of their answers."),
        ("tokens_cached", "Tokens of their prompts that hosts had read before."),
        ("cost_usd", "What they cost."),
    ):
        sums: Sums = {(one.role, one.host, one.model): asdict(one)[name] for one in answers}
        found += series(f"hob_model_{name}_total", about, LABELS, sums, kind="counter")
    speeds: Sums = {
        (one.role, one.host, one.model): one.tokens_per_second
        for one in compare(answers)
        if one.tokens_per_second is not None
    }
    return found + series("hob_model_tokens_per_second", "Mean speed of their writing.", LABELS, speeds)
