"""What workflows say about labels."""

import pytest

from bot.core.labels import ANY
from handlers.label_listeners import listened_to
from tests.spent import Spent

LABELS = ["Bug", "p1", "area/api", "area-web", "good first issue", "needs-info", "docs"]
ON = "on:\n  issues:\n    types: [opened, labeled]\njobs:\n  a:\n"


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        (ON + "    if: github.event.label.name == 'bug'\n", {"bug"}),
        (ON + "    if: contains(github.event.issue.labels.*.name, 'P1')\n", {"p1"}),
        ("on: pull_request_target\njobs:\n  a:\n    if: >-\n      contains("
         "github.event.pull_request.labels.*.name,"
         "\n      'good first issue')\n", {"good first issue"}),
        (ON + "    if: startsWith(github.event.label.name, 'area')\n", {"area/api", "area-web"}),
        (ON + "    if: contains(fromJSON('[\"bug\", \"docs\"]'), github.event.label.name)\n",
         {"bug", "docs"}),
        (ON + "    env:\n      WANTED: needs-info\n    if: env.WANTED == github.event.label.name\n",
         {"needs-info"}),
        ("on: {schedule: []}\njobs: {a: {steps: [{run: gh pr list --label p1 | xargs gh pr merge}]}}\n",
         {"p1"}),
        ("on: push\njobs: {a: {steps: [{script: 'if (labels.includes(\"docs\")) deploy()'}]}}\n",
         {"docs"}),
        (ON + "    steps: [{run: echo}]\n", {ANY}),
        (ON + "    # if: github.event.label.name == 'bug'\n    if: github.event.label.name == 'nosuch'\n",
         {ANY}),
        ("on: push\njobs: {bug: {steps: [{run: make p1 docs}]}}\n", set()),
        ("on:\n  pull_request:\n    types: [labeled]\npermissions: {issues: write}\njobs: {a: {}}\n", set()),
        ("on:\n  issues:\n    types: labeled\njobs: {a: {}}\n", {ANY}),
        (ON + "    if: github.event.label.name == 'debug'\n    x: [unclosed\n", {ANY}),
        ("", set()),
    ],
)  # fmt: skip
def test_P4_labels_that_a_workflow_acts_on_are_found(text: str, heard: set[str]) -> None:
    assert listened_to({"w.yml": text}, LABELS) == dict.fromkeys(heard, "w.yml")


@pytest.mark.parametrize(
    "piece", ["labeled ", "if: ", "contains(", "#", " ", "event.", "label", "bug", "[", "contains(label,"]
)
def test_reading_grows_with_the_text(piece: str) -> None:
    def seconds(size: int) -> float:
        text = "labeled" + piece * (size // len(piece))
        with Spent() as spent:
            listened_to({"w.yml": text}, LABELS)
        return spent.seconds

    assert seconds(240_000) < max(0.5, 12 * seconds(60_000))
