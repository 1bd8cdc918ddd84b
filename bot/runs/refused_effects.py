"""What GitHub refused for good, told elsewhere: with the reason, what to do about it, and what was to be
said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.core.check_judgement import unread
from bot.core.effect_history import PastRun
from bot.core.effects import Comment, EditComment, Effect, PostReview, React, ReplyInThread, SetCheck
from bot.core.errors import GitHubError, Kind
from bot.core.events import CommentEvent, ReviewCommentEvent, ReviewEvent
from bot.core.refs import Sha
from bot.core.text import utf8_size
from bot.github.refused_lines import parts

MOST_TOLD = 56_000
"""Bytes of a check run's text for what was refused; GitHub takes 65,535 of all."""
_REMEDIES: dict[Kind, str] = {
    "locked": "Unlock the conversation, or let the App comment in it",
    "archived": "The repository takes nothing while it is archived",
    "permission": "Give the App the permission that it lacks (its own settings, Permissions: Pull requests, "
    "Issues and Checks need read and write) and accept it where the App is installed",
    "pending": "Another review of mine hangs unfinished there: delete or submit it",
    "gone": "What it was for is no longer there, or the App may not see it",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """An effect, and why it is not: a sentence or two for people."""

    effect: Effect
    why: str

    @property
    def kind(self) -> str:
        return type(self.effect).__name__


def reason(error: Exception, effect: Effect, slug: str) -> str:
    """Why, and what to do."""
    kind: Kind = error.kind if isinstance(error, GitHubError) else "other"
    said = str(error).rstrip(".")
    remedy = _REMEDIES.get(kind)
    judged = isinstance(effect, PostReview | SetCheck)
    again = f"`@{slug} review` or the next push tries again" if judged else "then ask again"
    if remedy:
        return f"{said}. {remedy}; {again}."
    return f"{said}. {again[0].upper()}{again[1:]}." if judged else f"{said}."


def telling(check: SetCheck, refused: Sequence[Refused]) -> SetCheck:
    """The check run of a head whose review was refused: it holds what the review said, and stands for
    nothing that was said."""
    reviews = [one for one in refused if isinstance(one.effect, PostReview)]
    if check.untold or not check.bound or not reviews:
        return check
    why = " ".join(dict.fromkeys(one.why for one in reviews))
    findings = [part for one in reviews if isinstance(one.effect, PostReview) for part in parts(one.effect)]
    return replace(
        check,
        conclusion="neutral" if check.conclusion == "success" else check.conclusion,
        title=f"GitHub refused the review, it stands here: {check.title}",
        summary=f"The review could not be posted. {why} What it says stands below; it does not count as "
        f"said.\n\n{check.summary}",
        text="\n\n".join(("### What was to be said", *_fitted(findings), check.text)).rstrip(),
        read=(),
        untold=True,
    )


def _fitted(findings: Sequence[str]) -> Iterator[str]:
    """Whole ones as far as there is room, and how many more there are."""
    room = MOST_TOLD
    for number, one in enumerate(findings):
        room -= utf8_size(one) + 2
        if room < 0 and number:
            yield f"*{len(findings) - number} more did not fit in here.*"
            return
        yield one


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
    kinds = SetCheck | React | PostReview if by_check else SetCheck | React
    waited_for = [one for one in refused if not isinstance(one.effect, kinds)]
    if not waited_for:
        return
    why = " ".join(dict.fromkeys(one.why for one in waited_for))
    words = "\n\n".join((f"I could not do what you asked. {why}", *_fitted([*_said(waited_for)])))
    if not any(isinstance(one.effect, Comment) for one in waited_for):
        yield Comment(event.number, words)
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


def _said(refused: Sequence[Refused]) -> Iterator[str]:
    """The texts that nobody has read."""
    for one in refused:
        match one.effect:
            case PostReview():
                yield from parts(one.effect)
            case Comment() | EditComment() | ReplyInThread():
                yield one.effect.body
            case _:
                pass


def standing_check(past_runs: Sequence[PastRun], head: Sha) -> tuple[SetCheck, int] | None:
    """The check run that was set last for a head, and its id on GitHub."""
    for past_run in reversed(past_runs):
        for one in reversed(past_run.did):
            if isinstance(one.effect, SetCheck) and one.effect.head_sha == head and one.github_id:
                return one.effect, one.github_id
    return None
