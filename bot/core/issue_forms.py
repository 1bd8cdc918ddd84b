"""Issue forms: what was asked, and what was answered.

What somebody fills in becomes the issue's text: a heading `### Label` for each field, and below it the value,
or `_No response_`. A value may hold headings of its own: only those that are a label of the form count.
https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.folding import folded
from bot.core.markdown_blocks import read

NO_RESPONSE = "_No response_"
LONGEST_TEXT = 70_000
_HEADING = re.compile(r"### {1,10}(\S.{0,299})")
_FENCE = re.compile(r"^(?:`{3,40}|~{3,40}).{0,80}$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.{0,2000}?-->", re.DOTALL)
_TICKED = re.compile(r"^- \[[xX]\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FormField:
    """`kind` as GitHub names it: input, textarea, dropdown, checkboxes, upload."""

    label: str
    required: bool = False
    kind: str = "input"


@dataclass(frozen=True, slots=True)
class IssueForm:
    """One file of `.github/ISSUE_TEMPLATE`."""

    name: str
    fields: tuple[FormField, ...] = ()


@dataclass(frozen=True, slots=True)
class FilledForm:
    """A form as an issue's text answers it; a field whose heading is gone is an empty one."""

    form: IssueForm
    answers: Mapping[str, str] = field(default_factory=dict)
    """label -> value, where there is one"""

    @property
    def missing(self) -> tuple[str, ...]:
        """The labels of required fields without an answer."""
        return tuple(one.label for one in self.form.fields if one.required and one.label not in self.answers)


def filled(body: str, forms: Sequence[IssueForm]) -> FilledForm | None:
    """The form whose labels most headings of the text are; None where they are those of none. At least half
    of a form's fields, for people write `### Version` themselves."""
    sections = _sections(body[:LONGEST_TEXT])
    best: tuple[int, IssueForm] | None = None
    for form in forms:
        hits = sum(folded(one.label) in sections for one in form.fields)
        if hits * 2 >= len(form.fields) and hits and (best is None or hits > best[0]):
            best = hits, form
    if best is None:
        return None
    labels = {folded(one.label): one for one in best[1].fields}
    values = _sections(body[:LONGEST_TEXT], labels)
    answers = {
        one.label: values[name] for name, one in labels.items() if _answered(values.get(name, ""), one)
    }
    return FilledForm(best[1], answers)


def _sections(body: str, only: Mapping[str, FormField] | None = None) -> dict[str, str]:
    """Folded heading -> what stands below it up to the next of `only` (or of any) headings, those in code
    left out; the first of two that are alike."""
    found: dict[str, list[str]] = {}
    under: list[str] = []
    for line, block in read(body):
        heading = _HEADING.fullmatch(line) if block.kind == "heading" and not block.quoted else None
        name = folded(heading[1]) if heading else ""
        if name and (only is None or name in only):
            under = []
            found.setdefault(name, under)
        else:
            under.append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}


def _answered(value: str, asked: FormField) -> bool:
    if asked.kind == "checkboxes":
        return bool(_TICKED.search(value))
    rest = _FENCE.sub("", _COMMENT.sub("", value)).strip()
    return bool(rest) and rest != NO_RESPONSE and not (asked.kind == "dropdown" and rest == "None")
