"""Which pull requests are reviewed by themselves, which changed files are worth a reader's window, and how
the rest is spoken of."""

from bot.core.diff import FileDiff
from bot.core.file_kinds import kind_of_path, says_generated
from bot.core.folding import folded, names_login
from bot.core.github_reader import PullRequestState
from bot.core.settings import ReviewSettings

MAX_PATCH_CHARS = 100_000
"""A patch over this is a data file or a rewrite: no model reads it well."""


ONLY_REMOVES = "only removes lines"
NO_PATCH = "no patch from GitHub (binary or too large)"
BINARY = "binary"
NOT_ASKED = "no model was asked"
SUBMODULE = "a submodule: what it points to was not read"
LFS = "a Git LFS pointer: what it points to was not read"
EMPTY_BLOBS = frozenset(
    {
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    }
)
"""git's names of nothing, in SHA-1 and SHA-256."""
_LFS_SPEC = "version https://git-lfs.github.com/spec/v1"


def points_elsewhere(file: FileDiff) -> str | None:
    """That what a change brings lies in no file of the repository, or None. Of a submodule the object is the
    very commit that its one line names; no text can name its own blob."""
    if file.status == "removed" or not file.hunks:
        return None
    texts = [line.text for line in file.hunks[0].new_side]
    if len(file.hunks) == 1 and texts == [f"Subproject commit {file.blob}"]:
        return SUBMODULE
    pointer = file.hunks[0].new_start == 1 and texts[:1] == [_LFS_SPEC]
    return LFS if pointer and any(text.startswith("oid ") for text in texts) else None


def without_lines(file: FileDiff, text: str | None) -> bool:
    """Whether the file has no line that could be read: it is empty (now, whatever it held), or has another
    name or another mode only. A binary file has no lines for GitHub either; `text` is what the head's file
    holds where it is text."""
    if file.status == "removed":
        return False
    if file.blob in EMPTY_BLOBS:
        return True
    if file.hunks is not None or file.additions or file.deletions:
        return False
    return bool(file.old_path and file.status == "renamed") or (
        text is not None and file.status in ("modified", "changed")
    )


def why_not_read(file: FileDiff) -> str | None:
    """The reason for which no reader is shown this file, or None."""
    if file.status == "removed":
        return "removed"
    if why := kind_of_path(file.path):
        return why
    if says_generated(_first_lines(file)):
        return "generated"
    if file.hunks is None:
        return "renamed only" if not file.additions + file.deletions and file.old_path else NO_PATCH
    if not any(line.kind == "+" for hunk in file.hunks for line in hunk.lines):
        return ONLY_REMOVES
    if sum(len(line.text) for hunk in file.hunks for line in hunk.lines) > MAX_PATCH_CHARS:
        return "patch over 100,000 characters"
    return None


def _first_lines(file: FileDiff) -> list[str]:
    return [
        line.text
        for hunk in file.hunks or ()
        for line in hunk.lines
        if line.new is not None and line.new <= 5
    ]


AUTHORS_OWN = frozenset(
    {"a draft", "another base branch", "its title is left out", "it has none of the labels"}
)
"""Reasons that whoever opens or pushes a pull request can bring about."""


def why_not_reviewed(state: PullRequestState, settings: ReviewSettings) -> str | None:
    """The reason for which a pull request is not reviewed by itself, or None."""
    title = state.title.casefold()
    reasons = [
        (not state.open, "closed"),
        (not settings.auto, "review.auto is off"),
        (state.draft and not settings.drafts, "a draft"),
        (
            bool(settings.base_branches) and state.base_ref not in settings.base_branches,
            "another base branch",
        ),
        (names_login(settings.ignore_authors, state.author.login), "its author is left out by the settings"),
        (any(word.casefold() in title for word in settings.ignore_title_keywords), "its title is left out"),
        (
            bool(settings.labels) and set(map(folded, settings.labels)).isdisjoint(map(folded, state.labels)),
            "it has none of the labels",
        ),
    ]
    return next((reason for holds, reason in reasons if holds), None)
