"""Equal code at several places of one file: each is a point of its own, and is known again."""

import re
from dataclasses import replace
from difflib import unified_diff

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agents import review
from bot.agents.review import judging
from bot.agents.review.answers import FindingAnswer
from bot.agents.review.asking import ModelFinding, Reading
from bot.checks import leftovers, secrets
from bot.core import effect_history
from bot.core.check_input import CheckedChange
from bot.core.diff import FileDiff, added_lines, parse_patch
from bot.core.diff.anchor import folded
from bot.core.effects import PostReview, SetCheck
from bot.core.facts import PullRequestFacts
from bot.core.findings import Finding, fingerprint, plain
from bot.core.memory import Memory, dismissal
from bot.core.refs import Login
from tests.agents.facts import Model, pull_request
from tests.tea import finding

KEYS = ("AKIA" + "Z3QX7RTYUPLKJHGF", "AKIA" + "QW4RTYUPLMNBVC5Z")
POINT = "    leaves = pinch * 0 / water\n"


async def checked(path: str, text: str) -> PullRequestFacts:
    """A new file, with what the checks find in it."""
    facts = pull_request({path: text})
    change = CheckedChange(facts.files, facts.texts)
    found = [*(await secrets.run(change, None) or ()), *(await leftovers.run(change, None) or ())]  # type: ignore[arg-type]
    return replace(facts, checked=tuple(found))


async def reviewed(facts: PullRequestFacts, *said: dict[str, str]) -> tuple[list[Finding], SetCheck]:
    """The findings that are posted, and the check run."""
    answer = {"findings": [finding(**one) for one in said], "summary": ""}
    plan = await review.plan(facts, Model(lambda _: answer))
    (check,) = [one for one in plan.effects if isinstance(one, SetCheck)]
    return [each for one in plan.effects if isinstance(one, PostReview) for each in one.findings], check


def remembered(one: Finding, number: int) -> tuple[Memory, ...]:
    return (Memory(1, dismissal(one, "known", Login("tom"), number), 0.0),)


def posted(facts: PullRequestFacts, findings: list[Finding]) -> PullRequestFacts:
    review = PostReview(number=facts.number, head_sha=facts.head_sha, body="", findings=tuple(findings))
    return replace(facts, reviews=(review,), posted=effect_history.posted((review,)))


CASES = {
    "two keys of a kind": ("till.py", f"A = '{KEYS[0]}'\n", f"B = '{KEYS[1]}'\n"),
    "the same key twice": ("till.py", f"A = '{KEYS[0]}'\n", f"def pay():\n    return '{KEYS[0]}'\n"),
    "two breakpoints": (
        "tea.py",
        "def brew():\n    breakpoint()\n    return 1\n",
        "def pour():\n    breakpoint()\n    return 2\n",
    ),
    "two debuggers without a symbol": ("tea.js", "debugger;\n", "debugger;\n"),
}


@pytest.mark.parametrize("case", CASES)
async def test_both_are_said_and_one_that_is_dismissed_hides_no_other(case: str) -> None:
    path, first, second = CASES[case]
    facts = await checked(path, first + second)
    both, _ = await reviewed(facts)
    assert len(both) == 2
    assert len(set(map(fingerprint, both))) == 2
    for gone, left in (both, both[::-1]):
        for number in (facts.number, facts.number + 1):
            after, check = await reviewed(replace(facts, number=number, memory=remembered(gone, number)))
            assert [(one.line, one.content) for one in after] == [(left.line, left.content)]
            assert check.conclusion != "success"
    again, check = await reviewed(posted(facts, both))
    assert (again, check.title[:10]) == ([], "2 findings")


@pytest.mark.parametrize("case", ["two keys of a kind", "two breakpoints"])
@pytest.mark.parametrize("above", [True, False])
async def test_one_that_comes_later_is_said_though_the_first_was_dismissed(case: str, above: bool) -> None:
    path, first, second = CASES[case]
    ((one,), _) = await reviewed(await checked(path, first))
    facts = await checked(path, second + first if above else first + second)
    ((new,), check) = await reviewed(replace(facts, memory=remembered(one, 1)))
    assert check.conclusion != "success"
    assert new.line == (one.line if above else new.line)
    ((new,), check) = await reviewed(posted(facts, [one]))
    assert check.title.startswith("2 findings")


@pytest.mark.parametrize("case", CASES)
async def test_moved_code_is_the_same_point(case: str) -> None:
    path, first, second = CASES[case]
    both, _ = await reviewed(await checked(path, first + second))
    moved = await checked(path, "\n\n" + first + "\n\n" + second)
    assert (await reviewed(posted(moved, both)))[0] == []
    for one in both:
        assert len((await reviewed(replace(moved, memory=remembered(one, 1))))[0]) == 1


async def test_code_that_stands_once_is_known_in_a_renamed_function() -> None:
    ((one,), _) = await reviewed(await checked("tea.py", "def brew():\n    breakpoint()\n"))
    facts = await checked("tea.py", "def boil():\n    breakpoint()\n")
    assert (await reviewed(posted(facts, [one])))[0] == []


@pytest.mark.parametrize("case", ["two keys of a kind", "two breakpoints"])
async def test_what_the_version_before_kept_counts_for_the_first_place_only(case: str) -> None:
    path, first, second = CASES[case]
    facts = await checked(path, first + second)
    both, _ = await reviewed(facts)
    old = plain(both[0])
    assert fingerprint(old) == fingerprint(plain(both[1]))
    (left,), check = await reviewed(posted(facts, [old]))
    assert (left.line, check.title[:10]) == (both[1].line, "2 findings")
    (left,), _ = await reviewed(replace(facts, memory=remembered(old, facts.number)))
    assert left.line == both[1].line


async def test_a_dismissal_of_a_secret_that_the_version_before_kept_ends_with_its_pull_request() -> None:
    facts = await checked(*CASES["two keys of a kind"][:2])
    ((one,), _) = await reviewed(facts)
    memory = remembered(plain(one), facts.number + 1)
    assert len((await reviewed(replace(facts, memory=memory)))[0]) == 1


async def test_a_models_dismissed_code_hides_no_equal_code_while_it_stands() -> None:
    before = f"def brew(water, pinch):\n{POINT}    return leaves\n"
    after = before + before.replace("brew", "pour")
    told = {"path": "tea.py", "quote": POINT.rstrip(), "title": "Nothing is brewed", "category": "bug"}
    ((one,), _) = await reviewed(pull_request({"tea.py": before}), told)
    assert one.symbol == "brew"
    alike = replace(one, symbol="pour", line=5)
    facts = replace(pull_request({"tea.py": after}), memory=remembered(alike, 1))
    found, _ = await reviewed(facts, {**told, "quote": f"def brew(water, pinch):\n{POINT.rstrip()}"})
    assert [(each.start_line, each.symbol) for each in found] == [(1, "brew")]


async def test_upgrading_counts_no_point_twice() -> None:
    facts = pull_request({"tea.py": f"def brew(water, pinch):\n{POINT}    return leaves\n"})
    told = {"path": "tea.py", "quote": POINT.rstrip(), "title": "Nothing is brewed", "category": "bug"}
    found, _ = await reviewed(facts, told)
    again, check = await reviewed(posted(facts, list(map(plain, found))), told)
    assert (again, check.title[:9]) == ([], "1 finding")


# -- equal lines that a model quotes


TWICE = "def brew(water):\n    return water / 0\n\n\ndef pour(water):\n    return water / 0\n"


@pytest.mark.parametrize("quotes", [1, 2, 3])
async def test_equal_faulty_lines_get_comments_in_their_order(quotes: int) -> None:
    said = [{"quote": "    return water / 0", "title": f"Fault number {n}"} for n in range(quotes)]
    found, _ = await reviewed(pull_request({"tea.py": TWICE}), *said)
    assert sorted(one.line or 0 for one in found)[:2] == [2, 6][:quotes]
    assert [one.body.endswith("Also at line 6.") for one in found] == [quotes == 1] * len(found)


@pytest.mark.parametrize("line", ["    return", "}", "    pass", ")"])
async def test_lines_that_say_nothing_stay_without_a_number(line: str) -> None:
    found, _ = await reviewed(
        pull_request({"tea.txt": f"a\n{line}\nb\n{line}\n"}), {"path": "tea.txt", "quote": line}
    )
    assert [one.line for one in found] == [None]


LINES = st.lists(
    st.sampled_from(["x = eval(y)", "y = 1 / 0", "}", "return", "plain", "  x = eval(y)"]), max_size=9
)


@given(
    LINES,
    LINES,
    st.lists(st.sampled_from(["x = eval(y)", "y = 1 / 0", "}", "return", "+y = 1 / 0"]), max_size=6),
)
def test_no_finding_is_on_a_wrong_line_and_none_is_lost(
    old: list[str], new: list[str], quotes: list[str]
) -> None:
    diff = list(unified_diff(old, new, lineterm="", n=1))
    hunks = parse_patch("\n".join(diff[2:])) if diff else ()
    file = FileDiff("a.c", "modified", hunks)
    facts = replace(pull_request({"a.c": "\n".join(new)}), files=(file,))
    shown = [folded(line.text) for hunk in hunks for line in hunk.new_side]
    there = [quote for quote in quotes if folded(quote.removeprefix("+")) in shown]
    answers = [
        FindingAnswer.model_validate(finding(path="a.c", quote=quote, title=f"T{n}", body=""))
        for n, quote in enumerate(there)
    ]
    said = tuple(ModelFinding(one, ("a.c",), True, 0, 0, (file,)) for one in answers)
    made = judging.judged(Reading(said, (), (), (), readings=(1,)), facts)
    assert len(made.findings) + made.dropped[judging.UNQUOTED] == len(said)
    assert not made.dropped[judging.UNQUOTED]
    inside = {line.new: line.text for hunk in hunks for line in hunk.new_side}
    for quote in set(there):
        wanted = quote.removeprefix("+")
        exact = {n for n, text in inside.items() if text == wanted}
        places = exact or {n for n, text in inside.items() if folded(text) == wanted}
        touched = places & added_lines(file)
        some = [one for one in made.findings if one.quote.removeprefix("+") == wanted]
        on = {one.line for one in some} - {None}
        also = {n for one in some for n in map(int, re.findall(r"[0-9]+", one.body))}
        assert on | also <= (touched or places)
        if wanted not in ("}", "return") and touched:
            assert on | also == touched
            assert all(one.line for one in some)
        elif len(places) > 1:
            assert not on
