"""The one issue of Hob's own in a repository: its boxes, and which of them somebody has ticked. What stands
in the issue is anybody's who may edit it; only boxes of the text that Hob stored count, with the commands
that it stored."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

EMPTY, TICKED = "- [ ] ", ("- [x] ", "- [X] ")


@dataclass(frozen=True, slots=True)
class Box:
    """One that people may tick. `text` is its line without the box, as it is posted; ticked, the command
    `line` (`/hob triage`) is given on the issue `number` with the permission of whoever ticked it."""

    text: str
    line: str
    number: int
    on_pull_request: bool = False


@dataclass(frozen=True, slots=True)
class DashboardIssue:
    """As Hob wrote it last; `number` is 0 where there is none. `made`: how often one was opened or refused;
    `edition` names the text."""

    number: int = 0
    body: str = ""
    folded: str = ""
    boxes: tuple[Box, ...] = ()
    made: int = 0
    edition: int = 0


def ticked(ours: DashboardIssue, before: str, after: str) -> Iterator[tuple[int, Box]]:
    """(place, box) of those that this edit has ticked: empty in Hob's text and before the edit, ticked after
    it. A line that reads otherwise than Hob's is no box of Hob's."""
    stood, was, now = _lines(ours.body), _lines(before), _lines(after)
    for place, box in enumerate(ours.boxes):
        empty = EMPTY + box.text
        if stood[empty] == was[empty] == 1 and sum(now[each + box.text] for each in TICKED) == 1 > now[empty]:
            yield place, box


def with_ticked(
    ours: DashboardIssue, done: Iterator[int] | list[int], by: str
) -> tuple[str, tuple[Box, ...]]:
    """Hob's text with these boxes ticked, and the boxes that are left. `by` is in code already."""
    places = set(done)
    names = {
        EMPTY + ours.boxes[place].text: f"{TICKED[0]}{ours.boxes[place].text} ({by})" for place in places
    }
    body = "\n".join(names.get(line, line) for line in ours.body.split("\n"))
    return body, tuple(box for place, box in enumerate(ours.boxes) if place not in places)


def _lines(body: str) -> Counter[str]:
    """Browsers end lines with CRLF."""
    return Counter(line.removesuffix("\r") for line in body[:70_000].split("\n"))
