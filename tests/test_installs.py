"""Nothing that Hob installs, or tells people to, is whatever somebody else has put there since."""

import json
import re
from pathlib import Path

import pytest

from tests.installs import ROOT, files, unpinned

DIGEST = f"sha256:{'a' * 64}"


def test_nothing_is_installed_without_a_hash() -> None:
    read = files()
    assert {
        "Makefile",
        "deploy/Dockerfile",
        ".ci/run",
        "README.md",
        "docs/operations.md",
        "deploy/compose.yml",
    } <= {str(path.relative_to(ROOT)) for path in read}
    found = {str(path.relative_to(ROOT)): unpinned(path.read_text(), path.suffix == ".py") for path in read}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "pip install ruff",
        "run `pip install 'hobbot[postgres]'` first",
        "python3 -m pip install -U pip",
        "RUN pip install --no-cache-dir \\\n    --no-deps -r requirements.txt",
        "\t$(PIP) install --quiet --no-deps -e .",  # whatever builds it is fetched
        "pip install --no-build-isolation .",  # what it needs is fetched
        "pip install --require-hashes -r requirements.txt ",  # it says --no-deps everywhere
        "pip install --no-deps --require-hashes hob && pip install ruff",
        "uv pip install hob",
        "uvx ruff check",
        "pipx run hob",
        "npx --yes smee-client",
        "npm i left-pad",
        "curl -fsSL https://example.com/install.sh | sudo bash",
        'sh -c "$(curl -fsSL https://example.com/install.sh)"',
        "go install example.com/x@latest",
        "FROM python:3.11-slim AS build",
        "FROM python:3.11-slim@${PYTHON_TAG}",
        "FROM python@sha256:abc",
        "    image: postgres:17",
        '    image: "ollama/ollama:${TAG:?}"',
        "      - uses: actions/checkout@v4",
        "        uses: octo/hob/deploy/action@main",
        "docker pull ollama/ollama",
    ],
)
def test_what_has_no_hash_is_found(line: str) -> None:
    assert unpinned(f"first\n{line}\nlast\n")


@pytest.mark.parametrize(
    "line",
    [
        "pip install --no-deps --require-hashes -r requirements.txt -r requirements-build.txt",
        "RUN pip install --no-cache-dir \\\n    --no-deps --require-hashes -r requirements.txt \\\n && true",
        "\t$(PIP) install --quiet --no-deps --no-build-isolation -e .",
        "pip install --no-deps dist/hobbot-1.0.0-py3-none-any.whl",
        f"FROM python:3.11-slim@{DIGEST} AS build\nFROM build",
        "FROM python:3.11-slim@${PYTHON_DIGEST}",
        '    image: "postgres:17@${POSTGRES_DIGEST:?set it in .env}"',
        "  image: hobbot",
        f"      - uses: actions/checkout@{'0' * 40} # v4",
        "      - uses: ./deploy/action",
        "uv pip compile pyproject.toml -o requirements.txt",
        "curl -N https://hob.example/agents/chat | jq .",
    ],
)
def test_what_is_held_to_a_hash_is_not(line: str) -> None:
    assert unpinned(f"first\n{line}\nlast\n") == []


def locked(name: str) -> dict[str, str]:
    text = Path(ROOT, name).read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", text, re.MULTILINE))


def test_what_builds_hob_is_locked() -> None:
    build = re.findall(r'^requires = \["([\w-]+)', Path(ROOT, "pyproject.toml").read_text(), re.MULTILINE)
    assert build == ["hatchling"]
    assert {"hatchling", "editables"} <= set(locked("requirements-build.txt"))


def test_one_package_has_one_version_in_all_lock_files() -> None:
    """Each is installed over the others, into one environment."""
    versions: dict[str, set[str]] = {}
    for path in ROOT.glob("requirements*.txt"):
        for name, version in locked(path.name).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_each_lock_file_is_made_and_installed_by_the_makefile() -> None:
    makefile = Path(ROOT, "Makefile").read_text()
    for path in ROOT.glob("requirements*.txt"):
        assert f"-o {path.name}" in makefile, "make lock does not write it"
        assert re.search(rf"--require-hashes (?:-r \S+ )*-r {re.escape(path.name)}", makefile), (
            "nothing installs it"
        )


def test_what_comes_from_npm_is_held_to_a_hash_too() -> None:
    lock = json.loads(Path(ROOT, "tests/checks/linters/package-lock.json").read_text())["packages"]
    assert all(one["integrity"].startswith("sha512-") for path, one in lock.items() if path)
    assert not any("resolved" in one for one in lock.values()), "an address is the registry's to say"
    assert lock[""]["devDependencies"].keys() == {"@biomejs/biome"}
