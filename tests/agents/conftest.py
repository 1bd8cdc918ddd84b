"""A model host, a small git repository and a workshop over them."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.config import Config, load_config
from tests.fakes.models import FakeModel, FakeOllama

TEA = f'''"""Everything about tea."""


def steep(leaves: int) -> int:
    """How long tea is steeped, in seconds."""
    return leaves * 60

{"# Leaves need time." + chr(10) * 20}
def pour(cup: str) -> str:
    return "tea in " + cup
'''
FILES = {"src/tea.py": TEA, "README.md": "# Tea house\n\nWe steep and pour.\n", "logo.bin": "a\0b"}


def make_repository(folder: Path, files: dict[str, str] = FILES) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=Ann", "-c", "user.email=ann@tea.example", "commit", "-qm", "Tea")
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "house").mkdir()
    return make_repository(tmp_path / "house")


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama(models={"qwen2.5:7b": FakeModel(), "qwen2.5-coder:14b": FakeModel()}) as host:
        yield host


@pytest.fixture
def config_of(tmp_path: Path) -> Callable[..., Config]:
    """A configuration with these hosts; `roles` and `parallel` by the host's name."""

    def make(*hosts: FakeOllama, parallel: int = 1, **roles: list[str]) -> Config:
        tables = [
            {"name": name, "url": host.url, "parallel": parallel, "roles": roles.get(name, [])}
            for name, host in zip(("mini", "other", "third"), hosts, strict=False)
        ]
        (tmp_path / "hob.toml").touch()
        environ = {"HOB_HOSTS": json.dumps(tables), "HOB_HOB__DATA_DIR": str(tmp_path / "data")}
        return load_config(tmp_path / "hob.toml", environ)

    return make
