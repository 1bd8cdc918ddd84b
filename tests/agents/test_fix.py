"""A fix is offered when it applies, and its code is shown when it does not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agents.fix import mend
from bot.core.code_analysis import Tools
from bot.core.diff import FileDiff, parse_patch
from bot.core.facts import FixFacts, RepoContext
from bot.core.refs import Login
from bot.sanitise import suggestion_block
from bot.testing.github.pulls import suggested
from tests.agents.facts import REPO, Model, new_file

TEA = "def brew(water):\n    leaves = 3\n    return water / 0\n"


def facts(text: str = TEA, start: int = 3, end: int = 3, **more: Any) -> FixFacts:
    return FixFacts(
        RepoContext(REPO),
        "Brew",
        new_file("tea.py", text),
        text,
        start,
        end,
        ((Login("hob"), "It fails."),),
        Login("ann"),
        **more,
    )


def edits(*pairs: tuple[str, str], path: str = "tea.py") -> Model:
    told = [{"path": path, "search": one, "replace": other} for one, other in pairs]
    return Model(lambda _: {"summary": "Divides by three now.", "edits": told})


async def test_an_edit_of_the_threads_line_is_offered_for_it() -> None:
    model = edits(("water / 0", "water / 3"))
    mended = await mend(facts(wish="use three"), model)
    assert mended.change is not None
    assert (mended.change.start, mended.change.end, mended.change.new) == (3, 3, "    return water / 3")
    assert mended.words == "Divides by three now."
    (prompt,) = model.prompts
    assert (prompt.role, prompt.inputs["wish"], prompt.inputs["lines"]) == (
        "code",
        "use three",
        "    return water / 0",
    )


async def test_an_edit_inside_of_the_threads_lines_becomes_one_for_all_of_them() -> None:
    mended = await mend(facts(start=1, end=3), edits(("leaves = 3", "leaves = 4")))
    assert mended.change is not None
    assert (mended.change.start, mended.change.end) == (1, 3)
    assert mended.change.after == TEA.replace("leaves = 3", "leaves = 4")


async def test_an_edit_beside_the_threads_lines_has_lines_of_its_own() -> None:
    mended = await mend(facts(), edits(("leaves = 3", "leaves = 4")))
    assert mended.change is not None
    assert (mended.change.start, mended.change.end) == (2, 2)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (edits(("water / 0", "water / 3"), path="pot.py"), "the fix needs other files too"),
        (edits(("nowhere", "x")), "does not stand there"),
        (edits(("e", "x")), "does not stand there"),
        (edits(("", "x")), "nothing but blanks"),
        (edits(), "the model changed nothing"),
        (edits(("water / 0", "water / 0")), "the model changed nothing"),
    ],
)
async def test_what_cannot_be_applied_is_said(model: Model, why: str) -> None:
    mended = await mend(facts(), model)
    assert mended.change is None
    assert why in mended.words


async def test_a_fix_that_does_not_fit_one_hunk_is_shown_and_not_offered() -> None:
    text = "".join(f"a{n} = {n}\n" for n in range(1, 30))
    file = FileDiff(
        "tea.py", "modified", parse_patch("@@ -2 +2 @@\n-x\n+a2 = 2\n@@ -20 +20 @@\n-x\n+a20 = 20")
    )
    both = edits(("a2 = 2\n", "a2 = 22\n"), ("a20 = 20\n", "a20 = 21\n"))
    mended = await mend(replace(facts(text, 2, 2), file=file), both)
    assert mended.change is None
    assert "does not fit into one hunk" in mended.words
    assert "a20 = 21" in mended.words


async def test_a_fix_that_breaks_the_file_is_not_offered() -> None:
    mended = await mend(facts(), edits(("water / 0", "water / (")))
    assert mended.change is None
    assert "would not parse" in mended.words


async def test_X7_code_of_a_fix_cannot_leave_its_fence() -> None:
    mended = await mend(
        facts(tools=Tools(still_parses=lambda *_: False)), edits(("water / 0", "1\n```\n@ann"))
    )
    assert mended.change is None
    assert "\n````\n    return 1\n```\n@ann\n````" in mended.words


async def test_R10_no_model_is_said_in_a_line() -> None:
    mended = await mend(facts(), Model(lambda _: "no model host answered"))
    assert mended.words == "I could not write a fix: no model host answered"


LINES = st.lists(st.sampled_from(["a = 1", "b = 2", "c = 3", "    d = 4", ""]), min_size=1, max_size=8)


@given(LINES, LINES, st.integers(1, 8), st.integers(0, 3))
async def test_what_is_offered_makes_exactly_the_edited_file(
    old: list[str], new: list[str], start: int, more: int
) -> None:
    before, after = "\n".join(old) + "\n", "\n".join(new) + "\n"
    start = min(start, len(old))
    asked = facts(before, start, min(len(old), start + more), tools=Tools(still_parses=lambda *_: True))
    mended = await mend(asked, edits((before, after)))
    if mended.change is not None:
        assert mended.change.after == after
        block = suggestion_block(mended.change.suggestion)
        assert block is not None
        assert suggested(before, block, mended.change.start, mended.change.end) == after
