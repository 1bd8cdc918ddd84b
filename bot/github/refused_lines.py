"""A review that GitHub refused (422) because of one line, made acceptable without losing a word of it.

GitHub takes a review whole or not at all, and does not say which comment was wrong.
https://docs.github.com/en/rest/pulls/reviews#create-a-review-for-a-pull-request
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.core.diff import FileDiff
from bot.core.effects import LineComment, PostReview
from bot.core.refs import RepoRef
from bot.github.api import Api
from bot.github.reader import changed_files

_SUGGESTION = re.compile(r"^(`{3,}|~{3,})suggestion[ \t]*$", re.MULTILINE)


async def recheck(api: Api, repo: RepoRef, review: PostReview) -> PostReview:
    """The review with the comments that lie off the diff moved into its body, by `path:line`.

    When all seem to lie well, all are moved: GitHub has refused them, whatever the reason.
    """
    hunks = {file.path: new_side(file) for file in await changed_files(api, review.number)}
    off = [one for one in review.comments if not _lies_in(one, hunks.get(one.path, ()))]
    moved = off or list(review.comments)
    kept = tuple(one for one in review.comments if one not in moved)
    return replace(review, body=_with(review.body, moved), comments=kept)


def new_side(file: FileDiff) -> tuple[range, ...]:
    """The lines of the new side that each hunk shows."""
    return tuple(range(one.new_start, one.new_start + one.new_count) for one in file.hunks or ())


def _lies_in(comment: LineComment, hunks: Iterable[range]) -> bool:
    first = comment.start_line if comment.start_line is not None else comment.line
    return first <= comment.line and any(comment.line in hunk and first in hunk for hunk in hunks)


def parts(review: PostReview) -> list[str]:
    """All that a review says, for a place without lines: its text, then each comment under its place."""
    return [text for text in (review.body, *map(_entry, review.comments)) if text]


def _entry(one: LineComment) -> str:
    return f"**{_code(f'{one.path}:{_lines(one)}')}**\n\n{_as_code(one.body)}"


def _with(body: str, moved: Iterable[LineComment]) -> str:
    return "\n\n".join(filter(None, [body, *map(_entry, moved)]))


def _as_code(body: str) -> str:
    """A suggestion block has no button outside a diff: it is shown as code."""
    return _SUGGESTION.sub(r"\1", body)


def _lines(comment: LineComment) -> str:
    start = comment.start_line
    return f"{start}-{comment.line}" if start is not None and start < comment.line else str(comment.line)


def _code(text: str) -> str:
    """A code span that its content cannot end."""
    text = " ".join(text.split())
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"
