"""A commit's files, written out from a clone: what the repository says of filters, links and names means
nothing."""

import os
import uuid
from pathlib import Path

import pytest

from bot.core.errors import Gone
from bot.core.refs import Sha
from bot.knowledge.checkout import (
    ChangedTexts,
    Checkout,
    CheckoutRefused,
    Most,
    is_plain,
    layout,
    leads_inside,
)
from bot.knowledge.git import TreeEntry
from bot.testing.github.git import FileEntry, symlink
from tests.knowledge.clones.conftest import Fetching

MOST = Most()


async def written(
    fetching: Fetching, folder: Path, changed: ChangedTexts | None = None, sha: str = "", most: Most = MOST
) -> Checkout:
    folder.mkdir()
    tip = Sha(sha or fetching.repo.git.resolve("refs/heads/main") or "")
    async with fetching.clones.held(fetching.repo.id) as held:
        return await held.checkout(fetching.origin(), tip, changed or {}, folder, most)


def files(folder: Path) -> dict[str, str]:
    """path -> text, or `-> target`."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = path.read_bytes().decode("utf-8", "replace")
    return found


async def test_a_commit_is_written_byte_for_byte_with_texts_in_place_of_its_own(
    fetching: Fetching, tmp_path: Path
) -> None:
    odd = b"\xff\r\nno end"
    fetching.repo.push({"raw.bin": odd, "run.sh": FileEntry(b"#!/bin/sh\n", "100755"), "a/b/c.txt": "c"})
    folder = tmp_path / "out"
    changed = {
        "tea.py": "new\r\n",
        "lib/pot.py": None,
        "new/deep/file.txt": "x",
        "run.sh": "#!/bin/sh\ntrue\n",
    }
    said = await written(fetching, folder, changed)
    assert (folder / "raw.bin").read_bytes() == odd
    assert (folder / "tea.py").read_bytes() == b"new\r\n"
    assert not (folder / "lib").exists()
    assert os.access(folder / "run.sh", os.X_OK) and not os.access(folder / "raw.bin", os.X_OK)
    assert set(files(folder)) == {
        "README.md",
        "a/b/c.txt",
        "new/deep/file.txt",
        "raw.bin",
        "run.sh",
        "tea.py",
    }
    assert said == Checkout(6)


async def test_any_commit_is_had_and_large_files_too(fetching: Fetching, tmp_path: Path) -> None:
    """A partial clone leaves out what is over a megabyte; the tests of a commit need it."""
    old = fetching.repo.git.resolve("refs/heads/main") or ""
    large = uuid.uuid4().hex * 40_000
    fetching.repo.push({"large.txt": large})
    fetching.repo.push({"only.txt": "here"}, branch="side")
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    await written(fetching, tmp_path / "new")
    assert (tmp_path / "new" / "large.txt").read_text() == large
    await written(fetching, tmp_path / "old", sha=old)
    assert "large.txt" not in files(tmp_path / "old")
    await written(fetching, tmp_path / "side", sha=fetching.repo.git.resolve("refs/heads/side") or "")
    assert "only.txt" in files(tmp_path / "side")
    with pytest.raises(Gone):
        await written(fetching, tmp_path / "none", sha="0123456789" * 4)


async def test_S8_filters_hooks_submodules_and_lfs_of_a_repository_do_nothing(
    fetching: Fetching, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 9\n"
    fetching.repo.push(
        {
            ".gitattributes": "*.py filter=evil ident eol=crlf\n*.bin filter=lfs\n",
            ".gitconfig": f'[filter "evil"]\n smudge = touch {canary}\n',
            ".lfsconfig": "[lfs]\n url = http://127.0.0.1:9/\n",
            ".gitmodules": '[submodule "x"]\n path = sub\n url = ext::sh -c "touch x"\n',
            "big.bin": pointer,
            "sub": FileEntry(b"0123456789" * 4, "160000"),
            "id.py": "# $Id$\n",
        },
    )
    said = await written(fetching, tmp_path / "out")
    found = files(tmp_path / "out")
    assert (found["id.py"], found["big.bin"]) == ("# $Id$\n", pointer)
    assert said.left_out == ("sub",)
    assert not (tmp_path / "out" / "sub").exists()
    assert not canary.exists()


async def test_S9_symbolic_links_lead_nowhere_but_into_the_tree(fetching: Fetching, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    inside = {"a/in": "../tea.py", "a/dir": "../lib", "loop": "loop", "hop/b": "../a/dir/pot.py"}
    out = {
        "abs": str(outside),
        "up": "../outside",
        "a/up": "../../outside",
        "a/zig": "dir/../../../outside",
        "git": ".git/config",
        "case": ".GIT/hooks",
        "none": "",
    }
    fetching.repo.push({path: symlink(to) for path, to in (inside | out).items() if to})
    said = await written(fetching, tmp_path / "out", {"abs/x": None})
    links = {path for path, text in files(tmp_path / "out").items() if text.startswith("->")}
    assert links == set(inside)
    assert set(said.left_out) == {path for path, to in out.items() if to}
    assert list(outside.iterdir()) == []


async def test_S9_no_text_is_written_through_a_link_or_out_of_the_tree(
    fetching: Fetching, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    fetching.repo.push({"way": symlink("lib"), "out": symlink(str(outside))})
    refused = [
        "way/x",
        "out/x",
        "tea.py/x",
        "../x",
        "/etc/x",
        ".git/hooks/x",
        ".GIT/x",
        "a/../x",
        "a//x",
        "a\0b",
    ]
    for number, path in enumerate(
        [*refused, "git~1/x", ".git /x", ".g\u200cit/x", "x\\y", "/".join("a" * 200)]
    ):
        with pytest.raises(CheckoutRefused):
            await written(fetching, tmp_path / f"at{number}", {path: "x"})
    await written(fetching, tmp_path / "good", {"way": "a file now\n"})
    assert files(tmp_path / "good")["way"] == "a file now\n"
    assert list(outside.iterdir()) == []


async def test_S9_a_commit_that_is_too_large_is_refused_before_anything_is_written(
    fetching: Fetching, tmp_path: Path
) -> None:
    fetching.repo.push({f"{n}.txt": uuid.uuid4().hex * 20_000 for n in range(4)})
    with pytest.raises(CheckoutRefused, match="more than 1 MB"):
        await written(fetching, tmp_path / "size", most=Most(1 << 20))
    with pytest.raises(CheckoutRefused, match="more than 5 files"):
        await written(fetching, tmp_path / "count", most=Most(files=5))
    with pytest.raises(CheckoutRefused, match="more than 3 MB"):
        await written(fetching, tmp_path / "texts", {"x": "x" * (1 << 20)}, most=Most(3 << 20))
    assert [files(tmp_path / name) for name in ("size", "count", "texts")] == [{}, {}, {}]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "a/",
        "/a",
        "..",
        "a/..",
        ".git",
        "a/.git/b",
        ".Git",
        ".git.",
        ".git::$INDEX",
        "GIT~1",
        "x" * 256,
    ],
)
def test_S9_a_path_that_leaves_the_tree_or_is_gits_is_no_path(path: str) -> None:
    assert not is_plain(path)
    assert layout([TreeEntry(path, "0" * 40, "file")], {}, Most()).left_out == [path]


def test_names_that_only_look_like_gits_are_written() -> None:
    assert all(
        map(is_plain, (".gitignore", ".github/x.yml", "git", "a.git", "..a", "a..b", ".gitmodules", "ü"))
    )


def test_S9_links_that_are_folders_of_links_lead_nowhere_either() -> None:
    """`deep/x -> ..` and `deep/y -> x/..` together would lead out."""
    assert leads_inside("deep/x", "..")
    assert not leads_inside("deep/y", "x/..")
    assert leads_inside("deep/y", "x/z")
    assert leads_inside("a/b/c", "./../../x/./y")
    assert not leads_inside("a/b/c", "../../../x")
