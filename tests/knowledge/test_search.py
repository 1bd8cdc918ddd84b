"""What is searched is found, says why, and is where it says."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.errors import UserError
from bot.core.knowledge import Found, KnownIssue
from bot.knowledge.local import Local
from bot.knowledge.parsing.languages import is_source
from bot.knowledge.parsing.tokens import indexed
from bot.knowledge.search.query import query_terms
from bot.knowledge.search.ranking import (
    WEIGHTS,
    Part,
    faded_sum,
    from_history,
    from_names,
    from_recent,
    functions,
    rank,
    rarest,
)
from bot.knowledge.search.search import Search
from bot.knowledge.search.signals import rare_terms
from bot.knowledge.storage.types import Hit
from tests.agents.conftest import make_repository
from tests.knowledge.conftest import CUP, TEA, Services


def check(checkout: Services, found: list[Found]) -> None:
    """Every result names lines that are there."""
    for each in found:
        data = checkout.repo.blob(
            checkout.repo.objects([f"{each.sha}:{each.path}"])[f"{each.sha}:{each.path}"][1]
        )
        assert data is not None
        assert 1 <= each.start <= each.end <= len(data.decode().splitlines())


def test_words_lead_to_the_function_that_holds_them(tea: Services) -> None:
    tip = tea.repo.resolve("main")
    found = tea.search.search("How long does it wait for the leaves?")
    assert (found[0].path, found[0].symbol, found[0].start) == ("src/tea.py", "steep", 6)
    assert found[0].sha == tip
    assert found[0].why[0] == "words: wait, leaves"
    check(tea, found)


def test_a_name_leads_to_its_definition_before_its_uses(tea: Services) -> None:
    found = tea.search.search("Pot.pour")
    assert (found[0].path, found[0].symbol) == ("src/tea.py", "Pot.pour")
    assert "named in the query: Pot.pour" in found[0].why


def test_a_line_of_a_stack_trace_leads_to_what_stands_there(tea: Services) -> None:
    found = tea.search.search('Traceback:\n  File "/home/ann/src/tea.py", line 13, in pour\nNothing to drink')
    assert (found[0].path, found[0].symbol) == ("src/tea.py", "Pot.pour")


def test_a_query_of_nothing_but_a_place_leads_there(tea: Services) -> None:
    tea.commit({f"docs/{at}.md": "cup.py 3 cup py\n" * 9 for at in range(9)}, "cup.py")
    tea.index()
    found = tea.search.search("cup.py:3")
    assert (found[0].path, found[0].symbol) == ("src/cup.py", "Cup.fill")


@pytest.mark.parametrize(
    ("text", "spout", "kettle"),
    [
        ("The spout of a kettle", 1, 1),
        ("The spout drips\nKettle, kettle, kettle and spout, spout, spout: 42, 42, 42!", 1, 1),
        ("The spout drips\n" + "It drips 17 times from the spout of the kettle. " * 30, 1, 1),
        ("The spout drips\nSpout and kettle of `Pot.pour`", 4, 1),
        ("The kettle\nKettle, kettle and spout in src/tea.py", 1, 4),
        ("The spout\nKettle, kettle and spout in src/tea.py", 4, 2),
    ],
)
def test_a_word_counts_by_how_often_it_is_there_only_where_the_text_names_something(
    tea: Services, text: str, spout: int, kettle: int
) -> None:
    kettles = {f"src/{n}.py": f"def boil_{n}(kettle):\n    kettle.heat({n})\n" for n in range(60)}
    tea.commit({**kettles, "src/spout.py": "def drip(spout):\n    spout.kettle()\n"})
    tea.index()
    counts = Counter(rare_terms(tea.index_store, text, query_terms(text))[0])
    assert (counts["spout"], counts["kettl"]) == (spout, kettle)


def test_a_past_commit_leads_to_the_files_it_touched(tea: Services) -> None:
    tip = tea.commit({"src/cup.py": CUP + "\n\nSIZE = 3\n"}, "Stop overflowing when it rains")
    tea.index()
    (found,) = tea.search.search("overflowing rain")
    assert found.path == "src/cup.py"
    assert found.why == (f'touched by {tip[:7]} "Stop overflowing when it rains"',)
    check(tea, [found])


def test_a_path_leads_to_its_file(tea: Services) -> None:
    found = tea.search.search("what is src/cup.py for")
    assert found[0].path == "src/cup.py"
    assert "named in the query: src/cup.py" in found[0].why


def test_commits_issues_and_pull_requests_are_found_where_they_are_asked_for(tea: Services) -> None:
    issues = [
        KnownIssue(1, "issue", "open", "Tea is cold", "It stood for leaves.", "ann"),
        KnownIssue(2, "pull_request", "merged", "Warm the tea", "", "ben"),
    ]
    tea.index_store.put_issues([(each, indexed(f"{each.title}\n{each.body}")) for each in issues])
    every = tea.search.search("tea", kinds=["code", "commit", "issue", "pull_request"])
    assert {each.kind for each in every} == {"code", "commit", "issue", "pull_request"}
    assert [each.number for each in tea.search.search("tea", kinds=["issue"])] == [1]
    (pull,) = tea.search.search("warm tea", kinds=["pull_request"])
    assert (pull.number, pull.title, pull.why) == (2, "Warm the tea", ("words: warm, tea",))
    (commit,) = tea.search.search("making tea", kinds=["commit"])
    assert (commit.sha, commit.title) == (tea.repo.resolve("main"), "Make tea")


def test_another_commit_is_searched_as_it_is_there(tea: Services) -> None:
    base = tea.repo.resolve("main")
    moved = "\n\n\n" + TEA.replace("steep", "brew")
    head = tea.repo.write(
        "refs/pull/1/head",
        {"src/tea.py": None, "src/kettle.py": moved},
        parent=base,
        message="x",
        author="B",
        at=2e9,
    )
    found = tea.search.search("wait for the leaves", at=head)
    assert (found[0].path, found[0].symbol, found[0].start) == ("src/kettle.py", "brew", 9)
    assert found[0].sha == head
    assert "src/tea.py" not in [each.path for each in found]
    check(tea, found)
    assert [each.path for each in tea.search.search("brew")] == []
    assert tea.search.search("wait for the leaves")[0].path == "src/tea.py"
    tea.commit({"src/tea.py": moved})
    tea.index()
    old = tea.search.search("wait for the leaves", at=base)
    assert (old[0].symbol, old[0].start, old[0].sha) == ("steep", 6, base)
    check(tea, old)


@pytest.mark.parametrize("sha", ["0" * 40, "nonsense", "--all"])
def test_a_commit_that_is_not_there_is_said(tea: Services, sha: str) -> None:
    with pytest.raises(UserError, match="no commit"):
        tea.search.search("tea", at=sha)


def test_passages_may_be_several_of_one_file(tea: Services) -> None:
    found = tea.search.passages("steep leaves pour cup")
    assert {each.symbol for each in found if each.path == "src/tea.py"} == {"Pot.pour", "steep"}
    check(tea, found)


def test_what_is_close_in_meaning_is_found_without_a_common_word(tea: Services) -> None:
    (chunk,) = tea.index_store.defined(["Cup.fill"])
    search = Search(tea.index_store, tea.git, nearest=lambda text: [Hit(chunk.id, 0.9), Hit(999, 0.5)])
    (found,) = search.search("decant beverage")
    assert (found.path, found.why) == ("src/cup.py", ("close in meaning",))


def test_an_empty_index_finds_nothing(checkout: Services) -> None:
    assert checkout.search.search("anything", kinds=["code", "commit", "issue"]) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text() | st.sampled_from(["tea.py:99999999999", "::", "`", "a" * 30_000, "steep " * 9_000, "\ud800"])
)
def test_any_text_may_be_asked(tea: Services, query: str) -> None:
    check(tea, tea.search.search(query))


def test_parts_are_shares_of_their_largest() -> None:
    parts: dict[Part, dict[str, float]] = {"chunk": {"a": 10.0, "b": 5.0}, "file": {"b": 0.2}, "vector": {}}
    assert rank(parts, {"chunk": 1.0, "file": 1.0, "vector": 9.0}) == [("b", 0.75), ("a", 0.5)]
    assert rank(parts, {"chunk": 1.0}) == [("a", 1.0), ("b", 0.5)]
    assert rank({}) == []


def test_tests_and_documents_come_behind_unless_they_are_named() -> None:
    parts: dict[Part, dict[str, float]] = {"chunk": {"a.py": 2.0, "tests/test_a.py": 8.0, "b.py": 1.0}}
    assert rank(parts, first=is_source) == [("a.py", 1.0), ("b.py", 0.5), ("tests/test_a.py", 0.3)]
    named = {**parts, "place": {"tests/test_a.py": 1.0}}
    assert rank(named, first=is_source)[0] == ("tests/test_a.py", 1.0)
    assert rank({"chunk": {"README.md": 4.0}}, first=is_source) == [("README.md", 0.3)]


def test_the_parts_themselves() -> None:
    assert faded_sum([("a", 1.0), ("a", 4.0), ("a", 2.0), ("b", 5.0)]) == {"a": 5.25, "b": 5.0}
    history = [(2.0, ["a"]), (1.0, ["a", "b", "c", "d"]), (9.0, [str(n) for n in range(31)]), (9.0, [])]
    assert from_history(history) == {"a": 1.125, "b": 0.125, "c": 0.125, "d": 0.125}
    assert from_recent([["new"], ["old"], ["new"]])["new"] > from_recent([["new"], ["old"]])["old"]
    assert from_names([["a"], ["a", "b"]]) == {"a": 1.5, "b": 0.5}
    assert rarest({"x": 1, "y": 1, "z": 1, "w": 1}, {"x": 9, "y": 1, "z": 5, "w": 0}, 2) == ["y", "z"]
    assert rarest({"x": 3, "y": 1}, {"x": 9, "y": 5}, 1) == ["x"]


def test_functions_are_ranked_by_their_words_their_names_and_their_files() -> None:
    places, files = {1: "a", 2: "b", 3: "a"}, {"a": 1.0}
    alone = functions({1: 2.0, 2: 4.0, 3: 1.0}, {}, places, files)
    assert [number for number, _ in alone] == [1, 3, 2]
    assert [number for number, _ in functions({1: 2.0, 3: 1.9}, {3: 1.0}, places, files)] == [3, 1]
    assert functions({1: 2.0}, {1: 1.0}, places, files) == [(1, 1.0)]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("src/tea.py", True),
        ("contest/latest.go", True),
        ("lib/testing.js", True),
        ("web/view.vue", True),
        ("tests/conftest.py", False),
        ("pkg/tea_test.go", False),
        ("src/TeaTest.java", False),
        ("a/tea.spec.ts", False),
        ("docs/build.py", False),
        ("README.md", False),
        ("app.yml", False),
        ("unknown.xyz", False),
    ],
)
def test_what_belongs_to_the_program_is_told_by_its_name(path: str, source: bool) -> None:
    assert is_source(path) is source


scores = st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1e6), max_size=4)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(WEIGHTS)), scores))
def test_no_score_leaves_its_bounds(parts: dict[Part, dict[str, float]]) -> None:
    ranked = rank(parts)
    assert all(0 <= score <= 1 + 1e-9 for _, score in ranked)
    assert [score for _, score in ranked] == sorted((score for _, score in ranked), reverse=True)


async def test_what_comes_first_is_there_and_hides_nothing_that_the_search_had_first(tmp_path: Path) -> None:
    many = {f"shelf{n:02}.py": f"def fetch_biscuits_{n}():\n    return 'biscuits'\n" * 6 for n in range(18)}
    tin = {"tin.py": "def open_tin():\n    return 'biscuits'\n"}
    local = Local(make_repository(tmp_path, many | tin), tmp_path / "data")
    local.index(lambda *_: None)
    query = "where are the biscuits fetched from?"
    plain = await local.indexed.search(query)
    alone = await local.indexed.search(query, first=["tin.py", "no.py"])
    assert (alone[0].path, alone[0].lines[0]) == ("tin.py", "def open_tin():")
    assert "tin.py" not in {one.path for one in plain}
    wrong = [path for path in sorted(many) if path not in {one.path for one in plain}][:10]
    found = await local.indexed.search(query, first=wrong)
    assert [one.path for one in found][:8] == wrong[:8], "each with one, before any has a second"
    assert plain[0].path in {one.path for one in found}
