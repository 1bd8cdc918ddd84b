"""Names of files: what a model is shown, and what it says again."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.pathnames import resolve, shown
from bot.core.text import is_invisible

ODD = (
    "two  blanks.py",
    " edge.py",
    "edge.py ",
    'a"b.py',
    "a<b>.py",
    "a\tb.py",
    "a\nb.py",
    "a\u202eyp.b",
    "a\u200bb.py",
    "a\u2028b.py",
    "a`b.py",
    "a\\b.py",
    "100%25.py",
    "a\udcff.py",
    "a\x7f.py",
    "a\u00a0b.py",
)
PATHS = st.text(
    st.one_of(
        st.sampled_from('ab/. %2F"<>`\\\t\n\r\u202e\u200b\u00a0\u2028[]():#L9\udcff'),
        st.characters(exclude_characters="\0"),
    ),
    min_size=1,
    max_size=20,
)


@pytest.mark.parametrize(
    "path", ["a.py", "app/[id]/(group)/page.tsx", "ä/ö b.py", "100%.py", "a:9.py", "茶.py", "a'b.py"]
)
def test_a_name_that_survives_is_shown_as_it_is(path: str) -> None:
    assert shown(path) == path


@pytest.mark.parametrize("path", ODD)
def test_a_name_that_would_not_survive_is_shown_on_one_visible_line(path: str) -> None:
    name = shown(path)
    assert name != path
    assert not any(is_invisible(char) for char in name)
    assert " ".join(name.split()) == name
    assert not set('"<>`\\\n\t') & set(name)
    assert resolve(name, ["other.py", path]) == path


@given(PATHS, PATHS)
def test_no_two_names_are_shown_alike_and_each_is_found_again(one: str, other: str) -> None:
    assert (shown(one) == shown(other)) == (one == other)
    assert resolve(shown(one), {one, other}) == one or shown(one) == other
    assert resolve(one, {one, other}) == one


@pytest.mark.parametrize(
    "said",
    [
        "./lib/App.py",
        "/lib/App.py",
        ".//lib/App.py",
        "a/lib/App.py",
        "b/lib/App.py",
        "`lib/App.py`",
        "`b/lib/App.py`",
        '"lib/App.py"',
        "\u201clib/App.py\u201d",
        " lib/App.py\n",
        "lib/App.py:9",
        "lib/App.py:9-12",
        "lib/App.py:9:3",
        "`lib/App.py`:9",
        "`lib/App.py:9`",
        "lib/App.py#L9",
        "lib/App.py#L9-L12",
        "lib\\App.py",
        ".\\lib\\App.py",
        "LIB/app.PY",
        "lib%2FApp.py",
        "App.py",
        "app.py:9",
        "`App.py`",
        "lib/\u200bApp.py",
    ],
)
def test_a_path_is_known_however_a_model_writes_it(said: str) -> None:
    assert resolve(said, ["src/tea.py", "lib/App.py"]) == "lib/App.py"


def test_a_path_is_known_in_both_compositions() -> None:
    path = unicodedata.normalize("NFD", "src/tä.py")
    assert resolve("src/tä.py", [path, "src/ta.py"]) == path
    assert resolve(path, ["src/tä.py"]) == "src/tä.py"


@pytest.mark.parametrize(
    ("said", "paths", "others"),
    [
        ("app.py", ["a1/app.py", "a2/app.py"], []),
        ("APP.py", ["app.py", "App.py"], []),
        ("b/app.py", ["x/b/app.py"], ["app.py"]),
        ("./app.py", ["src/app.py"], ["app.py"]),
        ("app.py:9", ["src/app.py"], ["app.py"]),
        ("app%20.py", ["app/app .py"], ["app .py", "app%20.py"]),
        ("pp.py", ["app.py"], []),
        ("other/app.py", ["src/app.py"], []),
        ("", ["app.py"], []),
        ("/", ["app.py"], []),
        ("`:9`", ["app.py"], []),
        ("a" * 20_000, ["app.py"], []),
    ],
)
def test_what_is_not_certain_is_no_path(said: str, paths: list[str], others: list[str]) -> None:
    assert resolve(said, paths, others) is None


def test_the_exact_path_goes_before_what_it_could_mean_too() -> None:
    paths = ["a/app.py", "app.py", "app.py:9", "APP.py"]
    assert [resolve(one, paths) for one in paths] == paths
    assert resolve("b/app.py", paths) == "app.py"


@given(st.text(max_size=40), st.lists(PATHS, max_size=4), st.lists(PATHS, max_size=4))
def test_a_changed_file_that_was_not_shown_is_never_taken_for_another(
    said: str, paths: list[str], others: list[str]
) -> None:
    found = resolve(said, paths, others)
    assert found is None or found in paths
    for other in set(others) - set(paths):
        assert resolve(other, paths, others) is None
