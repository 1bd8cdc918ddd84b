"""Takes back what one run did: what that takes, and what can't be taken back, in words. Asks no model."""

from collections.abc import Sequence

from bot.core.effects import Comment, Plan, TakenBack
from bot.core.facts import UndoFacts
from bot.effects import of


def plan(facts: UndoFacts) -> Plan:
    """The last effect but one marks the run as taken back: who asks again means the one before."""
    steps = [of(one.effect).undone(one.effect, one.github_id, facts) for one in facts.past_run.did]
    effects = [effect for one in steps for effect in one.effects]
    gone = _told([one.done for one in steps])
    stays = _told([one.stays for one in steps])
    said = [f"Took back what I did last here: {', '.join(gone)}."] if gone else []
    said += ["Not taken back:\n\n" + "\n".join(f"- {one}" for one in stays)] if stays else []
    words = "\n\n".join(said) or "There was nothing left of what I did last here."
    reply = Comment(facts.number, words)
    return Plan(
        (*effects, TakenBack(facts.past_run.run), reply), reason=f"run {facts.past_run.run} is taken back"
    )


def _told(said: Sequence[str]) -> list[str]:
    """Each once, with how often where that is more."""
    counts = {one: said.count(one) for one in said if one}
    return [one if n == 1 else f"{one} ({n} times)" for one, n in counts.items()]
