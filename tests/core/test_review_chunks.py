"""What is read together, and in which order."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.core.code_analysis import python_symbols
from bot.core.diff import FileDiff, parse_patch, render
from bot.core.review_chunks import around, batches, changed_names, cut, enclosing, kind, review_chunks
from tests.agents.facts import new_file


def changed(path: str, *hunks: str) -> FileDiff:
    """A file with these hunks, each `-old`/`+new`/` same` lines, fifty lines apart."""
    patch = ""
    for place, body in enumerate(hunks):
        lines = body.strip("\n").split("\n")
        old, new = (sum(line[0] in marks for line in lines) for marks in (" -", " +"))
        patch += f"@@ -{1 + 50 * place},{old} +{1 + 50 * place},{new} @@\n" + "\n".join(lines) + "\n"
    return FileDiff(path, "modified", parse_patch(patch))


def together(*files: FileDiff, most: int = 10_000) -> list[tuple[str, ...]]:
    return [review_chunk.paths for review_chunk in review_chunks(files, most)]


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=12),
    st.integers(40, 900),
    st.sampled_from(["a.py", "test_a.py", "b.md"]),
)
def test_every_line_of_a_change_is_in_exactly_one_unit_and_none_is_too_large(
    sizes: list[int], most: int, first: str
) -> None:
    files = [
        new_file(f"{n}{first}", "".join(f"x{i} = {n}\n" for i in range(size))) for n, size in enumerate(sizes)
    ]
    made = review_chunks(files, most)
    assert all(review_chunk.size <= most for review_chunk in made)
    for parts in (made, batches(made, most)):
        lines = Counter(
            (part.path, line.new)
            for review_chunk in parts
            for part in review_chunk.parts
            for h in part.hunks or ()
            for line in h.lines
        )
        assert set(lines.values()) == {1}
        assert len(lines) == sum(sizes)
    assert all(review_chunk.size <= most + len(review_chunk.parts) for review_chunk in batches(made, most))


def test_a_test_is_read_with_its_code_and_a_change_of_a_name_with_what_uses_it() -> None:
    code = changed("src/kettle.py", " x\n-def boil(water):\n+def boil(water, lid):")
    test = changed("tests/test_kettle.py", "+assert lid")
    use = changed("src/house.py", "+    boil(water, True)")
    other = changed("src/zoo.py", "+    feed()")
    found = {frozenset(one) for one in together(other, test, use, code)}
    assert found == {frozenset({code.path, test.path, use.path}), frozenset({other.path})}


def test_what_imports_a_renamed_file_is_read_with_it() -> None:
    moved = replace(changed("lib/samovar.py", "-x = 1\n+x = 2"), status="renamed", old_path="lib/teapot.py")
    user = changed("app.py", "-import teapot\n+import samovar")
    assert [set(one) for one in together(user, moved)] == [{"app.py", "lib/samovar.py"}]


def test_what_would_be_too_large_together_stays_apart() -> None:
    code, test = new_file("kettle.py", "x = 1\n" * 100), new_file("test_kettle.py", "y = 1\n" * 100)
    assert together(code, test, most=1000) == [("kettle.py",), ("test_kettle.py",)]


def test_a_name_that_everybody_uses_joins_nobody() -> None:
    users = [changed(f"u{n}.py", "+    boil()") for n in range(12)]
    assert len(together(changed("kettle.py", "+def boil(): ..."), *users)) == 13


def test_source_comes_before_tests_before_settings_before_prose_and_guards_first() -> None:
    paths = ["README.md", "ci.yml", "test_z.py", "a.py", "src/auth.py", "b.py"]
    files = [changed(path, "+x" if path != "b.py" else "+x\n+y") for path in paths]
    order = [review_chunk.paths[0] for review_chunk in review_chunks(files, 10)]
    assert order == ["src/auth.py", "b.py", "a.py", "test_z.py", "ci.yml", "README.md"]


def test_kinds_of_files() -> None:
    sources = ["attestation.py", "src/latest.go", "contest/app.ts", "protest.rb"]
    tests = [
        "test_a.py",
        "a_test.go",
        "src/a.spec.ts",
        "tests/x.py",
        "src/test/java/FooTest.java",
        "a/FooTest.kt",
    ]
    assert [kind(path) for path in sources] == [0] * 4
    assert [kind(path) for path in tests] == [1] * 6
    assert [kind(path) for path in ("Dockerfile", "pyproject.toml", "docs/a.md")] == [2, 2, 3]


def test_a_large_hunk_is_cut_where_a_function_begins() -> None:
    text = "".join(f"def f{n}():\n    a = {n}\n    return a\n\n" for n in range(20))
    file = new_file("big.py", text)
    (hunk,) = file.hunks or ()
    starts = frozenset(chunk.start for chunk in python_symbols("big.py", text))
    parts = list(cut(hunk, 200, starts))
    assert len(parts) > 3
    assert all(part.lines[0].text.startswith("def ") for part in parts)
    assert [line for part in parts for line in part.lines] == list(hunk.lines)
    assert all(part.new_count == len(part.lines) for part in parts)


def test_the_symbol_around_a_hunk_is_shown_once_and_not_what_the_hunk_shows_anyway() -> None:
    text = "import a\n\ndef brew(x):\n" + "".join(f"    y{n} = x\n" for n in range(9)) + "    return y8\n"
    chunks = python_symbols("t.py", text)
    file = FileDiff("t.py", "modified", parse_patch("@@ -8,2 +8,3 @@\n     y4 = x\n+    y5 = x\n     y6 = x"))
    (shown,) = around(file, text, chunks)
    assert (shown.start, shown.lines[0], shown.lines[-1]) == (3, "def brew(x):", "    return y8")
    assert around(new_file("t.py", text), text, chunks) == []
    assert enclosing((file.hunks or ())[0], chunks) == "brew"
    assert changed_names(file, chunks) == {"brew"}


def test_of_a_long_symbol_its_beginning_and_what_is_near_the_change_is_shown() -> None:
    text = "def brew(x):\n" + "".join(f"    y{n} = x\n" for n in range(200))
    file = FileDiff("t.py", "modified", parse_patch("@@ -100,1 +100,2 @@\n     y98 = x\n+    y99 = x"))
    shown = around(file, text, python_symbols("t.py", text))
    assert [(one.start, one.end) for one in shown] == [(1, 9), (93, 109)]


def test_a_line_longer_than_a_prompt_is_a_unit_by_itself() -> None:
    (first, second) = review_chunks([new_file("min.js", "x" * 500 + "\ny = 1\n")], 100)
    assert len(render(first.parts[0])) > 100
    assert render(second.parts[0]).endswith("+y = 1")
