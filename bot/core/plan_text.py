"""A plan in a comment that people edit, planned anew: of what stands there now, what people ticked, changed,
added or wrote stays as it is, and what they took away stays away; the rest is Hob's, and gives way to the
new. Linear in the three texts.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

ABOUT = "plan"
"""By which Hob's own comment that holds the plan is found again."""
_MARK = re.compile(r"\s{0,9}<!-- hob:v1 [0-9a-f]{8,128} [0-9a-f]{32} -->")
_ITEM = re.compile(r" {0,1}(?:[-*+]|[0-9]{1,9}[.)]) ")
_TASK = re.compile(r" {0,3}(?:[-*+]|[0-9]{1,9}[.)]) {1,4}\[(?P<tick>[ xX])\](?: |$)")
_HEADING = re.compile(r" {0,3}(?:#{1,6} .{0,200}|\*\*[^*]{1,60}\*\*:?|[^\n*`]{1,60}:) *$")
_NOTE = re.compile(r"\*[^*\n]{1,400}\*$")
_BOLD = re.compile(r"\*\*([^*]{1,200})\*\*")


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a list, a heading or a paragraph, with the blank lines after it."""

    lines: tuple[str, ...]

    @property
    def ticked(self) -> bool:
        task = _TASK.match(self.lines[0])
        return task is not None and task["tick"] != " "

    @property
    def heading(self) -> bool:
        return _HEADING.match(self.lines[0]) is not None and _TASK.match(self.lines[0]) is None

    @property
    def note(self) -> bool:
        """Whether it is a remark of Hob's about the plan: a line in italics."""
        return _NOTE.match(self.lines[0]) is not None

    @property
    def words(self) -> str:
        """What it says, ticked or not, by its letters and digits: marks are written anew where a text is made
        harmless."""
        first = _TASK.sub("", self.lines[0], count=1)
        said = " ".join((first, *self.lines[1:]))
        return "".join(filter(str.isalnum, said)) or said.strip()

    @property
    def title(self) -> str:
        """By which it is the same step in other words."""
        first = _TASK.sub("", self.lines[0], count=1)
        bold = _BOLD.search(first)
        named = "".join(filter(str.isalnum, bold[1] if bold else first)).casefold()[:80]
        return named or self.words


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One task of a plan: what it says, in Markdown, without its box."""

    text: str
    done: bool = False

    @property
    def title(self) -> str:
        """By which it is the same step in other words."""
        return Entry((self.text.partition("\n")[0],)).title


def visible(body: str) -> str:
    """A comment without the hidden mark: it was written last, and people write on below it."""
    return _MARK.sub("", body.replace("\r\n", "\n")).strip()


def steps_of(text: str) -> tuple[PlannedStep, ...]:
    """The tasks of a plan as they stand there; smaller ones below one are part of it."""
    tasks = [one for one in _entries(text) if _TASK.match(one.lines[0])]
    return tuple(PlannedStep(_unboxed(one), one.ticked) for one in tasks)


def beside_steps(text: str) -> str:
    """What a plan says beside its tasks: files, risks, tests, questions, people's own words."""
    kept = [one for one in _entries(text) if not (_TASK.match(one.lines[0]) or one.note)]
    return _text(kept)


def task_list(steps: Sequence[PlannedStep], done: Collection[int] = ()) -> str:
    """With the boxes ticked of what was done before, and of these (numbers from 1)."""
    lines = [
        f"- [{'x' if one.done or number in done else ' '}] {one.text}" for number, one in enumerate(steps, 1)
    ]
    return "\n".join(lines)


def _unboxed(one: Entry) -> str:
    first = _TASK.sub("", one.lines[0], count=1)
    return "\n".join((first, *_said(one)[1:])).strip()


def merged(own: str, now: str, new: str) -> str:
    """`own`: what Hob last proposed; `now`: what stands there; `new`: what it proposes now."""
    standing, proposed = list(_entries(now)), list(_entries(new))
    before = {one.words for one in _entries(own)}
    titles = {one.title for one in standing}
    if not any(one.words in before for one in standing):
        return f"{_text(standing)}\n\n{new.strip()}".strip()  # nothing of Hob's is left
    gone = {one.title for one in _entries(own)} - titles
    notes = [one for one in proposed if one.note and one.title not in gone]
    proposed = [one for one in proposed if not one.note]
    standing = [one for one in standing if not (one.note and one.words in before)]
    fresh = {one.title: one for one in proposed}
    theirs = {one.title for one in standing if one.ticked or one.words not in before}
    sections = {_name(some): some for some in reversed(_sections(proposed))}
    result: list[Entry] = []
    for section in _sections(standing):
        for one in section:
            if one.heading or one.title in theirs:
                result.append(one)
            elif one.title in fresh:
                result.append(_in_place_of(one, fresh[one.title]))
        new_here = sections.pop(_name(section), [])
        skipped = titles | gone if new_here else set()
        _append(result, [one for one in new_here if not one.heading and one.title not in skipped])
    for name, section in sections.items():
        if name not in gone:
            _append(result, [one for one in section if one.title not in gone | titles], apart=True)
    result = _without_empty(result, before)
    for note in notes:
        _append(result, [note], apart=True)
    return _text(result)


def _entries(text: str) -> Iterator[Entry]:
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        blank = not line.strip()
        begins = (
            _ITEM.match(line)
            or (lines and not lines[-1].strip() and not line.startswith("  "))
            or (lines and _HEADING.match(lines[0]))
        )
        if lines and not blank and begins:
            yield Entry(tuple(lines))
            lines = []
        if lines or not blank:
            lines.append(line.rstrip())
    if lines:
        yield Entry(tuple(lines))


def _sections(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Each begins with its heading; the first may have none."""
    sections: list[list[Entry]] = []
    for one in entries:
        if one.heading or not sections:
            sections.append([])
        sections[-1].append(one)
    return sections


def _name(section: list[Entry]) -> str:
    return section[0].title if section[0].heading else ""


def _in_place_of(old: Entry, new: Entry) -> Entry:
    """With as many blank lines after it; as it stands where it says the same."""
    if old.words == new.words:
        return old
    blank = len(old.lines) - len(_said(old))
    return Entry((*_said(new), *("",) * blank))


def _said(one: Entry) -> tuple[str, ...]:
    lines = list(one.lines)
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    return tuple(lines)


def _append(result: list[Entry], more: list[Entry], *, apart: bool = False) -> None:
    """Before the blank lines that end the section."""
    if not more:
        return
    if result and not apart:
        last = result[-1]
        tail = last.lines[len(_said(last)) :]
        is_list = _ITEM.match(last.lines[0]) and _ITEM.match(more[0].lines[0])
        result[-1] = Entry((*_said(last), *(() if is_list else ("",))))
        more = [*more[:-1], Entry((*_said(more[-1]), *(tail or ("",))))]
    elif result:
        result[-1] = Entry((*_said(result[-1]), ""))
    result += more


def _without_empty(entries: list[Entry], before: set[str]) -> list[Entry]:
    """Headings of Hob's under which nothing is left go."""
    kept: list[Entry] = []
    for one in reversed(entries):
        empty = one.heading and (not kept or kept[-1].heading)
        if not (empty and one.words in before):
            kept.append(one)
    return kept[::-1]


def _text(entries: Iterable[Entry]) -> str:
    return "\n".join(line for one in entries for line in one.lines).strip()
