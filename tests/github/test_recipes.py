"""Files of recipes: what counts, what is reported and where, what is never offered."""

import pytest

from bot.context import bundled_recipes
from bot.core.recipes import MOST, MOST_BYTES, Recipe, RecipeFiles, Recipes, files_of, may_touch, path_of
from bot.github.recipes import read_all
from bot.patterns import wanted
from bot.prompting import recipes as bundled_texts
from tests.spent import Spent

BUNDLED = {"types": Recipe("types", "adds type hints", "Add hints.", paths=(("src/**",),), bundled=True)}


def read(files: RecipeFiles, taken: frozenset[str] = frozenset({"tests", "help"})) -> Recipes:
    return read_all(files, taken, BUNDLED, lambda name: name == "implement")


def one(text: str, name: str = "tidy") -> tuple[Recipe | None, list[str]]:
    found = read({path_of(name): text})
    return found.by_name.get(name), [said.told for said in found.complaints]


def test_a_file_with_everything() -> None:
    recipe, said = one(
        "---\ntitle: tidies the docs\nwho: maintain\npaths: [docs/**, '!docs/api/**']\nchain: implement\n"
        "on: pull requests\n---\n\nSort the list of links.\n"
    )
    assert said == []
    paths = (("docs/**", "!docs/api/**"),)
    assert recipe == Recipe(
        "tidy",
        "tidies the docs",
        "Sort the list of links.",
        "maintain",
        paths,
        "implement",
        "pull requests",
    )


@pytest.mark.parametrize(
    "text", ["Sort the links.", "---\n---\nSort the links.", "\ufeff---\r\n---\r\nSort the links.\r\n"]
)
def test_a_file_needs_nothing_but_words(text: str) -> None:
    recipe, said = one(text, "sort-links")
    assert (said, recipe) == ([], Recipe("sort-links", "sort links", "Sort the links."))


@pytest.mark.parametrize(
    ("front", "line", "says"),
    [
        ("model: gpt-5", 2, "cannot be set by a repository"),
        ("title: x\nrun: rm -rf /", 3, "cannot be set by a repository"),
        ("title: x\ncolour: red", 3, "no key that Hob knows"),
        ("title: x\ntitle: y", 3, "stands here twice"),
    ],
)
def test_keys_that_are_none_are_reported_with_their_line_and_the_rest_works(
    front: str, line: int, says: str
) -> None:
    recipe, (said,) = one(f"---\n{front}\n---\nDo it.")
    assert said.startswith(f"{path_of('tidy')}: line {line}: ")
    assert says in said
    assert recipe is not None


@pytest.mark.parametrize(
    "front",
    [
        "who: everyone",
        "who: [write]",
        "who: none",
        "paths: src/**",
        "paths: [1.0, [src]]",
        "paths: []",
        "paths: ['']",
        "paths: ['[z-a]']",
        "path: [src/**]",
        "Paths: [src/**]",
        "pahts: [src/**]",
        "whom: admin",
        "allow: [admin]",
        "chain: feature",
        "chain: ../../etc/passwd",
        "chain: /etc/x.toml",
        "on: merge",
        "extends: nothing",
        "title: [a]",
        "a: &x 1\nwho: *x",
        "who: : :",
        "just words",
        "- a\n- b",
        "a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: 1}}}}}}}}}}}}",
    ],
)
def test_a_recipe_whose_guard_is_lost_is_not_offered_and_that_is_said(front: str) -> None:
    recipe, said = one(f"---\n{front}\n---\nDo it.")
    assert recipe is None
    assert said
    assert all(one.startswith(f"{path_of('tidy')}: line ") for one in said)


@pytest.mark.parametrize("text", ["", "---\ntitle: x\n---\n", "---\ntitle: x\nDo it.\n", "  \n\n"])
def test_what_says_nothing_or_never_begins_is_reported(text: str) -> None:
    recipe, (said,) = one(text)
    assert recipe is None
    assert "line 1" in said


@pytest.mark.parametrize(
    "name", ["Tidy", "2fast", "a b", "-x", "a" * 32, "ti_dy", "té", "tests", "help", "@octo"]
)
def test_names_that_are_no_command_or_one_of_hobs_own_are_reported(name: str) -> None:
    found = read({path_of(name): "Do it.", path_of("tidy"): "Do it."})
    assert set(found.by_name) == {"types", "tidy"}
    assert len(found.complaints) == 1


def test_a_file_of_the_same_name_takes_the_place_of_what_is_bundled_even_where_it_is_wrong() -> None:
    assert read({}).by_name["types"].bundled
    assert read({path_of("types"): "Ours."}).by_name["types"].body == "Ours."
    assert "types" not in read({path_of("types"): "---\nwho: x\n---\nOurs."}).by_name


def test_what_extends_a_bundled_one_only_narrows() -> None:
    recipe, said = one("---\nextends: types\nwho: admin\npaths: ['**/*.py']\n---\nAnd sort imports.", "types")
    assert said == []
    assert recipe is not None
    assert (recipe.title, recipe.who, recipe.bundled) == ("adds type hints", "admin", False)
    assert recipe.body == "Add hints.\n\nAnd sort imports."
    may = may_touch(recipe, wanted)
    assert [may(path) for path in ("src/a.py", "src/a.js", "b.py")] == [True, False, False]


def test_how_many_and_how_much_is_bounded_and_said() -> None:
    tree = {path_of(f"r{n:02}"): 0o100644 for n in range(MOST + 5)} | {path_of("a-link"): 0o120000}
    tree |= {".github/hob/recipes/README.md": 0o100644, ".github/hob/recipes/deep/x.md": 0o100644}
    texts = dict.fromkeys(tree, "Do it.") | {path_of("r01"): "x" * (MOST_BYTES + 1)}
    found = read(files_of(tree, texts))
    assert len(found.by_name) == 1 + MOST - 2
    assert {one.path for one in found.complaints} >= {path_of("a-link"), path_of("r01"), path_of("r24")}
    assert "r00" in found.by_name


@pytest.mark.parametrize(
    "text",
    [
        "---\n" * 4_000,
        "---\n" + "a: " * 5_000,
        "---\n" + "[" * 15_000,
        "---\n" + "a:\n" * 5_000 + "---\nx",
        "-" * 16_000,
    ],
)
def test_hostile_files_are_read_in_no_time(text: str) -> None:
    with Spent() as spent:
        read({path_of(f"r{n}"): text for n in range(5)})
    assert spent.seconds < 2.0


def test_those_that_come_with_hob_are_sound() -> None:
    assert set(bundled_recipes()) == set(bundled_texts()) >= {"types", "docstrings", "deprecations", "rename"}
    assert all(len(one.title) < 100 for one in bundled_recipes().values())
