"""A plan that people edited, planned anew: their words and ticks stay, the rest gives way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.plan_text import merged
from tests.spent import Spent

OWN = """**Plan**

- [ ] **Boil water** (code): in the kettle
- [ ] **Warm the pot**: hot
- [ ] **Serve**: soon

**Files**

- `tea.py`

**Risks**

- It burns.

*Edit and tick as you like.*"""
NEW = """**Plan**

- [ ] **Boil water** (code): in the new kettle
- [ ] **Warm the pot**: hotter
- [ ] **Pour**: slowly

**Files**

- `tea.py`
- `pot.py` (new)

**Open questions**

- How long?

*Edit and tick as you like.*"""


def test_what_nobody_touched_gives_way_to_the_new_plan() -> None:
    assert merged(OWN, OWN, NEW) == NEW


def test_the_same_plan_changes_nothing() -> None:
    assert merged(OWN, OWN, OWN) == OWN
    assert merged(OWN, OWN.replace("\n", "\r\n"), OWN) == OWN


def test_what_people_ticked_stays_ticked_and_is_not_dropped() -> None:
    now = OWN.replace("- [ ] **Boil", "- [x] **Boil").replace("- [ ] **Serve", "- [X] **Serve")
    got = merged(OWN, now, NEW)
    assert "- [x] **Boil water** (code): in the kettle" in got
    assert "- [X] **Serve**: soon" in got
    assert got.count("Boil water") == 1
    assert "**Warm the pot**: hotter" in got and "**Pour**: slowly" in got


def test_what_people_changed_added_or_wrote_stays_word_for_word() -> None:
    now = OWN.replace("**Warm the pot**: hot", "**Warm the pot**: lukewarm!").replace(
        "- [ ] **Serve**: soon", "- [ ] ask ann first\n  - [ ] and bob\n- [ ] **Serve**: soon"
    )
    now = "We decided on Monday.\n\n" + now + "\n\nPS: see the wiki"
    got = merged(OWN, now, NEW)
    for theirs in (
        "We decided on Monday.",
        "lukewarm!",
        "- [ ] ask ann first\n  - [ ] and bob",
        "PS: see the wiki",
    ):
        assert theirs in got
    assert "hotter" not in got and "**Serve**" not in got
    assert got.startswith(
        "We decided on Monday.\n\n**Plan**\n\n- [ ] **Boil water** (code): in the new kettle\n"
    )


def test_what_people_took_away_stays_away() -> None:
    now = OWN.replace("- [ ] **Warm the pot**: hot\n", "").replace("**Files**\n\n- `tea.py`\n\n", "")
    got = merged(OWN, now, NEW)
    assert "Warm the pot" not in got
    assert "**Files**" not in got and "tea.py" not in got
    assert "**Pour**" in got and "**Open questions**" in got


def test_a_second_time_people_words_stay_still() -> None:
    now = OWN.replace("**Warm the pot**: hot", "**Warm the pot**: lukewarm!") + "\n\nPS: see the wiki"
    once = merged(OWN, now, NEW)
    again = merged(NEW, once, NEW)
    assert again == once
    third = merged(NEW, once, OWN)
    assert "lukewarm!" in third and "PS: see the wiki" in third
    assert "**Pour**" not in third and "**Open questions**" not in third


@pytest.mark.parametrize(
    "now", ["", "no plan, thanks", "- [x]", "```\n- [ ] x\n```", "#\n#\n#", "\x00", "* " * 99]
)
def test_a_plan_edited_into_nonsense_keeps_what_people_wrote_and_gets_a_new_one(now: str) -> None:
    got = merged(OWN, now, NEW)
    assert got.endswith(NEW)
    assert got.startswith(now.strip())


@given(st.text(), st.lists(st.sampled_from(OWN.split("\n"))), st.sampled_from([OWN, NEW, ""]))
def test_no_line_of_a_persons_is_lost(own_line: str, kept: list[str], new: str) -> None:
    line = "person: " + " ".join(own_line.split())
    now = "\n".join([*kept, "", f"- [ ] {line}", "", *OWN.split("\n")[2:5]])
    assert line.rstrip() in merged(OWN, now, new)


@pytest.mark.parametrize("unit", ["- [ ] a\n", "**a**\n", "\n", "a\n\n", "- [x] b\n  c\n", "#", "**", "- "])
def test_a_hostile_plan_takes_time_by_its_length(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit)))[:size]
        with Spent() as spent:
            merged(text, text + "x", text + "y")
        return spent.seconds

    assert seconds(64_000) < 2.0
