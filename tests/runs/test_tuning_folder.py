"""Where training data lies: whole or not there at all, and never another repository's."""

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli.doctor.kept import kept
from bot.cli.framework import hob as group
from bot.config import Config, load_config
from bot.core.errors import UserError
from bot.core.tuning import ExportManifest
from bot.paths import put_private
from bot.runs.tuning_folder import (
    every_record,
    forget_not_allowed,
    forget_tuning,
    forget_unknown,
    manifest_in,
    put_export,
    refuse_unusable,
    tune_folder,
    tuning_folder,
    tuning_folders,
)
from bot.store import migrate, open_store
from bot.store.known_repositories import Seen
from tests.core.test_adapters import RECORD


def manifest(digest: str = "1") -> ExportManifest:
    return ExportManifest("octo/tea", 7, "", "", digest)


async def put(folder: Path, digest: str) -> None:
    files = {"data/train.jsonl": digest, f"cases/{digest}.json": digest}
    await put_export(folder, files, manifest(digest))


def there(folder: Path) -> dict[str, str]:
    files = (one for one in folder.rglob("*") if one.is_file())
    return {str(one.relative_to(folder)): one.read_text() for one in files if one.name != "manifest.json"}


@pytest.mark.parametrize("ends_at", range(6))
async def test_what_ends_in_the_middle_leaves_the_old_export_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends_at: int
) -> None:
    folder, rename, left = tuning_folder(tmp_path, 7), Path.rename, iter(range(99))

    def ends(self: Path, target: Any) -> Path:
        if next(left) == ends_at:
            raise KeyboardInterrupt
        return rename(self, target)

    await put(folder, "1")
    whole = {"data/train.jsonl": "2", "cases/2.json": "2"}
    monkeypatch.setattr(Path, "rename", ends)
    if ends_at < 5:
        with pytest.raises(KeyboardInterrupt):
            await put(folder, "2")
        assert manifest_in(folder) is None
    else:
        await put(folder, "2")
    monkeypatch.undo()
    await put(folder, "2")
    assert manifest_in(folder) == manifest("2")
    assert there(folder) == whole
    assert sorted(one.name for one in folder.parent.iterdir()) == ["7"]


async def test_of_a_link_to_a_larger_disk_all_that_is_hobs_goes_and_a_stray_file_is_no_folder(
    tmp_path: Path,
) -> None:
    (disk := tmp_path / "disk").mkdir()
    (disk / "own.txt").touch()
    (folder := tuning_folder(tmp_path, 7)).parent.mkdir()
    folder.symlink_to(disk)
    await put(folder, "1")
    (folder.parent / "notes--old.txt").touch()
    forget_unknown(tmp_path, [7])
    forget_tuning(tmp_path, {7})
    assert [one.name for one in disk.iterdir()] == ["own.txt"]
    assert [one.name for one in folder.parent.iterdir()] == ["notes--old.txt"]


async def test_it_is_known_by_its_number_with_a_manifest_and_without(tmp_path: Path) -> None:
    tea, pot = tuning_folder(tmp_path, 7), tuning_folder(tmp_path, 8)
    await put(tea, "1")
    (pot / "data").mkdir(parents=True)
    (pot / "manifest.json").write_text("{")
    assert set(tuning_folders(tmp_path, {7, 8, 9})) == {tea, pot}
    forget_tuning(tmp_path, {8})
    assert list((tmp_path / "tune").iterdir()) == [tea]
    for one in (tea / "manifest.json", tea):
        os.utime(one, (0, 0))
    forget_unknown(tmp_path, {8})
    assert list((tmp_path / "tune").iterdir()) == []


def at(config: Config, repo_id: int, made: str, name: str = "octo/tea") -> None:
    folder = tuning_folder(config.hob.data_dir, repo_id)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(ExportManifest(name, repo_id, made, "", "").text)


def test_a_repository_is_found_by_the_name_that_it_has_now_and_else_by_its_last(tmp_path: Path) -> None:
    config = load_config(environ={"HOB_HOB__DATA_DIR": str(tmp_path)})
    at(config, 7, "2026-11-01T00:00:00Z")
    at(config, 8, "2026-11-02T00:00:00Z", "octo/pot")
    assert tune_folder(config, "Octo/Tea").repo_id == 7
    assert tune_folder(config, "octo/kettle").repo_id == 0
    migrate(config.store.database_url)
    store = open_store(config.store.database_url)
    store.known.remember([Seen(7, "octo/kettle", 1, 1.0), Seen(9, "octo/tea", 1, 2.0)])
    store.close()
    told = {name: tune_folder(config, name).repo_id for name in ("octo/kettle", "octo/tea", "octo/pot")}
    assert told == {"octo/kettle": 7, "octo/tea": 9, "octo/pot": 8}


def test_the_adapter_of_a_repository_that_was_renamed_is_switched_off_by_its_new_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = replace(RECORD, repo_id=8, digest="b" * 12)
    for record in (RECORD, later):
        place = tuning_folder(tmp_path, record.repo_id) / "adapters" / record.digest
        place.mkdir(parents=True)
        (place / "adapter.json").write_text(record.text)
    (file := tmp_path / "hob.toml").write_text(f'[models]\ntuned = ["{RECORD.name}", "{later.name}"]\n')
    monkeypatch.setenv("HOB_CONFIG", str(file))
    monkeypatch.setenv("HOB_HOB__DATA_DIR", str(tmp_path))
    config = load_config()
    migrate(config.store.database_url)
    store = open_store(config.store.database_url)
    store.known.remember([Seen(7, "octo/kettle", 1, 1.0), Seen(8, "octo/tea", 1, 2.0)])
    store.close()
    assert CliRunner().invoke(group, ["tune", "off", "octo/kettle"]).exit_code == 0
    assert load_config().models.tuned == (later.name,)
    assert CliRunner().invoke(group, ["tune", "off", "octo/kettle"]).exit_code == 1


def test_what_is_not_read_is_named_with_why_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapters = tuning_folder(tmp_path, 7) / "adapters"
    for name, text in (
        (RECORD.digest, RECORD.text),
        ("b" * 12, "{"),
        ("c" * 12, RECORD.text),
        ("d" * 12, None),
        ("e" * 12 + ".new", None),
    ):
        (adapters / name).mkdir(parents=True)
        if text:
            (adapters / name / "adapter.json").write_text(text)
    (adapters.parent / "manifest.json").write_text("[]")
    (tmp_path / "tune" / "octo--tea").mkdir()
    monkeypatch.setenv("HOB_HOB__DATA_DIR", str(tmp_path))
    told = json.loads(CliRunner().invoke(group, ["tune", "list", "--json"]).output)
    assert [one["name"] for one in told["adapters"]] == [RECORD.name]
    assert {one["path"].removeprefix(f"{tmp_path}/tune/") for one in told["unread"]} == {
        "7/manifest.json",
        f"7/adapters/{'b' * 12}/adapter.json",
        f"7/adapters/{'c' * 12}/adapter.json",
        f"7/adapters/{'d' * 12}",
        "octo--tea",
    }
    assert all(one["why"] and one["what_to_do"] for one in told["unread"])
    shown = CliRunner().invoke(group, ["tune", "list"]).output
    assert f"{'b' * 12}/adapter.json\n  cannot be used: Expecting property name" in shown
    assert "hob tune run" in shown


async def test_where_tuning_is_not_allowed_what_was_made_of_private_repositories_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, was, now, learnt = (tuning_folder(tmp_path, number) for number in (5, 6, 7, 8))
    for folder in (public, now):
        await put(folder, "1")
    await put_export(was, {}, replace(manifest(), private=True))
    (place := learnt / "adapters" / RECORD.digest).mkdir(parents=True)
    (place / "adapter.json").write_text(replace(RECORD, repo_id=8, private=True).text)
    monkeypatch.setenv("HOB_HOB__DATA_DIR", str(tmp_path))
    (tmp_path / "hob.toml").write_text(f'[models]\ntuned = ["{RECORD.name}"]\nreview = ["{RECORD.base}"]\n')
    monkeypatch.setenv("HOB_CONFIG", str(tmp_path / "hob.toml"))
    shown = CliRunner().invoke(group, ["tune", "list"]).output
    assert "not asked: it has learnt a private repository, and [privacy] tune does not allow that" in shown
    (told,) = json.loads(CliRunner().invoke(group, ["tune", "list", "--json"]).output)["adapters"]
    assert (told["on"], told["allowed"]) == (False, False)
    migrate(load_config().store.database_url)
    assert "of private repositories: as [privacy] tune does not allow that" in await kept(load_config())
    (tmp_path / "tune" / "8" / "manifest.json").write_text(replace(manifest(), repo_id=8, made="2026").text)
    done = CliRunner().invoke(group, ["tune", "use", "octo/tea"])
    assert "has learnt a private repository, and [privacy] tune does not" in f"{done.output}{done.exception}"
    assert forget_not_allowed(tmp_path, {7}) == [was, now, learnt]
    assert list((tmp_path / "tune").iterdir()) == [public]


@pytest.mark.parametrize(
    "damaged",
    [
        os.mkfifo,
        lambda file: file.symlink_to("/dev/zero"),
        lambda file: file.symlink_to("nowhere"),
        lambda file: file.mkdir(),
        lambda file: file.write_bytes(b"[" * 200_000),
        lambda file: file.write_bytes(b"\xff\x00"),
    ],
)
def test_what_stands_in_the_place_of_a_record_keeps_nobody_waiting(tmp_path: Path, damaged: Any) -> None:
    folder = tuning_folder(tmp_path, 7)
    kept = folder / "adapters" / "1a2b3c4d5e6f"
    kept.mkdir(parents=True)
    damaged(folder / "manifest.json")
    damaged(kept / "adapter.json")
    assert manifest_in(folder) is None
    assert every_record(tmp_path) == []


def test_where_no_export_could_be_put_nothing_is_read_for_one(tmp_path: Path) -> None:
    folder = tuning_folder(tmp_path, 7)
    refuse_unusable(folder)
    folder.parent.mkdir()
    folder.symlink_to(tmp_path / "larger-disk")
    with pytest.raises(UserError, match=r"is a link to .*larger-disk, which is not there"):
        refuse_unusable(folder)
    (tmp_path / "larger-disk").mkdir()
    refuse_unusable(folder)
    folder.unlink()
    folder.write_text("")
    with pytest.raises(UserError, match="is no folder"):
        refuse_unusable(folder)


def test_of_several_who_write_a_file_at_once_one_is_there_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [letter * 50_000 for letter in "abcd"]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda n: put_private(tmp_path / "kept.json", texts[n % 4]), range(200)))
    assert (tmp_path / "kept.json").read_text() in texts
    assert (tmp_path / "kept.json").stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(OSError, match="full"):
        put_private(tmp_path / "kept.json", "e")
    assert [one.name for one in tmp_path.iterdir()] == ["kept.json"]
