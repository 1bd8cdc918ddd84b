"""What GitHub refused for good, told elsewhere: with the reason, what to do about it, and what was to be
said."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.core.check_judgement import unread
from bot.core.effect_history import PastRun
from bot.core.effects import Comment, Effect, React, SetCheck
from bot.core.errors import GitHubError, Kind
from bot.core.events import CommentEvent, ReviewCommentEvent, ReviewEvent
from bot.core.refs import Sha
from bot.effects import of
from bot.effects.base import Refused
from bot.effects.check_run import fitted

MOST_OPEN = 4_000
"""Characters; what is longer is folded away."""
_REMEDIES: dict[Kind, str] = {
    "locked": "Unlock the conversation, or let the App comment in it",
    "archived": "The repository takes nothing while it is archived",
    "permission": "Give the App the permission that it lacks (its own settings, Permissions: Pull requests, "
    "Issues and Checks need read and write) and accept it where the App is installed",
    "pending": "Another review of mine hangs unfinished there: delete or submit it",
    "gone": "What it was for is no longer there, or the App may not see it",
}


def reason(error: Exception, effect: Effect, slug: str) -> str:
    """Why, and what to do."""
    kind: Kind = error.kind if isinstance(error, GitHubError) else "other"
    said = str(error).rstrip(".")
    if own := of(effect).remedy(effect, error):
        return f"{said}. {own}"
    remedy = _REMEDIES.get(kind)
    judges = of(effect).judges
    again = f"`@{slug} review` or the next push tries again" if judges else "then ask again"
    if remedy:
        return f"{said}. {remedy}; {again}."
    return f"{said}. {again[0].upper()}{again[1:]}." if judges else f"{said}."


def ways(
    event: CommentEvent,
    refused: Sequence[Refused],
    standing: tuple[SetCheck, int] | None,
    head: Sha | None,
    *,
    by_check: bool,
    gates: bool,
) -> Iterator[Effect]:
    """Effects by which whoever asked may hear of it, the best first: a comment, the check run that stands for
    the head (`standing`, with its id; a new one for `head` where none does), a reaction. Nothing for a
    review that a check run of the same plan tells (`by_check`). `gates`: whether findings do
    (`review.request_changes`), so that a check run for what nobody read passes nothing."""
    told = ("itself", "check") if by_check else ("itself",)
    waited_for = [one for one in refused if of(one.effect).told_by not in told]
    if not waited_for:
        return
    why = " ".join(dict.fromkeys(one.why for one in waited_for))
    said = [words for one in waited_for for words in of(one.effect).said(one.effect)]
    words = "\n\n".join((f"I could not do what you asked. {why}", *fitted(said)))
    if not any(isinstance(one.effect, Comment) for one in waited_for):
        yield Comment(event.number, words) if len(words) <= MOST_OPEN else _folded(event.number, why, said)
    if standing is not None:
        check, number = standing
        more = f"{words}\n\n{check.text}".rstrip()
        yield replace(check, waiting=number, text=more, annotations=(), bound=False)
    elif head is not None:
        title = "An answer could not be given"
        yield SetCheck(head, unread(gates=gates), title, title, words, number=event.number, bound=False)
    if isinstance(event, ReviewEvent):
        return  # REST knows no reactions to a review
    in_thread = isinstance(event, ReviewCommentEvent)
    yield React("review_comment" if in_thread else "issue_comment", event.comment_id, "confused")


def _folded(number: int, why: str, said: Sequence[str]) -> Comment:
    return Comment(number, f"I could not do what you asked. {why}", "\n\n".join(fitted(said)))


def standing_check(past_runs: Sequence[PastRun], head: Sha) -> tuple[SetCheck, int] | None:
    """The check run that was set last for a head, and its id on GitHub."""
    for past_run in reversed(past_runs):
        for one in reversed(past_run.did):
            if isinstance(one.effect, SetCheck) and one.effect.head_sha == head and one.github_id:
                return one.effect, one.github_id
    return None
