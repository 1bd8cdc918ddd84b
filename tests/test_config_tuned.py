"""`[models] tuned`: what may be named there, and what is said of anything else."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.framework import hob as group
from bot.config import Config, chosen, load_config
from bot.core.adapter_records import AdapterRecord
from bot.core.errors import ConfigError
from bot.core.settings import RepoSettings
from bot.core.training import Losses
from bot.inference.hosts.pool import Pool
from tests.core.test_adapters import BASE, GOOD, NAME, RECORD

Made = Callable[..., Config]
HERE = [{"name": "here", "kind": "mlx"}]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A configuration that names an adapter, which is there."""

    def make(*names: str, review: str = BASE, hosts: object = HERE, tune: bool = False) -> Config:
        given = {
            "HOB_HOB__DATA_DIR": str(tmp_path),
            "HOB_MODELS__REVIEW": review,
            "HOB_MODELS__TUNED": ",".join(names or (NAME,)),
            "HOB_HOSTS": json.dumps(hosts),
            "HOB_PRIVACY__TUNE": str(tune).lower(),
        }
        return load_config(environ=given)

    place = place_of(tmp_path)
    place.mkdir(parents=True)
    (place / "adapter.json").write_text(RECORD.text)
    (place / "adapters.safetensors").touch()
    return make


def place_of(data_dir: Path, digest: str = RECORD.digest) -> Path:
    return data_dir / "tune" / "7" / "adapters" / digest


def test_its_host_has_it_and_no_other_host_does(made: Made, tmp_path: Path) -> None:
    hosts = made(hosts=[*HERE, {"name": "mini", "url": "http://127.0.0.1:1"}]).pool_hosts()
    assert [(host.name, [one.name for one in host.adapters]) for host in hosts] == [
        ("here", [NAME]),
        ("mini", []),
    ]
    (adapter,) = hosts[0].adapters
    assert (adapter.repo_id, adapter.revision, adapter.place) == (7, "0" * 40, str(place_of(tmp_path)))


def test_P6_only_its_own_repository_is_reviewed_with_it_and_nothing_else_is_done(made: Made) -> None:
    config = made()
    pool = Pool(config.pool_hosts())
    asked = chosen(config, RepoSettings(), adapters=pool.adapters(7))
    assert asked["review"] == (NAME, BASE)
    assert all(NAME not in models for role, models in asked.items() if role != "review")
    for other in (8, 0, 70):
        assert chosen(config, RepoSettings(), adapters=pool.adapters(other))["review"] == (BASE,)


def put(data_dir: Path, record: AdapterRecord) -> None:
    place = data_dir / "tune" / str(record.repo_id) / "adapters" / record.digest
    place.mkdir(parents=True)
    (place / "adapter.json").write_text(record.text)
    (place / "adapters.safetensors").touch()


def test_P6_of_two_repositories_that_had_a_name_after_each_other_each_has_its_own(
    made: Made, tmp_path: Path
) -> None:
    later = replace(RECORD, repo_id=8, digest="b" * 12)
    put(tmp_path, later)
    pool = Pool(made(NAME, later.name).pool_hosts())
    assert [one.name for one in pool.adapters(7)] == [NAME]
    assert [one.name for one in pool.adapters(8)] == [later.name]


def test_it_has_its_base_model_s_own_settings(made: Made) -> None:
    table = [{**HERE[0], "models": {BASE: {"num_ctx": 4_096}}}]
    (host,) = made(hosts=table).pool_hosts()
    assert host.of(NAME).num_ctx == host.of(BASE).num_ctx == 4_096


def swapped(place: Path) -> None:
    """Its record is its own, and its weights may be those of another private repository."""
    tried = hashlib.sha256(b"its own").hexdigest()
    (place / "adapter.json").write_text(replace(RECORD, weights=tried).text)
    (place / "adapters.safetensors").write_bytes(b"another's")


def damaged(place: Path) -> None:
    (place / "adapter.json").write_text("{}")


def lost(place: Path) -> None:
    (place / "adapters.safetensors").unlink()


def worse(place: Path) -> None:
    (place / "adapter.json").write_text(replace(RECORD, before=GOOD).text)


def unlearnt(place: Path) -> None:
    (place / "adapter.json").write_text(replace(RECORD, losses=Losses(1.0, 1.5, validation=True)).text)


def others(place: Path) -> None:
    (place / "adapter.json").write_text(replace(RECORD, repo_id=8).text)


def renamed(place: Path) -> None:
    (place / "adapter.json").write_text(replace(RECORD, repository="octo/cups").text)


def copied(place: Path) -> None:
    (place / "adapter.json").write_text(replace(RECORD, digest="f" * 12).text)


@pytest.mark.parametrize(
    ("done", "says"),
    [
        (damaged, "cannot be read"),
        (lost, "has no weights"),
        (worse, "was refused: it is not better than its base model: F1 0.818 before, 0.818 after"),
        (unlearnt, "was refused: its loss has not fallen"),
        (swapped, "are not those that were tried"),
        (others, "another's"),
        (renamed, "another's"),
        (copied, "another's"),
    ],
)
def test_one_that_may_not_be_used_is_an_error_with_the_reason(
    made: Made, tmp_path: Path, done: Callable[[Path], None], says: str
) -> None:
    done(place_of(tmp_path))
    config = made()  # so that `hob tune off` can mend it
    with pytest.raises(ConfigError, match=says):
        config.pool_hosts()


@pytest.mark.parametrize("gone", ["tune", "tune/7/adapters/1a2b3c4d5e6f"])
def test_what_is_not_there_any_more_is_told_of_and_keeps_nobody_from_starting(
    made: Made, tmp_path: Path, caplog: pytest.LogCaptureFixture, gone: str
) -> None:
    shutil.rmtree(tmp_path / gone)
    (host,) = made().pool_hosts()
    assert host.adapters == ()
    assert f"{NAME} is not there: its repository was purged" in caplog.text
    assert "hob tune off" in caplog.text


def test_P6_what_learnt_a_private_repository_is_asked_only_while_that_is_allowed(
    made: Made, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for text in (replace(RECORD, private=True).text, RECORD.text.replace('"private": false,', "")):
        (place_of(tmp_path) / "adapter.json").write_text(text)
        assert made(tune=True).pool_hosts()[0].adapters != ()
        caplog.clear()
        assert made().pool_hosts()[0].adapters == ()
        assert (
            f"{NAME} has learnt a private repository, and [privacy] tune does not allow that" in caplog.text
        )


def test_an_adapter_needs_its_base_model_and_a_host_that_can(made: Made, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="which \\[models\\] review does not name"):
        made(review="qwen:14b").pool_hosts()
    with pytest.raises(ConfigError, match="no host of kind mlx"):
        made(hosts=[{"name": "mini", "url": "http://127.0.0.1:1"}]).pool_hosts()
    second = replace(RECORD, digest="f" * 12)
    place = place_of(tmp_path, second.digest)
    place.mkdir()
    (place / "adapter.json").write_text(second.text)
    (place / "adapters.safetensors").touch()
    with pytest.raises(ConfigError, match="second adapter"):
        made(NAME, second.name).pool_hosts()
    assert made(second.name).pool_hosts()[0].adapters[0].name == second.name


@pytest.mark.parametrize("name", [BASE, f"{NAME}@here", f"{BASE}+../../etc:1a2b3c4d5e6f", "x"])
def test_what_is_no_name_of_an_adapter_is_refused_when_it_is_read(made: Made, name: str) -> None:
    with pytest.raises(ConfigError, match="TUNED: models") as wrong:
        made(name)
    assert "as `hob tune list` shows it" in wrong.value.hint


def test_nobody_is_told_that_an_adapter_is_off_while_the_environment_has_it_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file := tmp_path / "hob.toml").write_text("[models]  # mine\n")
    monkeypatch.setenv("HOB_CONFIG", str(file))
    monkeypatch.setenv("HOB_MODELS__TUNED", "m/x+octo--tea:1a2b3c4d5e6f")
    done = CliRunner().invoke(group, ["tune", "off", "octo/tea"])
    assert done.exit_code == 1
    assert "HOB_MODELS__TUNED of the environment" in f"{done.output}{done.exception}"
    assert file.read_text() == "[models]  # mine\ntuned = []\n"
