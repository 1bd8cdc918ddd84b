"""Edits of files: every good one to the byte, every other one refused with its reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.edit_paths import asks_for_lock_files, why_not
from bot.core.edits import MENDABLE, MOST_TEXT, EditedFiles, FileEdit, apply
from tests.long import examples

POT = "def brew(pot):\n    heat(pot)\n    return pot\n\n\ndef cool(pot):\n    wait(pot)\n    return pot\n"


def causes(edited: EditedFiles) -> list[str]:
    return [one.cause for one in edited.problems]


def test_a_quote_that_stands_once_is_replaced_and_nothing_else() -> None:
    edited = apply([FileEdit("pot.py", "    heat(pot)\n", "    heat(pot, 96)\n")], {"pot.py": POT})
    assert edited.texts == {"pot.py": POT.replace("heat(pot)", "heat(pot, 96)")}


def test_edits_of_one_file_are_found_in_the_head_whatever_their_order() -> None:
    edits = [FileEdit("pot.py", "wait(pot)", "heat(pot)"), FileEdit("pot.py", "heat(pot)", "wait(pot)")]
    wanted = {"pot.py": POT.replace("heat", "?").replace("wait", "heat").replace("?", "wait")}
    assert apply(edits, {"pot.py": POT}).texts == wanted
    assert apply(edits[::-1], {"pot.py": POT}).texts == wanted
    assert apply([*edits, edits[0]], {"pot.py": POT}).texts == wanted


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (FileEdit("pot.py", "return pot", "return None"), "ambiguous"),
        (FileEdit("pot.py", "    boil(pot)\n", ""), "missing"),
        (FileEdit("pot.py", " \n\t", "x"), "missing"),
        (FileEdit("pan.py", "heat", "x"), "no such file"),
        (FileEdit("pan.py", delete=True), "no such file"),
        (FileEdit("pot.py", "", "all new\n"), "there already"),
        (FileEdit("pot.py", rename_to="tea.py"), "there already"),
        (FileEdit("pot.py", "heat(pot)", "nul\0"), "forbidden"),
        (FileEdit("new.py", "", "bell\a"), "forbidden"),
        (FileEdit("new.py", "", "x" * (MOST_TEXT + 1)), "too large"),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(edit: FileEdit, cause: str) -> None:
    heads = {"pot.py": POT, "tea.py": "x = 1\n"}
    edited = apply([FileEdit("tea.py", "x = 1", "x = 2"), edit], heads)
    assert causes(edited) == [cause]
    assert edited.texts == {}
    assert edited.mendable == (cause in MENDABLE)


def test_a_missing_quote_is_told_the_nearest_lines() -> None:
    (problem,) = apply([FileEdit("pot.py", "def cool(pot):\n\twait(pot)\n", "")], {"pot.py": POT}).problems
    assert "def cool(pot):\n    wait(pot)" in problem.near
    assert POT.split("\n")[problem.first - 1] == problem.near.split("\n")[0]


def test_a_quote_of_which_no_line_stands_there_is_told_the_lines_that_are_most_like_it() -> None:
    (problem,) = apply([FileEdit("pot.py", "  wait(the pot)", "")], {"pot.py": POT}).problems
    assert "    wait(pot)" in problem.near


def test_an_ambiguous_quote_is_told_its_lines() -> None:
    (problem,) = apply([FileEdit("pot.py", "return pot", "")], {"pot.py": POT}).problems
    assert "lines 3, 8" in problem.why
    assert "    heat(pot)\n    return pot" in problem.near
    assert "    wait(pot)\n    return pot" in problem.near
    assert problem.first == 1


def test_a_quote_whose_places_overlap_is_ambiguous() -> None:
    braces = "a {\n}\n}\n}\n"
    assert causes(apply([FileEdit("a.c", "}\n}\n", "}\n")], {"a.c": braces})) == ["ambiguous"]


def test_a_quote_inside_of_too_many_words_is_never_taken_for_the_only_one() -> None:
    text = "x\n" + "maximum " * 500 + "\nx\n"
    assert causes(apply([FileEdit("a.txt", "x", "y")], {"a.txt": text})) == ["ambiguous"]


def test_half_of_what_a_reader_sees_as_one_character_is_no_place() -> None:
    for text in ("cafe\u0301 = 1\n", "e\u0301cafe = 1\n"):
        assert causes(apply([FileEdit("a.py", "cafe", "tea")], {"a.py": text})) == ["missing"]


def test_lines_that_are_brought_end_as_the_files_own() -> None:
    edited = apply([FileEdit("pot.py", "    heat(pot)", "    heat(pot)\r\n    stir(pot)")], {"pot.py": POT})
    assert edited.texts == {"pot.py": POT.replace("heat(pot)", "heat(pot)\n    stir(pot)")}


@pytest.mark.parametrize("path", ["__init__.py", "README.md", "src/README.md", "docs/readme"])
def test_a_new_file_is_not_taken_for_another_that_ends_so(path: str) -> None:
    heads = {"docs/README.md": "# Docs\n", "pkg/__init__.py": "", "a/src/README.md": "\n"}
    assert apply([FileEdit(path, "", "new\n")], heads).texts == {path: "new\n"}
    assert causes(apply([FileEdit(path, delete=True)], heads)) == ["no such file"]


@pytest.mark.parametrize(
    "edit",
    [
        FileEdit("pot.py", "    heat(pot)\n", delete=True),
        FileEdit("pot.py", replace="x = 1\n", delete=True),
        FileEdit("pot.py", delete=True, rename_to="tea.py"),
    ],
)
def test_a_file_is_not_deleted_by_what_would_change_it_too(edit: FileEdit) -> None:
    assert causes(apply([edit], {"pot.py": POT})) == ["overlapping"]


@pytest.mark.parametrize(
    "edits",
    [
        [FileEdit("src/pot.py/x.py", "", "x\n")],
        [FileEdit("src", "", "x\n")],
        [FileEdit("new", "", "x\n"), FileEdit("new/x.py", "", "x\n")],
        [FileEdit("src/pot.py", delete=True), FileEdit("src/pot.py/x.py", "", "x\n")],
        [FileEdit("SRC/POT.py", "", "x\n")],
        [FileEdit("tea.py", rename_to="src/Pot.py")],
        [FileEdit("A.md", "", "x\n"), FileEdit("a.md", "", "y\n")],
        [FileEdit("gr\u00fcn.md", "", "x\n"), FileEdit("gru\u0308n.md", "", "y\n")],
    ],
)
def test_no_two_files_are_at_one_place_in_any_file_system(edits: list[FileEdit]) -> None:
    heads = {"src/pot.py": POT, "tea.py": "x = 1\n"}
    edited = apply(edits, heads)
    assert set(causes(edited)) == {"there already"}
    assert edited.texts == {}


def test_a_name_may_change_its_case() -> None:
    edited = apply([FileEdit("Tea.py", rename_to="tea.py")], {"Tea.py": "x\n"})
    assert edited.texts == {"Tea.py": None, "tea.py": "x\n"}


@pytest.mark.parametrize(
    "new", ["a\u202eb", "a\u200bb", "# x\rimport os", "\x7f", "\x1b[2J", "\x85", "\ud83d", "\u2028", "x\0"]
)
def test_nothing_is_brought_that_nobody_could_read(new: str) -> None:
    for edit in (FileEdit("pot.py", "heat(pot)", new), FileEdit("new.py", "", f"{new}\n")):
        assert causes(apply([edit], {"pot.py": POT})) == ["forbidden"]


def test_what_stands_there_already_may_stay() -> None:
    head = "\ufeffa\x0cb\x1b = '\u200b'\rc\n"
    edited = apply([FileEdit("a.txt", "b\x1b = '\u200b'\rc", "z\x1b = '\u200b'\rc")], {"a.txt": head})
    assert edited.texts == {"a.txt": head.replace("b", "z")}
    assert apply([FileEdit("b.cs", "", "\ufeffclass A {}\n")], {}).texts == {"b.cs": "\ufeffclass A {}\n"}


def test_two_edits_of_the_same_lines_are_none() -> None:
    edits = [FileEdit("pot.py", "    heat(pot)\n", "a"), FileEdit("pot.py", "heat(pot)\n    return", "b")]
    assert causes(apply(edits, {"pot.py": POT})) == ["overlapping"]


def test_part_of_a_word_is_no_place() -> None:
    edited = apply([FileEdit("a.py", "x = 1", "x = 2")], {"a.py": "max = 10\nx = 1\n"})
    assert edited.texts == {"a.py": "max = 10\nx = 2\n"}
    assert causes(apply([FileEdit("a.py", "x = 1", "y")], {"a.py": "max = 10\n"})) == ["missing"]


@pytest.mark.parametrize("quote", ["    heat(pot)\n    return pot", "    heat(pot)\r\n    return pot"])
def test_carriage_returns_stay_as_the_file_has_them(quote: str) -> None:
    head = POT.replace("\n", "\r\n")
    edited = apply(
        [FileEdit("pot.py", quote, "    heat(pot)\n    stir(pot)\n    return pot")], {"pot.py": head}
    )
    new = "    heat(pot)\r\n    stir(pot)\r\n    return pot"
    assert edited.texts == {"pot.py": head.replace("    heat(pot)\r\n    return pot", new, 1)}


def test_mixed_line_ends_tabs_and_no_last_line_end_stay() -> None:
    head = "\ufeffone\r\ntwo\n\tthree"
    edited = apply([FileEdit("a.txt", "\tthree", "\tfour")], {"a.txt": head})
    assert edited.texts == {"a.txt": "\ufeffone\r\ntwo\n\tfour"}


def test_new_files_deletions_and_renames_are_edits_of_their_own() -> None:
    heads = {"pot.py": POT, "old.py": "x = 1\n", "gone.py": "y\n", "empty.py": ""}
    edits = [
        FileEdit("new.py", "", "z = 1\r\n"),
        FileEdit("gone.py", delete=True),
        FileEdit("old.py", "x = 1", "x = 2", rename_to="src/new_name.py"),
        FileEdit("empty.py", "", "filled\n"),
    ]
    edited = apply(edits, heads)
    assert edited.texts == {
        "new.py": "z = 1\n",
        "gone.py": None,
        "old.py": None,
        "src/new_name.py": "x = 2\n",
        "empty.py": "filled\n",
    }
    assert edited.renamed == {"src/new_name.py": "old.py"}


def test_what_is_there_and_was_not_read_is_not_overwritten() -> None:
    edited = apply([FileEdit("big.py", "", "x\n")], {}, exists=lambda path: path == "big.py")
    assert causes(edited) == ["no such file"]
    moved = apply([FileEdit("a.py", rename_to="big.py")], {"a.py": "x\n"}, exists=lambda _: True)
    assert causes(moved) == ["there already"]


def test_two_files_at_one_path_are_none() -> None:
    edits = [FileEdit("a.py", rename_to="c.py"), FileEdit("b.py", rename_to="c.py")]
    assert causes(apply(edits, {"a.py": "1\n", "b.py": "2\n"})) == ["there already"]


HOSTILE = [
    "../x.py",
    "/etc/passwd",
    "a/../../x",
    "a//b",
    "./a",
    "a/./b",
    "C:/x",
    "a\\b",
    "..",
    "",
    ".git/hooks/pre-commit",
    ".GIT/config",
    "sub/.git/config",
    ".git /config",
    ".git./config",
    "GIT~1/config",
    "sub/git~1/x",
    ".g\u200bit/config",
    ".git\u200b/config",
    ".\uff47it/config",
    ".github/workflows/ci.yml",
    ".GitHub/hob.yml",
    ".github/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitmodules",
    ".gitattributes",
    "src/.gitattributes",
    ".gitlab-ci.yml",
    ".circleci/config.yml",
    "Jenkinsfile",
    ".husky/pre-push",
    ".pre-commit-config.yaml",
    ".vscode/tasks.json",
    ".envrc",
    ".npmrc",
    ".env",
    "package-lock.json",
    "web/YARN.LOCK",
    "Cargo.lock",
    "go.sum",
    "a\nb",
    "a\0b",
    "con.txt",
    "nul",
    "a/ b",
    "a /b",
    "x.",
    "\u202eyp.x",
    "x" * 401,
    "\ud800.py",
    "a/\u00a0/b",
    "gi7eba~1",
    "TRAVIS~1.YML",
    "GITHUB~1/workflows/x.yml",
    ".g\u0456thub/workflows/x.yml",
    ".g\u0131t/config",
    "\uff0e\uff0e/x",
    ".github\uff0fworkflows/x.yml",
    ".git\u200d/config",
    ".git\ufeff/x",
    ".git::$INDEX_ALLOCATION/config",
    ".github/",
    "aux.c",
    "CONOUT$",
    "nul .txt",
    "com\u00b9.txt",
    "a?.md",
    'a"b.md',
    "\u8336" * 100,
    ".woodpecker.yml",
    ".forgejo/workflows/x.yml",
    ".drone.yml",
    ".yarnrc.yml",
    ".cargo/config.toml",
    ".claude/settings.json",
    "web/deno.lock",
    "pixi.lock",
    "conda-lock.yml",
    "Chart.lock",
    *(
        ".mergify.yml",
        "renovate.json",
        "bors.toml",
        "netlify.toml",
        ".readthedocs.yaml",
        ".gitpod.yml",
        "OWNERS",
    ),
    *(
        "AGENTS.md",
        "docs/CLAUDE.md",
        ".cursorrules",
        ".mcp.json",
        ".windsurf/rules/x.md",
        ".codex/config.toml",
    ),
    *(".yarn/releases/yarn-4.cjs", ".pnpmfile.cjs", "gradlew", "gradle/wrapper/gradle-wrapper.properties"),
    *(
        ".env.production",
        "web/.env.local",
        "id_rsa",
        "deploy/server.PEM",
        ".aws/credentials",
        ".git-credentials",
    ),
    *("-rf", "--x/y", "~/.bashrc", "~root/x", "~x"),
    *("x.code-workspace", ".dir-locals.el", ".lintstagedrc", ".overcommit.yml", ".gdbinit", "mise.toml"),
]


@pytest.mark.parametrize("path", HOSTILE)
def test_S7_no_patch_touches_what_runs_by_itself_or_lies_outside(path: str) -> None:
    assert why_not(path)
    edits = [FileEdit(path, "", "x\n"), FileEdit(path, "x", "y"), FileEdit(path, delete=True)]
    for edit in [*edits, *([FileEdit("a.py", rename_to=path)] if path else [])]:
        edited = apply([edit], {"a.py": "x\n", path: "x\n"})
        assert causes(edited) == ["forbidden"]
        assert not edited.mendable


@pytest.mark.parametrize(
    "path",
    [
        "src/a b.py",
        "a.py",
        "docs/größe.md",
        "tests/test_git.py",
        "github/x.py",
        "git~x/a",
        "src/-components/~x.ts",
        ".gitignore",
        ".eslintrc",
        "src/(group)/[id]/page.tsx",
        "lock.py",
        "conftest.py",
        "日本/語.md",
        ".env.example",
        "src/padlock.json",
        "src/lock.toml",
        "docs/%41.md",
        "a~1b/x",
        "src/\u0433it.py",
        *(
            "src/owners/views.py",
            "agents/base.py",
            "src/claude.py",
            "yarn/x.js",
            "keys.py",
            "env.production.ts",
        ),
        *("docs/agents.rst", "workspace.py", "gradle.properties", "mise.py"),
    ],
)
def test_ordinary_paths_may_be_written(path: str) -> None:
    assert why_not(path) == ""


def test_lock_files_are_written_where_somebody_asked_for_them() -> None:
    assert why_not("yarn.lock", lock_files=True) == ""
    assert why_not(".github/yarn.lock", lock_files=True)


@pytest.mark.parametrize(
    ("wish", "asked"),
    [
        ("also `package-lock.json`, please", True),
        ("bump deps/Cargo.lock.", True),
        ("(yarn.lock)", True),
        ("write go.sum anew", True),
        ("and the lock file", True),
        ("the lockfile too", True),
        ("unlock the door", False),
        ("a lock around the file", False),
        ("", False),
    ],
)
def test_who_names_a_lock_file_asks_for_it(wish: str, asked: bool) -> None:
    assert asks_for_lock_files(wish) == asked


def test_the_repositorys_own_rule_narrows() -> None:
    edits = [FileEdit("src/a.py", "x", "y"), FileEdit("docs/a.md", "x", "y")]
    heads = {"src/a.py": "x\n", "docs/a.md": "x\n"}
    edited = apply(edits, heads, allowed=lambda path: path.startswith("src/"))
    assert [(one.path, one.cause) for one in edited.problems] == [("docs/a.md", "forbidden")]


WORDS = st.text(st.sampled_from("ab_ (){}\t"), min_size=1, max_size=12)


@settings(max_examples=examples(300), deadline=None)
@given(lines=st.lists(WORDS, min_size=1, max_size=30), data=st.data(), crlf=st.booleans(), last=st.booleans())
def test_whole_lines_are_replaced_byte_for_byte_or_refused(
    lines: list[str], data: st.DataObject, crlf: bool, last: bool
) -> None:
    end = "\r\n" if crlf and (last or len(lines) > 1) else "\n"
    head = end.join(lines) + (end if last else "")
    first = data.draw(st.integers(0, len(lines) - 1))
    count = data.draw(st.integers(1, min(5, len(lines) - first)))
    new = data.draw(st.lists(WORDS, min_size=1, max_size=4))
    quote = "\n".join(lines[first : first + count])
    edited = apply([FileEdit("a.txt", quote, "\n".join(new))], {"a.txt": head})
    if edited.problems:
        assert edited.problems[0].cause in ("ambiguous", "missing")
        plain = head.replace("\r\n", "\n")
        assert not quote.strip() or sum(plain.startswith(quote, at) for at in range(len(plain))) != 1
        return
    wanted = end.join([*lines[:first], *new, *lines[first + count :]]) + (end if last else "")
    assert edited.texts.get("a.txt", head) == wanted


@settings(max_examples=examples(300), deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=60))
def test_whatever_is_quoted_nothing_breaks(search: str, replace: str, head: str) -> None:
    edited = apply([FileEdit("a.txt", search, replace)], {"a.txt": head})
    assert bool(edited.problems) or set(edited.texts) <= {"a.txt"}
