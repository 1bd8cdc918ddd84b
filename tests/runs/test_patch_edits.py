"""What becomes of the edits that a model gives, as people see it: in one commit, asked for once more at most,
as the repository has its files."""

import pytest

from bot.testing.github import executable
from tests.living import LivingHob
from tests.runs.test_patches import NEW_TEST, asks, branches, drafts, edits, opened


@pytest.mark.parametrize("search", ["assert", "assert brew(9) == 9"])
async def test_a_quote_that_stands_twice_or_nowhere_is_asked_for_once_more_and_no_oftener(
    hob: LivingHob, search: str
) -> None:
    pull = opened(hob)
    pull.push({"tests/test_tea.py": "def test_brew():\n    assert 1\n    assert 2\n"}, author="ann")
    await hob.works()
    hob.ollama.answer = edits({"path": "tests/test_tea.py", "search": search, "replace": "x"})
    before = len(hob.ollama.chats)
    (said,) = await asks(hob, pull, "tests")
    first, second = (str(one) for one in hob.ollama.chats[before:])
    assert "nearest lines" not in first
    assert "nearest lines" in second
    assert "    assert 1" in second.partition("nearest lines")[2]
    assert "no patch to propose" in said
    assert branches(pull.code) == []


async def test_a_rename_keeps_the_mode_and_a_deletion_deletes(hob: LivingHob) -> None:
    pull = opened(hob)
    some = {"tests/test_a.py": executable("A = 1\n"), "tests/test_b.py": "B = 1\n"}
    pull.push(some, author="ann")
    await hob.works()
    hob.ollama.answer = edits(
        {
            "path": "tests/test_a.py",
            "rename_to": "tests/deep/test_c.py",
            "search": "A = 1",
            "replace": "A = 2",
        },
        {"path": "tests/test_b.py", "delete": True},
    )
    (said,) = await asks(hob, pull, "tests")
    (draft,) = drafts(hob)
    listed = draft.git.run("ls-tree", "-r", draft.head_sha, "tests").decode()
    assert "100755" in listed.partition("tests/deep/test_c.py")[0].splitlines()[-1]
    assert draft.text("tests/deep/test_c.py") == "A = 2\n"
    assert "test_a.py" not in listed
    assert "test_b.py" not in listed
    assert "`tests/test_b.py` (deleted)" in said


@pytest.mark.parametrize(
    ("before", "replace", "after"),
    [
        (
            "def a():\r\n    return 1\r\n",
            "    return 2\n    # more\n",
            "def a():\r\n    return 2\r\n    # more\r\n",
        ),
        ("def a():\n\treturn 1\n", "\treturn 2\n", "def a():\n\treturn 2\n"),
        ("def a():\n    return 1", "    return 2", "def a():\n    return 2"),
    ],
)
async def test_line_ends_and_indentation_stay(hob: LivingHob, before: str, replace: str, after: str) -> None:
    pull = opened(hob)
    pull.push({"form.py": before}, author="ann")
    await hob.works()
    search = before.replace("\r", "").partition("\n")[2]
    hob.ollama.answer = edits({"path": "form.py", "search": search, "replace": replace})
    await asks(hob, pull, "simplify")
    (draft,) = drafts(hob)
    assert draft.git.run("show", f"{draft.head_sha}:form.py").decode() == after


async def test_other_indentation_is_asked_for_again_and_refused(hob: LivingHob) -> None:
    pull = opened(hob)
    pull.push({"form.go": "package a\n\nfunc a() int {\n\treturn 1\n}\n"}, author="ann")
    await hob.works()
    hob.ollama.answer = edits({"path": "form.go", "search": "\treturn 1", "replace": "    return 2"})
    (said,) = await asks(hob, pull, "simplify")
    assert "indented with tabs" in said
    assert branches(pull.code) == []


@pytest.mark.parametrize(("wish", "made"), [("", 0), ("the package-lock.json", 1), ("the lock file", 1)])
async def test_a_lock_file_is_written_only_where_somebody_asked_for_it(
    hob: LivingHob, wish: str, made: int
) -> None:
    pull = opened(hob)
    pull.push({"package-lock.json": '{\n  "a": 1\n}\n'}, author="ann")
    await hob.works()
    hob.ollama.answer = edits({"path": "package-lock.json", "search": '"a": 1', "replace": '"a": 2'})
    (said,) = await asks(hob, pull, f"simplify {wish}")
    assert len(drafts(hob)) == made
    assert ("written by a tool" in said) == (not made)


async def test_who_asked_is_an_author_and_hob_signs_off_where_that_is_wanted(hob: LivingHob) -> None:
    pull = opened(hob, "code: {enabled: true, sign_off: true}\n")
    pull.code.grant("bob", "write")
    await hob.works()
    hob.ollama.answer = edits(NEW_TEST)
    await asks(hob, pull, "tests", "bob")
    (draft,) = drafts(hob)
    (commit,) = draft.commits
    last = commit.message.strip().split("\n\n")[-1].splitlines()
    assert last[0].startswith("Co-authored-by: bob <")
    assert last[1] == "Signed-off-by: my-hob[bot] <my-hob[bot]@users.noreply.github.com>"


async def test_A6_a_permission_revoked_while_queued_writes_no_code(hob: LivingHob) -> None:
    pull = opened(hob)
    await hob.works()
    hob.ollama.answer = edits(NEW_TEST)
    for command in ("tests", "docs", "simplify", "fix all"):
        pull.comment("ann", f"@my-hob {command}")
    pull.code.grant("ann", "read")
    asked = len(hob.ollama.chats)
    await hob.works()
    assert branches(pull.code) == []
    assert len(hob.ollama.chats) == asked
    assert "write permission" in pull.comments[-1].body


@pytest.mark.parametrize("step", ["trees", "commits", "refs"])
async def test_the_apps_permission_taken_away_meanwhile_is_told_with_the_patch(
    hob: LivingHob, step: str
) -> None:
    pull = opened(hob)
    await hob.works()
    hob.ollama.answer = edits(NEW_TEST)
    hob.github.fault("POST", f"/git/{step}$", kind="refuse", says="no permission", times=9)
    (said,) = await asks(hob, pull, "tests")
    assert "Contents: read and write" in said
    assert "+    assert brew(2) == 2" in said
    assert "I proposed" not in said


async def test_where_there_are_no_drafts_it_is_named_one(hob: LivingHob) -> None:
    pull = opened(hob)
    pull.code.drafts = False  # type: ignore[attr-defined]
    await hob.works()
    hob.ollama.answer = edits(NEW_TEST)
    await asks(hob, pull, "tests")
    (draft,) = drafts(hob)
    assert not draft.draft
    assert draft.title.startswith("Draft: ")


async def test_a_default_branch_is_nobodys_own(hob: LivingHob) -> None:
    """A pull request may come from it: nothing is pushed there, whoever asks."""
    pull = opened(hob, "code: {enabled: true, push: author}\n")
    pull.code.default_branch = pull.head_ref  # type: ignore[attr-defined]
    await hob.works()
    hob.ollama.answer = edits(NEW_TEST)
    head = pull.head_sha
    await asks(hob, pull, "tests")
    assert pull.head_sha == head
