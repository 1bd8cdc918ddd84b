"""What is kept of an adapter beside its weights, and whether it may be switched on: only what made reviews of
held-out pull requests better, which chance does not explain."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.core.adapters import Adapter, AdapterName, adapter_name, dashed
from bot.core.scoring import Score
from bot.core.text import count
from bot.core.training import Losses, TrainingSettings

FEW = 10
"""Cases under which a figure says little."""
OFTEN = 0.9
"""Of as many draws of the cases, in so many the adapter must be the better one."""
MOST_MORE_WRONG = 0.5
"""Wrong remarks for a pull request that it may make more than its base: saying more is no gain."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Of one model on the held-out cases: the score of each, in their order. `unread`: cases that it could
    not read whole."""

    scores: tuple[Score, ...] = ()
    unread: int = 0

    @property
    def total(self) -> Score:
        return sum(self.scores, Score())

    @property
    def f1(self) -> float:
        """0.0 where nothing was said and nothing was to be said."""
        return self.total.f1 or 0.0

    @property
    def wrong(self) -> float:
        """Remarks for a case that nobody had made."""
        total = self.total
        return (total.found - total.matched) / total.cases if total.cases else 0.0

    def __str__(self) -> str:
        total = self.total
        shown = "-" if total.precision is None else f"{total.precision:.3f}"
        return (
            f"F1 {self.f1:.3f}, precision {shown}, {total.comments:.2f} comments a pull request, "
            f"{self.unread} of {total.cases} not read"
        )


@dataclass(frozen=True, slots=True)
class AdapterRecord:
    """`adapter.json`. `repository` as it was called then, `repo_id` GitHub's number of it, which stays;
    `data`: digest of what it was trained on; `cases`: of what it was tried on; `made`: ISO 8601 in UTC;
    `few_accepted`: a person took a figure of few cases for enough; `private`: the repository was it when its
    data was exported, which a record that does not say counts as; `weights`: SHA-256 of the file that was
    tried, empty where an earlier version did not note it."""

    repository: str
    repo_id: int
    base: str
    revision: str
    digest: str
    data: str
    made: str
    settings: TrainingSettings
    losses: Losses
    cases: str = ""
    before: Evaluation = field(default_factory=Evaluation)
    after: Evaluation = field(default_factory=Evaluation)
    better_in: float = 0.0
    few_accepted: bool = False
    private: bool = False
    weights: str = ""

    @property
    def name(self) -> str:
        return str(AdapterName(self.base, dashed(self.repository), self.digest))

    @property
    def figures(self) -> str:
        """Both, for a person."""
        return f"before {self.before}; after {self.after}"

    @property
    def refusal(self) -> str:
        """Why it may not be switched on; empty where it may."""
        if not self.losses.fell:
            return f"its loss has not fallen ({self.losses}): it has learnt nothing"
        return not_better(self.before, self.after, self.better_in, few_accepted=self.few_accepted)

    def adapter(self, place: str) -> Adapter:
        return Adapter(self.name, self.base, self.revision, self.repo_id, place)

    @property
    def text(self) -> str:
        """Beside what is read again, the figures for whoever looks."""
        shown = {
            "name": self.name,
            "f1_before": round(self.before.f1, 4),
            "f1_after": round(self.after.f1, 4),
            "refusal": self.refusal,
        }
        return json.dumps({**asdict(self), **shown}, indent=2) + "\n"


def not_better(before: Evaluation, after: Evaluation, better_in: float, *, few_accepted: bool = False) -> str:
    """Why reviews did not become better, in a sentence with both figures; empty where they did. Both are of
    the same cases in the same order; `better_in`: the part of as many draws of them in which it is
    the better one (`bot.evals.bootstrap.better_share`)."""
    cases = len(after.scores)
    figures = f"F1 {before.f1:.3f} before, {after.f1:.3f} after"
    if not cases or cases != len(before.scores):
        return "it was not tried on held-out pull requests"
    if after.f1 <= before.f1:
        return f"it is not better than its base model: {figures}"
    if after.unread > before.unread:
        unread = f"{after.unread} of {count(cases, 'case')}, its base {before.unread}"
        return f"it could not read {unread} ({figures})"
    if after.wrong > before.wrong + MOST_MORE_WRONG:
        wrong = f"{after.wrong:.2f} wrong remarks a pull request, its base {before.wrong:.2f}"
        return f"it finds more by saying more: {wrong} ({figures})"
    if cases < FEW and not few_accepted:
        return f"too few pull requests are held out ({cases}, {FEW} are needed) for {figures} to say much"
    if better_in < OFTEN:
        return f"it may be chance: it is better in {better_in:.0%} of as many draws of the cases ({figures})"
    return ""


def record_of(text: str) -> AdapterRecord:
    """ValueError for what is no record, or tells what cannot be: it decides what is asked."""
    try:
        said: dict[str, Any] = json.loads(text, parse_constant=_no_number)
        settings, losses = said["settings"], said["losses"]
        names = ("repository", "base", "revision", "digest", "data", "made", "cases")
        record = AdapterRecord(
            **{name: str(said[name]) for name in names},
            repo_id=int(said["repo_id"]),
            settings=TrainingSettings(
                int(settings["iterations"]),
                int(settings["layers"]),
                float(settings["learning_rate"]),
                int(settings["max_tokens"]),
            ),
            losses=Losses(float(losses["first"]), float(losses["last"]), losses["validation"] is True),
            before=evaluation_of(said["before"]),
            after=evaluation_of(said["after"]),
            better_in=float(said["better_in"]),
            few_accepted=said["few_accepted"] is True,
            private=said.get("private") is not False,
            weights=str(said.get("weights", "")),
        )
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as wrong:
        raise ValueError(f"it is no record of an adapter: {type(wrong).__name__} {wrong}") from None
    if adapter_name(record.name) is None:
        raise ValueError("it is no record of an adapter: its base, repository or digest is no name")
    if not 0 <= record.better_in <= 1:
        raise ValueError("it is better in more than all draws, or in fewer than none")
    return record


def _no_number(name: str) -> float:
    """JSON has none of these, and each comparison with one is false."""
    raise ValueError(f"{name} is no number")


def evaluation_of(said: Mapping[str, Any]) -> Evaluation:
    """Of what `asdict` gives; KeyError, TypeError or ValueError for anything else."""
    names = ("cases", "matched", "found", "golden")
    scores = tuple(Score(*(int(each[name]) for name in names)) for each in said["scores"])
    if any(each.cases != 1 or not 0 <= each.matched <= min(each.found, each.golden) for each in scores):
        raise ValueError("a score matches more than there is, or is not of one case")
    unread = int(said["unread"])
    if not 0 <= unread <= len(scores):
        raise ValueError("more cases are unread than there are, or fewer than none")
    return Evaluation(scores, unread)
