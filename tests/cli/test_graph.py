"""`hob graph` as a real process on a real repository."""

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bot.testing.github.git import GitRepo
from tests.cli.conftest import Hob


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A checkout whose one file has a name that means harm."""
    bare = GitRepo(tmp_path / "shop.git")
    hostile = "it's <data> \n'}) DETACH DELETE n /* .py"
    files = {hostile: "def pour():\n    pass\n"}
    bare.write("refs/heads/main", files, parent=None, message="Open", author="Ann '&", at=1e9)
    subprocess.run(["git", "clone", "-q", "-b", "main", bare.path, tmp_path / "shop"], check=True)
    return tmp_path / "shop"


def test_a_graph_is_written_to_a_file_and_counted(hob: Hob, shop: Path) -> None:
    file = hob.folder / "shop.graphml"
    done = hob.run("graph", "export", "--folder", str(shop), "-o", str(file), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    root = ElementTree.parse(file).getroot()
    nodes = [one for one in root.iter() if one.tag.endswith("}node")]
    assert (told["nodes"], told["edges"]) == (len(nodes), 3) == (4, 3)
    assert any("DETACH DELETE n" in (one.text or "") for one in root.iter())


def test_cypher_goes_to_standard_output_a_statement_a_line(hob: Hob, shop: Path) -> None:
    done = hob.run("graph", "export", "--format", "cypher", "--folder", str(shop))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 1 + 4 + 3
    assert all(line.endswith(";") for line in lines)
    assert "4 nodes and 3 edges" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--json",), 2, "say -o FILE"),
        (("--format", "gexf"), 2, "gexf"),
        (("-o", "/nowhere/at/all"), 2, "No such file"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    hob: Hob, shop: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = hob.run("graph", "export", "--folder", str(shop), *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr.splitlines()[-1]


def test_a_folder_without_a_repository_is_named(hob: Hob) -> None:
    done = hob.process("graph", "export")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("hob: ")
