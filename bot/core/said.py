"""What Hob has said on a pull request, looked up again."""

from collections.abc import Sequence

from bot.core.effects import PostReview
from bot.core.findings import Finding, fingerprint


def of_thread(reviews: Sequence[PostReview], path: str, body: str) -> Finding | None:
    """The finding that a thread on this file began with, known by the text that was posted."""
    said = " ".join(body.split())
    for review in reversed(reviews):
        for comment in review.comments:
            if comment.path == path and " ".join(comment.body.split()) == said:
                return next((one for one in review.findings if fingerprint(one) == comment.fingerprint), None)
    return None
