"""What texts say of other issues."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.mentions import Mention, in_branch, mentions


def said(text: str) -> list[tuple[str, str]]:
    return [(one.relation, one.issue) for one in mentions(text, "Octo/Tea")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Fixes #12", [("fixes", "12")]),
        ("closes: octo/tea#12 and #13.", [("fixes", "12"), ("fixes", "13")]),
        ("resolved https://github.com/octo/tea/issues/7#issuecomment-1", [("fixes", "7")]),
        ("This fixes the issue #4", [("fixes", "4")]),
        ("**Blocked by:** #1 and O/Cups#3", [("blocked_by", "1"), ("blocked_by", "o/cups#3")]),
        ("Depends on:\n- [ ] #5\n- [x] #6", [("blocked_by", "5"), ("blocked_by", "6")]),
        ("Depends on #5, #6.\n\nSee #7", [("blocked_by", "5"), ("blocked_by", "6"), ("mentions", "7")]),
        ("waiting for https://github.com/o/r/pull/3", [("blocked_by", "o/r#3")]),
        ("This blocks #8", [("blocks", "8")]),
        ("is a prerequisite for #8", [("blocks", "8")]),
        ("Duplicate of #9", [("duplicates", "9")]),
        ("Start after #3 is merged", [("blocked_by", "3")]),
        ("once #3 and #4 have landed, and not before", [("blocked_by", "3"), ("blocked_by", "4")]),
        ("Not until #3 lands. After #4 I went home", [("blocked_by", "3"), ("mentions", "4")]),
        ("#5 is blocked by #3, which blocks #4", [("mentions", "5"), ("mentions", "3"), ("mentions", "4")]),
        ("see #5. Blocked by #3 and blocks #4", [("mentions", "5"), ("blocked_by", "3"), ("blocks", "4")]),
        ("#1 which is still waiting for #2", [("mentions", "1"), ("mentions", "2")]),
        ("like GH-3 but worse", [("mentions", "3")]),
        ("no longer blocked by #3", [("mentions", "3")]),
        ("It doesn't block #3 and is not a duplicate of #4", [("mentions", "3"), ("mentions", "4")]),
        ("#5 is ugly; this fixes #5", [("fixes", "5")]),
        ("prefixes #5", [("mentions", "5")]),
        ("# 5, issue#, a#5, #5a, &#39; #0 ##7", []),
        ("`fixes #1` <!-- fixes #2 --> and\n\n> fixes #3\n\n```\nfixes #4\n```", []),
    ],
)  # fmt: skip
def test_a_reference_has_the_relation_that_is_said_before_it(text: str, found: list[tuple[str, str]]) -> None:
    assert said(text) == found


@pytest.mark.parametrize(
    ("branch", "numbers"),
    [
        ("fix/12-burnt-tea", (12,)),
        ("ann/gh-12", (12,)),
        ("issue_12_and_13", (12, 13)),
        ("issues-7", (7,)),
        ("12", (12,)),
        ("release-2.0", ()),
        ("python3", ()),
        ("v12-fix", ()),
        ("", ()),
    ],
)
def test_a_branch_is_named_after_issues(branch: str, numbers: tuple[int, ...]) -> None:
    assert in_branch(branch) == numbers


@given(st.text(alphabet="fixes blockedby#123/-[]`<!-> \n>*,oct", max_size=300))
def test_any_text_is_read(text: str) -> None:
    found = mentions(text, "octo/tea")
    assert len(set(found)) == len(found)


def test_W8_hostile_length_is_read_in_no_time_and_bounded() -> None:
    assert len(mentions("fixes " + "#1234567, " * 50_000)) == 1
    assert len(mentions(" ".join(f"#{n}" for n in range(1, 50_000)))) == 200
    assert mentions("<!--" * 20_000 + "`" * 20_000 + "fixes fixes " * 5_000) == ()
    assert mentions("blocked " * 7_000 + "by #1") == (Mention("blocked_by", "1"),)
