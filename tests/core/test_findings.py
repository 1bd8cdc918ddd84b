"""Which remarks are made, and how one is known again."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.findings import Finding, choose, fingerprint
from bot.core.settings import SEVERITIES


def finding(severity="major", title="Off by one", **more):
    return Finding(
        **{"path": "a.py", "category": "bug", "body": "because", **more}, severity=severity, title=title
    )


FINDINGS = st.lists(
    st.builds(
        Finding,
        path=st.sampled_from(["a.py", "b.py"]),
        severity=st.sampled_from(SEVERITIES),
        category=st.sampled_from(["bug", "style"]),
        title=st.sampled_from(["one thing", "another", "third"]),
        body=st.just("b"),
        quote=st.sampled_from(["", "x = 1", "  x  =  1", "y = 2"]),
        confidence=st.floats(),
        source=st.sampled_from(["model", "model", "ruff", "secrets"]),
        line=st.none() | st.integers(1, 9),
    ),
    max_size=20,
)


@given(FINDINGS, st.sampled_from(SEVERITIES), st.integers(-1, 6), st.randoms())
def test_P9_nothing_is_lost_nothing_shown_twice_and_the_order_given_does_not_matter(
    findings, floor, cap, rng
):
    chosen = choose(findings, min_severity=floor, max_comments=cap)
    together = [*chosen.shown, *chosen.below_severity, *chosen.over_cap, *chosen.repeated]
    assert len(together) == len(findings)
    assert len(chosen.shown) <= max(0, cap)
    assert len({fingerprint(one) for one in chosen.shown}) == len(chosen.shown)
    assert all(0 <= one.confidence <= 1 for one in together)
    ranks = [SEVERITIES.index(one.severity) for one in chosen.shown]
    assert ranks == sorted(ranks)
    assert all(rank <= SEVERITIES.index(floor) for rank in ranks)
    shuffled = findings[:]
    rng.shuffle(shuffled)
    assert [fingerprint(one) for one in choose(shuffled, min_severity=floor, max_comments=cap).shown] == [
        fingerprint(one) for one in chosen.shown
    ]


@pytest.mark.parametrize(
    "differ", [{"source": "secrets"}, {"category": "key"}, {"content": "b"}, {"symbol": "f"}, {"ordinal": 2}]
)
def test_P9_of_two_that_differ_in_what_names_them_alone_the_same_is_shown(differ):
    one = finding("minor", "third", source="ruff", content="a")
    other = replace(one, **differ)
    shown = [
        choose(some, min_severity="minor", max_comments=1).shown for some in ([one, other], [other, one])
    ]
    assert shown[0] == shown[1]
    assert len(shown[0]) == 1


@given(FINDINGS)
def test_P8_what_a_check_proved_is_hidden_by_no_model(findings):
    secret = finding("critical", "A private key", source="secrets", category="key", quote="BEGIN", line=5)
    chosen = choose([*findings, secret], min_severity="critical", max_comments=99)
    assert secret in chosen.shown


def test_P8_a_models_thousand_critical_remarks_leave_room_for_the_secret():
    flood = [
        finding("critical", f"Bad thing {number}", line=number + 1, quote=f"x{number}")
        for number in range(1000)
    ]
    secret = finding("critical", "A token", source="secrets", line=7, confidence=0.2, quote="ghp")
    assert choose([*flood, secret], min_severity="nit", max_comments=1).shown == (secret,)


def test_the_worst_come_first_and_then_the_surest():
    made = [
        finding("minor", line=1, quote="a"),
        finding("critical", line=3, quote="b", confidence=0.4),
        finding("critical", line=5, quote="c", confidence=0.9),
        finding("nit", line=7, quote="d"),
    ]
    chosen = choose(made, min_severity="minor", max_comments=2)
    assert [one.line for one in chosen.shown] == [5, 3]
    assert [one.line for one in chosen.over_cap] == [1]
    assert [one.line for one in chosen.below_severity] == [7]


def test_two_remarks_on_the_same_lines_are_one():
    first, second = (
        finding("critical", start_line=3, line=6, quote="a"),
        finding("major", "Other", line=5, quote="b"),
    )
    assert choose([second, first], min_severity="nit", max_comments=9).repeated == (second,)
    apart = replace(second, line=7)
    assert choose([apart, first], min_severity="nit", max_comments=9).shown == (first, apart)


def test_what_repeats_a_point_that_was_said_before_is_not_said_either():
    proved = finding("major", "eval is unsafe", source="ruff", line=5, quote="return eval(x)")
    echo = finding("major", "eval of input", line=5, quote="return eval(x)")
    other = finding("minor", "Unused", line=9, quote="import sys")
    first = choose([proved, echo], min_severity="nit", max_comments=9)
    assert first.shown == (proved,)
    posted = frozenset(map(fingerprint, first.shown))
    again = choose([proved, echo, other], min_severity="nit", max_comments=9, posted=posted)
    assert (again.shown, again.standing) == ((other,), (proved,))


@pytest.mark.parametrize(
    "same",
    [
        {"line": 99, "start_line": 90},
        {"quote": "\tif a:\n\t\treturn b\n"},
        {"quote": "if a:\r\n  return b"},
        {"title": "Said in other words", "body": "x", "confidence": 0.1, "severity": "minor"},
    ],
)
def test_a_moved_reindented_or_reworded_point_is_the_same(same):
    one = finding(quote="if a:\n    return b", line=3)
    assert fingerprint(replace(one, **same)) == fingerprint(one)


@pytest.mark.parametrize("other", [{"quote": "if a:\n    return c"}, {"path": "b.py"}, {"source": "ruff"}])
def test_another_code_file_or_source_is_another_point(other):
    one = finding(quote="if a:\n    return b")
    assert fingerprint(replace(one, **other)) != fingerprint(one)


def test_a_point_without_a_quote_is_known_by_its_words():
    assert fingerprint(finding(title="The README lacks it")) == fingerprint(
        finding(title="it lacks: the readme!")
    )
    assert fingerprint(finding(title="The README lacks it")) != fingerprint(finding(title="No tests"))


def test_two_rules_of_a_check_on_one_line_are_two_points():
    one = finding(source="ruff", category="F401", quote="import os", line=1)
    two = replace(one, category="E401")
    assert len(choose([one, two], min_severity="nit", max_comments=9).shown) == 2


def test_shuffling_a_thousand_is_quick_enough():
    many = [finding(title=f"t{number}", quote=f"q{number}", line=number * 2 + 1) for number in range(1000)]
    random.Random(1).shuffle(many)
    assert len(choose(many, min_severity="nit", max_comments=8).over_cap) == 992
