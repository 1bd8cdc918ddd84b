"""What hangs together in a real repository with its index."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.knowledge import Edge, GraphNode, KnownIssue
from bot.knowledge.edges import edges, neighbours
from bot.knowledge.git import Git
from bot.knowledge.graph import Graph
from bot.knowledge.indexing import update
from bot.knowledge.issues import RepositoryIssues
from bot.knowledge.search.repository_search import Indexed
from bot.knowledge.storage import IndexStore
from bot.testing.github.git import GitRepo

POT = (
    "from shop.cup import Cup\n\n\ndef pour(pot):\n    Cup().fill(pot)\n    return check(pot)\n"
    "\n\ndef check(pot):\n    return pot\n"
)
CUP = "class Cup:\n    def fill(self, tea):\n        self.tea = tea\n"
VAT = "class Vat:\n    def fill(self, beer):\n        self.beer = beer\n"
BAR = (
    "from shop import pot\n\n\ndef serve():\n    return pot.pour(1)\n"
    "\n\ndef brew(thing):\n    thing.fill(2)\n"
)
TEST = "from shop.pot import pour\n\n\ndef test_pour():\n    assert pour(1)\n"
FILES = {
    "shop/__init__.py": "",
    "shop/pot.py": POT,
    "shop/cup.py": CUP,
    "shop/vat.py": VAT,
    "tools/mix.py": "def mix(thing):\n    thing.fill(3)\n",
    "shop/bar.py": BAR,
    "tests/test_pot.py": TEST,
    "tests/test_bar.py": "import os\n\n\ndef test_nothing():\n    os.getcwd()\n",
}
DAY = 86_400.0


@pytest.fixture
def index_store(tmp_path: Path) -> Iterator[IndexStore]:
    opened = IndexStore.open(tmp_path / "index.db")
    yield opened
    opened.close()


@pytest.fixture
def graph(tmp_path: Path, index_store: IndexStore) -> Graph:
    """Ann made the shop long ago; Tom mends pots now."""
    repo = GitRepo(tmp_path / "repo.git")

    def commit(files: dict[str, str], message: str, author: str, day: int) -> None:
        made = {"parent": repo.resolve("main"), "message": message, "author": author, "at": 1e9 + day * DAY}
        repo.write("refs/heads/main", files, **made)  # type: ignore[arg-type]

    commit(FILES, "Open the shop", "Ann", 0)
    for day in (1000, 1001, 1002):
        changed = {"shop/pot.py": f"{POT}# {day}\n", "shop/cup.py": f"{CUP}# {day}\n"}
        commit(changed, f"Mend it\n\nSee #{day}", "Tom", day)
    commit({"shop/pot.py": f"{POT}# x\n"}, "No leak any more (#8)", "Tom", 1010)
    update(index_store, Git(repo.path), repo.resolve("main") or "", processes=1)
    RepositoryIssues(index_store, "octo/shop").store(
        [
            KnownIssue(3, "issue", "open", "It leaks", "See `shop/pot.py`, blocked by #4", "ann"),
            KnownIssue(4, "issue", "closed", "Buy tin", "", "ann"),
            KnownIssue(8, "pull_request", "merged", "No leak any more", "Fixes #3", "tom"),
        ]
    )
    return Graph(index_store, "octo/shop")


def test_callers_are_resolved_by_imports_and_what_is_unsure_is_said(graph: Graph) -> None:
    pour = {(one.path, one.symbol): one.why[1] for one in graph.callers("shop/pot.py", "pour")}
    assert pour == {
        ("shop/bar.py", "serve"): "the only one of that name",
        ("tests/test_pot.py", "test_pour"): "imported",
    }
    first, second, third = graph.callers("shop/cup.py", "Cup.fill")
    assert (first.path, first.symbol, first.start, first.end) == ("shop/pot.py", "pour", 4, 8)
    assert first.why == ("refers to fill on line 5", "imported")
    assert (second.path, second.symbol, second.why[1]) == (
        "shop/bar.py",
        "brew",
        "in a package that is imported, one of 2",
    )
    assert (third.path, third.why[1]) == ("tools/mix.py", "one of 2 of that name")
    assert first.score > second.score > third.score
    assert [one.symbol for one in graph.callers("shop/vat.py", "Vat.fill")] == ["brew", "mix"]
    assert graph.callers("shop/pot.py", "nothing") == []
    assert graph.callers("nowhere.py", "pour") == []


def test_callees_are_what_a_symbol_refers_to(graph: Graph) -> None:
    found = {(one.path, one.symbol): one.why[1] for one in graph.callees("shop/pot.py", "pour")}
    assert found[("shop/cup.py", "Cup.fill")] == "imported"
    assert found[("shop/pot.py", "check")] == "in the same file"
    assert ("shop/vat.py", "Vat.fill") not in found
    assert graph.callees("shop/pot.py", "nothing") == []


def test_tests_of_a_file_with_reasons(graph: Graph) -> None:
    (best,) = graph.tests("shop/pot.py")
    assert best.path == "tests/test_pot.py"
    assert best.why[:2] == ("named after it", "imports it")
    assert [one.path for one in graph.tests("shop/bar.py")] == ["tests/test_bar.py"]
    assert graph.tests("shop/vat.py") == []


def test_who_knows_a_file_is_who_worked_on_it_lately(graph: Graph) -> None:
    tom, ann = graph.people("shop/pot.py")
    assert (tom.name, tom.commits, ann.name, ann.commits) == ("Tom", 4, "Ann", 1)
    assert tom.share > 0.95
    assert [one.name for one in graph.people("shop/vat.py")] == ["Ann"]
    assert graph.people("nowhere.py") == []


def test_issues_of_a_file_by_commits_pull_requests_and_texts(graph: Graph) -> None:
    first, second = graph.issues_of("shop/pot.py")
    assert {first.number, second.number} == {3, 8}
    reasons = {why for one in (first, second) for why in one.why}
    assert "its text names shop/pot.py" in reasons
    assert "fixed by #8, which touched the file" in reasons
    assert any(why.endswith('"No leak any more (#8)"') for why in reasons)


def test_what_waits_for_what(graph: Graph) -> None:
    assert graph.waits(3).blocked_by == (("4", "closed"),)
    assert graph.waits(4).blocks == (("3", "open"),)
    assert graph.waits(99).blocks == ()


def test_files_that_change_together(graph: Graph) -> None:
    assert graph.changed_with("shop/cup.py")[0][0] == "shop/pot.py"


def test_the_whole_graph_has_every_kind_of_edge_each_once(graph: Graph) -> None:
    found = list(edges(graph))
    assert len({(one.kind, one.source, one.target) for one in found}) == len(found)
    assert {one.kind for one in found} == {
        *("defines", "imports", "refers", "touched", "mentions", "co_changed", "fixes", "blocks")
    }
    pour = GraphNode("symbol", "shop/pot.py::pour")
    assert Edge("refers", GraphNode("symbol", "shop/bar.py::serve"), pour, 0.8) in found
    assert Edge("fixes", GraphNode("pull_request", "8"), GraphNode("issue", "3")) in found
    assert (
        Edge("co_changed", GraphNode("file", "shop/cup.py"), GraphNode("file", "shop/pot.py"), 4.0) in found
    )


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (
            GraphNode("file", "shop/cup.py"),
            Edge("imports", GraphNode("file", "shop/pot.py"), GraphNode("file", "shop/cup.py")),
        ),
        (
            GraphNode("symbol", "shop/pot.py::check"),
            Edge(
                "refers", GraphNode("symbol", "shop/pot.py::pour"), GraphNode("symbol", "shop/pot.py::check")
            ),
        ),
        (GraphNode("issue", "3"), Edge("blocks", GraphNode("issue", "4"), GraphNode("issue", "3"))),
        (
            GraphNode("pull_request", "8"),
            Edge("fixes", GraphNode("pull_request", "8"), GraphNode("issue", "3")),
        ),
    ],
)
def test_neighbours_of_a_node(graph: Graph, node: GraphNode, expected: Edge) -> None:
    found = neighbours(graph, node)
    assert expected in found
    assert all(node in (one.source, one.target) for one in found)
    assert len(neighbours(graph, node, 1)) == 1


def test_neighbours_of_commits_and_people(graph: Graph) -> None:
    (newest,) = graph.index_store.recent(1)
    told = neighbours(graph, GraphNode("commit", newest.sha))
    assert Edge("mentions", GraphNode("commit", newest.sha), GraphNode("pull_request", "8")) in told
    tom = neighbours(graph, GraphNode("person", "Tom"))
    assert len(tom) == 4
    assert neighbours(graph, GraphNode("commit", "0" * 40)) == []


def test_an_empty_index_answers_with_nothing(index_store: IndexStore) -> None:
    graph = Graph(index_store)
    assert list(edges(graph)) == []
    assert graph.tests("a.py") == graph.issues_of("a.py") == graph.changed_with("a.py") == []


async def test_callers_are_asked_for_by_name_with_the_commit_they_are_of(
    graph: Graph, tmp_path: Path, index_store: IndexStore
) -> None:
    git = Git(tmp_path / "repo.git")
    indexed = Indexed(lambda: IndexStore.open(tmp_path / "index.db"), git)
    by_name = await indexed.callers("pour")
    assert {one.symbol for one in by_name} == {"serve", "test_pour"}
    assert {one.sha for one in by_name} == {index_store.state("tip")}
    assert await indexed.callers("shop/pot.py::pour") == by_name
    assert list(await indexed.callers("nothing")) == []
    assert list(await Indexed(lambda: None, git).callers("pour")) == []
