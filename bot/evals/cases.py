"""Labelled cases: a change, and the remarks that a good review of it makes. One JSON object a file:

{"version": 1, "name": "off by one", "title": "Show ten a page", "body": "",
 "diff": "diff --git a/page.py b/page.py\\n…", "texts": {"page.py": "the whole file after the change"},
 "settings": ".github/hob.yml as text",
 "golden": [{"path": "page.py", "start": 3, "end": 3, "quote": "…", "title": "…", "body": "…"}]}

`diff` is what `git diff` prints; `texts`, `body`, `settings` may be left out; `golden` may be empty: then the
right review says nothing.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.core.diff import BadPatch, FileDiff, git_diff_text, new_side_lines, parse_git_diff
from bot.core.errors import UserError
from bot.core.facts import PullRequestFacts
from bot.core.scoring import Golden
from bot.evals.files import json_files, read_bytes

OURS = Path(__file__).parent / "cases"
MOST_BYTES = 8 << 20
MOST_CASES = 5_000


class GoldenComment(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: str
    start: int = Field(default=0, ge=0)
    end: int = Field(default=0, ge=0)
    quote: str = ""
    title: str = ""
    body: str = ""
    severity: str = ""


class Case(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, le=1)
    name: str
    title: str = ""
    body: str = ""
    diff: str
    texts: dict[str, str] = {}
    settings: str | None = None
    golden: list[GoldenComment]

    @property
    def files(self) -> tuple[FileDiff, ...]:
        """BadPatch for a diff that is none."""
        return parse_git_diff(self.diff)

    @property
    def targets(self) -> tuple[Golden, ...]:
        return tuple(
            Golden(one.path, one.start, one.end, one.quote, one.title, one.body) for one in self.golden
        )


def load_cases(places: Sequence[Path]) -> list[Case]:
    """Of these files, and of the `*.json` of these folders; Hob's own few where none is named. UserError for
    the first that is no case."""
    files = [file for place in places or (OURS,) for file in _files(place)]
    if not files:
        raise UserError("there is no case to try", "name a folder of *.json, or a file")
    if len(files) > MOST_CASES:
        raise UserError(f"{len(files)} cases are more than {MOST_CASES}", "name fewer")
    return [_load(file) for file in files]


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        return json_files(place)
    if place.exists():
        return [place]
    raise UserError(f"there is no file or folder {place}")


def _load(file: Path) -> Case:
    try:
        raw = read_bytes(file, MOST_BYTES)
        case = Case.model_validate_json(raw)
        files = case.files
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UserError(f"{file} is no case: {where}: {first['msg']}") from None
    except BadPatch as wrong:
        raise UserError(f"{file} is no case: diff: {wrong}") from None
    if not files:
        raise UserError(f"{file} is no case: diff: it shows no file", "give what `git diff` prints")
    return case


def of_replay(facts: PullRequestFacts, remarks: Sequence[tuple[str, int, str]]) -> Case:
    """A pull request as a case; `remarks` are (path, line, text) of what people said about its new lines."""
    shown = {file.path: new_side_lines(file) for file in facts.files}
    return Case(
        version=1,
        name=f"{facts.context.repo.full_name}#{facts.number}",
        title=facts.title,
        body=facts.body,
        diff=git_diff_text(facts.files),
        texts=facts.texts,
        golden=[
            GoldenComment(path=path, start=line, end=line, quote=_line(facts, path, line), body=text[:2_000])
            for path, line, text in remarks
            if line in shown.get(path, ())
        ],
    )


def _line(facts: PullRequestFacts, path: str, number: int) -> str:
    lines = facts.texts.get(path, "").split("\n")
    return lines[number - 1] if number <= len(lines) else ""
