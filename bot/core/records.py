"""Issues, pull requests, commits and releases as what an answer may cite (`bot.core.code_search.Excerpt`),
and which of them a question names. All text is hostile."""

import re
from collections.abc import Iterable, Sequence

from bot.core.code_search import SHORT, Excerpt
from bot.core.text import cut, day
from bot.core.work_items import Release

_UNKNOWN = "an unknown day"
MOST_LINES, MOST_LINE = 60, 400
"""Lines of one that are shown, and characters of a line."""
MOST_COMMENT_LINES = 40
MOST_PATHS = 20
_NUMBER = re.compile(r"(?<![\w/#&.-])#([1-9][0-9]{0,8})(?![\w-])")
_SHA = re.compile(r"\b(?=[0-9a-f]{0,63}[0-9])(?=[0-9a-f]{0,63}[a-f])[0-9a-f]{7,64}\b")
_RELEASES = re.compile(
    r"\b(?:releas|version|changelog|chang(?:ed|es) (?:in|since)|shipped|veröffentlich|publié|lanzamiento)"
    r"|\bv[0-9]|релиз|верси|版本|バージョン|リリース",
    re.IGNORECASE,
)


def numbers_in(text: str, most: int = 3) -> tuple[int, ...]:
    """The issues of this repository that a question names as `#12`."""
    return tuple(dict.fromkeys(int(found[1]) for found in _NUMBER.finditer(text[:8_000])))[:most]


def shas_in(text: str, most: int = 3) -> tuple[str, ...]:
    """What may be the beginning of a commit's id."""
    return tuple(dict.fromkeys(found[0] for found in _SHA.finditer(text[:8_000])))[:most]


def about_releases(text: str) -> bool:
    return _RELEASES.search(text[:8_000]) is not None


def of_issue(
    number: int, title: str, about: Iterable[str], body: str, comments: Sequence[tuple[str, str]] = ()
) -> Excerpt:
    """`about`: what is to be said of it in a line. Of comments the newest are shown."""
    lines = [title, "; ".join(filter(None, about)), *_lines(body, MOST_LINES)]
    said: list[str] = []
    for who, what in reversed(comments):
        more = _lines(f"{who} wrote: {what}", MOST_COMMENT_LINES // 2)
        if len(said) + len(more) > MOST_COMMENT_LINES:
            break
        said = [*more, *said]
    return Excerpt(f"#{number}", 1, tuple(_line(line) for line in (*lines, *said)), "issue")


def of_commit(sha: str, author: str, at: float, message: str, paths: Sequence[str] = ()) -> Excerpt:
    told = [f"commit {sha[:SHORT]} by {author}, {day(at, _UNKNOWN)}", *_lines(message, MOST_LINES)]
    more = [f"… and {len(paths) - MOST_PATHS} more"] if len(paths) > MOST_PATHS else []
    told += [f"changed {path}" for path in paths[:MOST_PATHS]] + more
    return Excerpt(sha, 1, tuple(map(_line, told)), "commit")


def of_release(one: Release) -> Excerpt:
    kind = "pre-release" if one.prerelease else "release"
    head = [
        f"{kind} {one.tag}: {one.name}",
        f"published {day(one.at, _UNKNOWN)}" if one.at else "not published",
    ]
    return Excerpt(one.tag, 1, tuple(map(_line, [*head, *_lines(one.body, MOST_LINES)])), "release")


def chosen_releases(query: str, releases: Sequence[Release], most: int = 3) -> list[Release]:
    """Those that a question names, then the newest."""
    words = set(re.findall(r"[\w.+-]+", query.casefold()))
    named = [one for one in releases if {one.tag.casefold(), one.tag.casefold().removeprefix("v")} & words]
    return list(dict.fromkeys([*named, *releases]))[: max(most, len(named[:5]))]


def _lines(text: str, most: int) -> list[str]:
    lines = text[: 4 * most * MOST_LINE].replace("\r\n", "\n").strip().split("\n")
    return [*lines[:most], f"[{len(lines) - most} lines left out]"] if len(lines) > most else lines


def _line(text: str) -> str:
    return cut(text, MOST_LINE, end="…")
