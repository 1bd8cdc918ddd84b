"""Edits of a repository's files, tried on the texts of a head before anything is written.

What is to be replaced is told by quoting it, exactly and unmistakably; a line is never told by its number.
All of it is resolved against the head, so that no edit can build on another: the order means nothing.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.core.edit_paths import why_not
from bot.core.pathnames import resolve
from bot.core.text import strip_invisible, utf8_size

_WORD = re.compile(r"\w+")
FOLDER = 0o040000
"""git's mode."""
MOST_FILES = 100
MOST_EDITS = 200
MOST_TEXT = 1_000_000
"""Bytes of UTF-8 of all new texts together."""
MOST_TRIES = 200
NEAR = 12
"""Lines that are shown where a quote was not found."""
AROUND = 2
"""Lines before and after each place where it was found."""
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line ends that few programs know, halves of characters."""
_LONE_RETURN = re.compile(r"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class FileEdit:
    """One wish for one path. With `search` that text becomes `replace`; without, `replace` is the text of a
    new file. `delete` and `rename_to` are wishes of their own; a rename may replace something too."""

    path: str
    search: str = ""
    replace: str = ""
    delete: bool = False
    rename_to: str = ""


Cause = Literal[
    "missing", "ambiguous", "overlapping", "no such file", "there already", "forbidden", "too large"
]
MENDABLE: frozenset[Cause] = frozenset(
    {"missing", "ambiguous", "overlapping", "no such file", "there already"}
)
"""What a model may get right when it is told."""


@dataclass(frozen=True, slots=True)
class EditProblem:
    """Why an edit cannot be; `near`: what stands there, `first` (from 1) its first line."""

    path: str
    cause: Cause
    why: str
    near: str = ""
    first: int = 0


@dataclass(frozen=True, slots=True)
class EditedFiles:
    """What the files are after all edits: path -> text, None where there is none any more. Empty where there
    are `problems`: all or nothing."""

    texts: Mapping[str, str | None] = field(default_factory=dict)
    problems: tuple[EditProblem, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    """new path -> old one"""

    @property
    def mendable(self) -> bool:
        return bool(self.problems) and all(one.cause in MENDABLE for one in self.problems)


def apply(
    edits: Sequence[FileEdit],
    heads: Mapping[str, str],
    *,
    exists: Callable[[str], bool] | None = None,
    allowed: Callable[[str], bool] = lambda _: True,
    lock_files: bool = False,
) -> EditedFiles:
    """`heads`: the texts that were read. `exists`: whether a path is there, also of what was not read.
    `allowed`: the repository's own rule for paths, beside those that hold everywhere."""
    others = exists or (lambda _: False)

    def there(path: str) -> bool:
        return path in heads or others(path)

    problems: list[EditProblem] = []
    if len(edits) > MOST_EDITS or len({one.path for one in edits}) > MOST_FILES:
        why = f"more than {MOST_EDITS} edits, or of more than {MOST_FILES} files"
        return EditedFiles(problems=(EditProblem("", "too large", why),))
    wishes: dict[str, list[FileEdit]] = {}
    for one in dict.fromkeys(edits):
        path = one.path if there(one.path) else _meant(one, heads)
        ways = (path, one.rename_to) if one.rename_to else (path,)
        refused = [why for way in ways if (why := why_not(way, allowed, lock_files=lock_files))]
        if refused:
            problems.append(EditProblem(path, "forbidden", refused[0]))
        else:
            wishes.setdefault(path, []).append(one)
    texts: dict[str, str | None] = {}
    renamed: dict[str, str] = {}
    for path, some in wishes.items():
        found = _of_one(path, some, heads, there)
        if isinstance(found, EditProblem):
            problems.append(found)
            continue
        text, target = found
        taken = target in texts or (target != path and (there(target) or target in wishes))
        if taken:
            problems.append(EditProblem(target, "there already", f"{target} is there already"))
            continue
        if target != path:
            texts[path], renamed[target] = None, path
        texts[target] = text
    problems += _clashes(texts, heads)
    if sum(utf8_size(text) for text in texts.values() if text) > MOST_TEXT:
        problems.append(EditProblem("", "too large", f"the new texts are over {MOST_TEXT:,} bytes"))
    changed = {path: text for path, text in texts.items() if text != heads.get(path)}
    return EditedFiles(problems=tuple(problems)) if problems else EditedFiles(changed, (), renamed)


def _meant(one: FileEdit, heads: Mapping[str, str]) -> str:
    """Only a quote proves that a file is meant whose path is not quite that; else it is one that some file
    systems take for the same."""
    if one.search:
        return resolve(one.path, heads) or one.path
    key = _file_key(one.path)
    return next((path for path in heads if _file_key(path) == key), one.path)


def _file_key(path: str) -> str:
    """The same for two paths that some file systems take for one."""
    return unicodedata.normalize("NFC", path).casefold()


def _clashes(texts: Mapping[str, str | None], heads: Mapping[str, str]) -> Iterator[EditProblem]:
    """New files that cannot be beside what stands there or beside each other: where the other one is a
    folder, or has the same name but for its case."""
    made = [path for path, text in texts.items() if text is not None and path not in heads]
    standing = [*(path for path in heads if texts.get(path, "") is not None), *made]
    inside = {above: path for path in standing for above in _above(path)}
    names = {_file_key(path): path for path in reversed(standing)}
    for path in made:
        file = next((above for above in _above(path) if above in heads or above in texts), "")
        if file:
            yield EditProblem(path, "there already", f"{file} is a file, and no folder")
        elif path in inside:
            yield EditProblem(path, "there already", f"{path} is a folder: {inside[path]} stands there")
        elif names[_file_key(path)] != path:
            other = names[_file_key(path)]
            yield EditProblem(path, "there already", f"{other} has the same name but for its case")


def place_taken(texts: Mapping[str, str | None], heads: Container[str], modes: Mapping[str, int]) -> str:
    """What stands where a patch makes a file, or is no folder where it needs one, by names that some file
    systems take for the same; empty where there is room. `modes`: path -> git's mode, also of what was not
    read."""
    keys = {_file_key(path): path for path in modes if texts.get(path, "") is not None}
    for path, text in texts.items():
        if text is None or path in heads:
            continue
        if other := keys.get(_file_key(path)):
            return other
        above = (keys.get(_file_key(one), "") for one in _above(path))
        if other := next((one for one in above if one and modes[one] != FOLDER), ""):
            return other
    return ""


def _above(path: str) -> Iterator[str]:
    """Its folders."""
    while path := path.rpartition("/")[0]:
        yield path


def _of_one(
    path: str, edits: Sequence[FileEdit], heads: Mapping[str, str], there: Callable[[str], bool]
) -> tuple[str | None, str] | EditProblem:
    """The text of one path after its edits, and where it is then."""
    targets = {one.rename_to for one in edits if one.rename_to} or {path}
    if len(targets) > 1:
        return EditProblem(path, "overlapping", "it is renamed twice")
    (target,) = targets
    text = heads.get(path)
    if any(one.delete for one in edits):
        (one, *more) = edits
        if more or one.search or one.replace or one.rename_to:
            return EditProblem(path, "overlapping", "it is deleted and changed at once")
        gone = EditProblem(path, "no such file", f"there is no {path} to delete")
        return (None, path) if there(path) else gone
    if text is None:
        if there(path):
            return EditProblem(path, "no such file", f"{path} is there, and its text was not read")
        (first, *more) = edits
        if first.search or more or first.rename_to:
            return EditProblem(path, "no such file", f"there is no {path}")
        return _unfit(path, "", first) or (_plain(first.replace), path)
    changing = [one for one in edits if one.search or one.replace]
    if len(changing) == 1 and not changing[0].search:
        if text.strip():
            return EditProblem(
                path, "there already", f"{path} is there already: quote what is to be replaced"
            )
        return _unfit(path, "", changing[0]) or (_plain(changing[0].replace), target)
    changed = replaced(path, text, changing)
    return changed if isinstance(changed, EditProblem) else (changed, target)


def replaced(path: str, text: str, edits: Sequence[FileEdit]) -> str | EditProblem:
    """All quotes are looked for in the head's own text; line ends are the file's own. Only where it has
    several kinds are they taken as they were said."""
    crlf = "\r\n" in text and text.count("\r\n") == text.count("\n")
    spans: list[tuple[int, int, str]] = []
    for one in edits:
        if unfit := _unfit(path, text, one):
            return unfit
        search, replace = _plain(one.search), _plain(one.replace)
        if crlf:
            search, replace = search.replace("\n", "\r\n"), replace.replace("\n", "\r\n")
        elif "\r" in text and one.search in text:
            search, replace = one.search, one.replace
        if not search.strip():
            return EditProblem(path, "missing", "nothing but blanks is quoted")
        places = _places(text, search)
        if places is None:
            return EditProblem(path, "ambiguous", "what is quoted stands in too many words: quote more")
        if not places:
            near, first = _nearest(text, one.search)
            return EditProblem(path, "missing", "what is quoted does not stand there", near, first)
        if len(places) > 1:
            rows = [text.count("\n", 0, at) for at in places[:5]]
            why = f"what is quoted stands there more than once (lines {', '.join(str(n + 1) for n in rows)})"
            near = "\n…\n".join(_around(text, row, search.count("\n")) for row in rows[:3])
            return EditProblem(path, "ambiguous", why, near, max(0, rows[0] - AROUND) + 1)
        spans.append((places[0], places[0] + len(search), replace))
    spans.sort()
    made, at = [], 0
    for start, end, new in spans:
        if start < at:
            return EditProblem(path, "overlapping", "two edits replace the same lines")
        made += [text[at:start], new]
        at = end
    return "".join([*made, text[at:]])


def _around(text: str, row: int, more: int) -> str:
    """The lines around one (from 0) and `more` after it."""
    return "\n".join(text.split("\n")[max(0, row - AROUND) : row + min(more, NEAR) + AROUND + 1])


def _places(text: str, search: str) -> list[int] | None:
    """Where it stands as words of its own, at most six, also where two overlap; `x = 1` does not stand in
    `max = 10`. None for what stands inside of longer words again and again: nobody looked at all."""
    found: list[int] = []
    at, tries = text.find(search), 0
    while at >= 0 and len(found) < 6:
        if tries == MOST_TRIES:
            return None
        tries += 1
        end = at + len(search)
        if not (_joined(text[at - 1 : at], search[0]) or _joined(search[-1], text[end : end + 1])):
            found.append(at)
        at = text.find(search, at + 1)
    return found


def _joined(left: str, right: str) -> bool:
    """Whether a reader sees both in one word, or as one character."""
    if not (left and right):
        return False
    return _is_mark(right) or (_word(left) and _word(right))


def _word(char: str) -> bool:
    return char.isalnum() or char == "_" or _is_mark(char)


def _is_mark(char: str) -> bool:
    return char > "\u02ff" and unicodedata.category(char) in ("Mn", "Mc", "Me")


def _nearest(text: str, search: str) -> tuple[str, int]:
    """The lines of the file that are most like what was quoted, and the number of the first of them; those
    that say the same when blanks at their ends are left out decide, rare ones before frequent ones."""
    lines = text.split("\n")
    places: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        places.setdefault(line.strip(), []).append(number)
    votes: Counter[int] = Counter()
    wanted = search.split("\n")[:500]
    for offset, line in enumerate(wanted):
        some = places.get(line.strip(), ()) if line.strip() else ()
        if len(some) <= 20:
            for number in some:
                votes[max(0, number - offset)] += 1
    votes = votes or _alike(lines, wanted)
    if not votes:
        return "", 0
    best = max(votes.values())
    start = min(number for number, count in votes.items() if count == best)
    first = max(0, start - 2)
    return "\n".join(lines[first : start + min(len(wanted), NEAR) + 2]), first + 1


def _alike(lines: Sequence[str], wanted: Sequence[str]) -> Counter[int]:
    """Lines with words of the first line that was quoted, by how many those are."""
    words = set(_WORD.findall(next((line for line in wanted if line.strip()), "")[:500]))
    shared = {number: len(words.intersection(_WORD.findall(line))) for number, line in enumerate(lines)}
    return Counter({number: count for number, count in shared.items() if count})


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def unfit(path: str, before: str, after: str) -> str:
    """Why a file may not be written anew so, for whoever wrote it; empty where it may."""
    wrong = _unfit(path, before, FileEdit(path, before, after))
    return wrong.why if wrong else ""


def _unfit(path: str, text: str, edit: FileEdit) -> EditProblem | None:
    """Why nobody could read in a file what an edit brings there and the file does not hold yet."""
    old, new = edit.search, edit.replace if text else edit.replace.removeprefix("\ufeff")
    why = ""
    if len(_NO_TEXT.findall(new)) > len(_NO_TEXT.findall(old)):
        why = "control characters: it is no text"
    elif _LONE_RETURN.search(new) and not _LONE_RETURN.search(text):
        why = "a carriage return in the middle of a line"
    elif strip_invisible(new)[1] > strip_invisible(old)[1]:
        why = "characters that nobody sees"
    return EditProblem(path, "forbidden", f"{path} would hold {why}") if why else None
