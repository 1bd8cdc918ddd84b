"""A local git range in the place of a pull request."""

from pathlib import Path

import pytest

from bot.context import Context
from bot.core.errors import UserError
from bot.core.facts import PullRequestFacts
from bot.core.inference import Completion, Prompt, T
from bot.core.refs import RepoRef
from bot.local import find_change
from bot.local.reader import LocalReader
from bot.pull_request_facts import pull_request_facts
from tests.agents.conftest import git, make_repository
from tests.tea import BROKEN, TEA

AUTHOR = ("-c", "user.name=Ann", "-c", "user.email=ann@tea.example")


def commit(checkout: Path, files: dict[str, str | bytes], message: str = "Change") -> None:
    for path, data in files.items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_bytes(data if isinstance(data, bytes) else data.encode())
    git(checkout, "add", "-A")
    git(checkout, *AUTHOR, "commit", "-qm", message)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with a branch `brew` that is one commit ahead of main."""
    (tmp_path / "house").mkdir()
    make_repository(tmp_path / "house", {"tea.py": TEA, "README.md": "# Tea\n"})
    git(tmp_path / "house", "branch", "-M", "main")
    git(tmp_path / "house", "switch", "-qc", "brew")
    commit(tmp_path / "house", {"tea.py": BROKEN}, "Brew more\n\nSome people want more.")
    return tmp_path / "house"


async def nobody(_: Prompt[T], /) -> Completion[T]:
    raise AssertionError("nobody is asked here")


async def facts(checkout: Path, text: str = "") -> PullRequestFacts:
    reader = LocalReader(checkout, await find_change(checkout, text))
    ctx = Context(RepoRef("local", "house", 0, 0), "hob", reader, nobody)
    context = await ctx.repository(reader.change.base)
    return await pull_request_facts(ctx, context, await reader.pull_request(0))


async def test_a_branch_is_read_from_where_it_left_main(checkout: Path) -> None:
    git(checkout, "switch", "-q", "main")
    commit(checkout, {"other.py": "x = 1\n"}, "Main moved on")
    git(checkout, "switch", "-q", "brew")
    found = await facts(checkout)
    assert [file.path for file in found.files] == ["tea.py"]
    assert (found.title, found.author) == ("Brew more", "Ann")
    assert found.body == "Brew more\nSome people want more."
    assert found.texts == {"tea.py": BROKEN}
    assert found.checks_run == ("secrets", "conflicts", "invisible", "leftovers", "ruff")


@pytest.mark.parametrize("text", ["main..brew", "main...brew", "main", "main..", "HEAD~1..HEAD"])
async def test_ranges_as_people_write_them(text: str, checkout: Path) -> None:
    assert [file.path for file in (await facts(checkout, text)).files] == ["tea.py"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("HEAD..HEAD", "nothing to review"),
        ("brew..main", "nothing to review"),
        ("nowhere..HEAD", "'nowhere' names no commit"),
        ("--output=x..HEAD", "names no commit"),
        ("main..a\0b", "names no commit"),
        ("main..HEAD:tea.py", "names no commit"),
    ],
)
async def test_what_names_no_commits_is_said(text: str, said: str, checkout: Path) -> None:
    with pytest.raises(UserError, match=said):
        await find_change(checkout, text)
    assert not (checkout / "x").exists()


async def test_branches_without_a_common_past_are_said(checkout: Path) -> None:
    git(checkout, "switch", "-q", "--orphan", "island")
    commit(checkout, {"palm.py": "x = 1\n"})
    with pytest.raises(UserError, match="share no history"):
        await find_change(checkout, "main..island")


async def test_what_was_not_committed_is_not_read(checkout: Path) -> None:
    (checkout / "tea.py").write_text("uncommitted = 1\n")
    (checkout / "new.py").write_text("untracked = 1\n")
    assert (await facts(checkout)).texts == {"tea.py": BROKEN}


async def test_C1_the_settings_are_those_of_the_base(checkout: Path) -> None:
    commit(checkout, {".github/hob.yml": "review: {paths: ['!**']}\n"}, "Judge me not")
    found = await facts(checkout)
    assert "tea.py" in {file.path for file in found.files}
    assert "the version on its base was used" in found.context.complaints[0].message
    git(checkout, "switch", "-qc", "next")
    commit(checkout, {"pot.py": "x = 1\n"})
    assert (await facts(checkout, "brew..next")).files == ()


async def test_C3_settings_that_are_a_symbolic_link_are_none(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs.yml").write_text("review: {paths: ['!**']}\n")
    (checkout / ".github").mkdir()
    (checkout / ".github/hob.yml").symlink_to(tmp_path / "theirs.yml")
    commit(checkout, {}, "Link")
    commit(checkout, {"pot.py": "x = 1\n"})
    assert [file.path for file in (await facts(checkout, "HEAD~1..HEAD")).files] == ["pot.py"]


async def test_odd_names_and_kinds_of_files(checkout: Path) -> None:
    git(checkout, "switch", "-q", "main")
    (checkout / "link").symlink_to("/etc/passwd")
    odd = {
        "--help": "x = 1\n",
        'a "quoted"\tname.py': "y = 1\n",
        "line\nbreak.py": "z = 1\n",
        "tè é.py": "ü = 1\n",
        "logo.png": b"\x89PNG\0\0",
        "latin.txt": "caf\xe9\n".encode("latin-1"),
        "crlf.py": "a = 1\r\nb = 2\r\n",
        "big.txt": "x\n" * 300_000,
    }
    commit(checkout, odd)
    found = await facts(checkout, "HEAD~1..HEAD")
    read = {file.path for file in found.files}
    assert {"--help", 'a "quoted"\tname.py', "line\nbreak.py", "tè é.py", "crlf.py"} <= read
    assert found.texts["line\nbreak.py"] == "z = 1\n"
    assert found.texts["crlf.py"] == odd["crlf.py"]
    assert not {"link", "logo.png", "latin.txt", "big.txt"} & set(found.texts)


async def test_S1_nothing_that_the_repository_configures_is_run(checkout: Path, tmp_path: Path) -> None:
    canary, script = tmp_path / "canary", tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {canary}\n")
    script.chmod(0o755)
    commit(checkout, {".gitattributes": "*.py diff=evil filter=evil\n"})
    keys = ("core.fsmonitor", "core.pager", "diff.external", "diff.evil.textconv", "diff.evil.command")
    for key in (*keys, "filter.evil.smudge", "core.hooksPath", "gpg.program", "core.sshCommand"):
        git(checkout, "config", key, str(script))
    git(checkout, "config", "log.showSignature", "true")
    assert (await facts(checkout)).texts["tea.py"] == BROKEN
    assert not canary.exists()


async def test_patches_are_those_that_git_wrote(checkout: Path) -> None:
    """No line moves."""
    commit(checkout, {"tea.py": BROKEN.replace("def", "\n\ndef") + "\x0cpage = '\u2028'\r\nend"})
    (file,) = await LocalReader(checkout, await find_change(checkout)).files(0)
    (hunk,) = file.hunks or ()
    assert [line.text for line in hunk.new_side][-2:] == ["\x0cpage = '\u2028'\r", "end"]


async def test_guidelines_and_settings_of_others_are_those_of_the_base(checkout: Path) -> None:
    git(checkout, "switch", "-q", "main")
    (checkout / "CLAUDE.md").symlink_to("/etc/passwd")
    base = {
        "AGENTS.md": "Base rules. @docs/more.md",
        "docs/more.md": "More rules.",
        ".github/instructions/py.instructions.md": "---\napplyTo: '*.py'\n---\nPython rules.",
        ".coderabbit.yaml": "language: de\nreviews: {poem: true}\n",
        "CODEOWNERS": "*.py @octo/tea\n",
    }
    commit(checkout, dict(base))
    git(checkout, "switch", "-q", "brew")
    git(checkout, *AUTHOR, "rebase", "-q", "main")
    commit(checkout, {"AGENTS.md": "Head rules."})
    found = await facts(checkout, "main..brew")
    assert dict(found.context.guidelines) == {
        "AGENTS.md": "Base rules. @docs/more.md\n\nMore rules.",
        ".github/instructions/py.instructions.md": "Python rules.",
    }
    assert found.guides["tea.py"] == ("AGENTS.md", ".github/instructions/py.instructions.md")
    assert found.owners == ("octo/tea",)
    assert found.context.settings.language == "de"
    assert any("`reviews.poem`" in note for note in found.context.notes)


async def test_who_touched_a_file_last_up_to_a_commit(checkout: Path) -> None:
    change = await find_change(checkout, "main..brew")
    reader = LocalReader(checkout, change)
    told = await reader.touching("tea.py", change.head, 10)
    assert [one.message.split("\n")[0] for one in told] == ["Brew more", "Tea"]
    assert [one.message for one in await reader.touching("tea.py", change.base, 10)] == ["Tea"]
    assert len(await reader.touching("tea.py", change.head, 1)) == 1
    for path in ("no.py", "*", ":(glob)**", "--all"):
        assert await reader.touching(path, change.head, 10) == []
    for path in ("../tea.py", "/etc/passwd", "tea\0py", ""):
        with pytest.raises(UserError):
            await reader.touching(path, change.head, 10)
