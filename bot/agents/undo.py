"""Takes back what one run did: what that takes, and what can't be taken back, in words. Asks no model."""

from collections.abc import Sequence

from bot.core.check_judgement import unread
from bot.core.effect_history import Did
from bot.core.effects import (
    AddLabels,
    Comment,
    DeleteComment,
    DismissReview,
    EditComment,
    EditPullRequest,
    EditReview,
    Effect,
    Forget,
    Plan,
    PostReview,
    Remember,
    RemoveLabels,
    ReplyInThread,
    ResolveThread,
    SetCheck,
    SetPull,
    TakenBack,
)
from bot.core.facts import UndoFacts
from bot.core.review_result import count

_Step = tuple[Sequence[Effect], str, str]
"""Effects, what they take back, and what stays, in words."""


def plan(facts: UndoFacts) -> Plan:
    """The last effect but one marks the run as taken back: who asks again means the one before."""
    steps = [_back(one, facts) for one in facts.past_run.did]
    effects = [effect for some, _, _ in steps for effect in some]
    gone = _told([done for _, done, _ in steps])
    stays = _told([stay for _, _, stay in steps])
    said = [f"Took back what I did last here: {', '.join(gone)}."] if gone else []
    said += ["Not taken back:\n\n" + "\n".join(f"- {one}" for one in stays)] if stays else []
    words = "\n\n".join(said) or "There was nothing left of what I did last here."
    reply = Comment(facts.number, words)
    return Plan(
        (*effects, TakenBack(facts.past_run.run), reply), reason=f"run {facts.past_run.run} is taken back"
    )


def _back(did: Did, facts: UndoFacts) -> _Step:
    """Of one effect."""
    match did.effect:
        case Comment():
            return [DeleteComment("issue_comment", did.github_id)], "a comment", ""
        case ReplyInThread():
            return [DeleteComment("review_comment", did.github_id)], "a reply", ""
        case EditComment() as edit:
            return _edited(edit, facts)
        case PostReview() as review:
            return _review(review, did.github_id, facts)
        case SetCheck() as check:
            title = "Taken back"
            summary = f"At {facts.asker}'s request. `@{facts.slug} review full` asks for a review again."
            left = unread(gates=facts.gates)
            unjudged = SetCheck(check.head_sha, left, title, summary, number=facts.number, bound=False)
            return [unjudged], f"the check run of `{check.head_sha[:10]}`", ""
        case AddLabels(number=number, labels=labels):
            return [RemoveLabels(number, labels)], f"the labels {', '.join(f'`{one}`' for one in labels)}", ""
        case SetPull(number=number, state=state) if state != "active":
            return [SetPull(number, "active")], f"that this pull request is {state}", ""
        case _:
            return [], "", _stays(did.effect, facts)


def _review(review: PostReview, review_id: int, facts: UndoFacts) -> _Step:
    """GitHub lets nobody delete a review: its text is put away, and its comments go where nobody else spoke
    under them."""
    talks = [one for one in facts.talks if one.review == review_id]
    ids = [id_ for one in talks if not one.answered for id_ in reversed(one.ours)]
    effects: list[Effect] = [DeleteComment("review_comment", id_) for id_ in ids]
    effects.append(EditReview(review.number, review_id, f"Taken back at {facts.asker}'s request."))
    kept = sum(one.answered for one in talks)
    stays = [f"{count(kept, 'comment')} on lines that others have answered"] if kept else []
    if review.event == "REQUEST_CHANGES":
        effects.append(DismissReview(review.number, review_id, f"Taken back at {facts.asker}'s request."))
    done = f"a review with {count(len(talks) - kept, 'comment')} on lines"
    return effects, done, "; ".join(stays)


def _edited(edit: EditComment, facts: UndoFacts) -> _Step:
    """The comment says what it said before."""
    before: Comment | EditComment | None = None
    for past_run in facts.past_runs:
        if past_run.run == facts.past_run.run:
            break
        for one in past_run.did:
            match one.effect:
                case EditComment(comment_id=edit.comment_id):
                    before = one.effect
                case Comment() if one.github_id == edit.comment_id:
                    before = one.effect
    if before is None:
        return [], "", "the text of a comment: I don't know what it said before"
    old = EditComment(edit.number, edit.comment_id, before.body, before.folded)
    return [old], "the newest text of a comment", ""


def _stays(effect: Effect, facts: UndoFacts) -> str:
    match effect:
        case Remember(lesson=lesson):
            n = next((one.n for one in facts.memory if one.lesson == lesson), None)
            return f"what I remember: `@{facts.slug} forget {n}` deletes it" if n else ""
        case Forget():
            return "what I forgot: teach me again with `remember` or `dismiss`"
        case ResolveThread():
            return "a thread that I resolved: open it again on its page"
        case DismissReview():
            return "that an older review asks for changes no more"
        case EditPullRequest():
            return "the title and the text of this pull request: GitHub keeps what they were before"
        case SetPull():
            return f"that I look at pushes again: `@{facts.slug} pause` or `@{facts.slug} ignore`"
        case _:
            return ""


def _told(said: Sequence[str]) -> list[str]:
    """Each once, with how often where that is more."""
    counts = {one: said.count(one) for one in said if one}
    return [one if n == 1 else f"{one} ({n} times)" for one, n in counts.items()]
