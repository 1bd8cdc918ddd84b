"""Where training data lies: whole or not there at all, and never another repository's."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import UserError
from bot.core.tuning import ExportManifest
from bot.paths import put_private
from bot.runs.tuning_folder import (
    every_record,
    forget_tuning,
    forget_unknown,
    manifest_in,
    put_export,
    refuse_unusable,
    tuning_folder,
    tuning_folders,
)


def manifest(digest: str = "1", repo_id: int = 7) -> ExportManifest:
    return ExportManifest("octo/tea", repo_id, "", "", digest)


async def put(folder: Path, digest: str, repo_id: int = 7) -> None:
    await put_export(
        folder, {"data/train.jsonl": digest, f"cases/{digest}.json": digest}, manifest(digest, repo_id)
    )


def there(folder: Path) -> dict[str, str]:
    files = (one for one in folder.rglob("*") if one.is_file())
    return {str(one.relative_to(folder)): one.read_text() for one in files if one.name != "manifest.json"}


@pytest.mark.parametrize("ends_at", range(6))
async def test_what_ends_in_the_middle_leaves_the_old_export_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends_at: int
) -> None:
    folder, rename, left = tuning_folder(tmp_path, "octo/tea"), Path.rename, iter(range(99))

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
    assert sorted(one.name for one in folder.parent.iterdir()) == ["octo--tea"]


async def test_another_repository_of_the_name_finds_nothing_of_the_one_before(tmp_path: Path) -> None:
    folder = tuning_folder(tmp_path, "octo/tea")
    await put(folder, "1")
    (folder / "adapters").mkdir()
    await put(folder, "2", repo_id=8)
    assert sorted(one.name for one in folder.iterdir()) == ["cases", "data", "manifest.json"]
    assert tuning_folders(tmp_path, {7}, ["octo/tea"]) == []


async def test_of_a_link_to_a_larger_disk_all_that_is_hobs_goes_and_a_stray_file_is_no_folder(
    tmp_path: Path,
) -> None:
    (disk := tmp_path / "disk").mkdir()
    (disk / "own.txt").touch()
    (folder := tuning_folder(tmp_path, "octo/tea")).parent.mkdir()
    folder.symlink_to(disk)
    await put(folder, "1")
    (folder.parent / "notes--old.txt").touch()
    forget_unknown(tmp_path, [7])
    forget_tuning(tmp_path, {7})
    assert [one.name for one in disk.iterdir()] == ["own.txt"]
    assert [one.name for one in folder.parent.iterdir()] == ["notes--old.txt"]


async def test_it_is_known_by_its_number_and_without_a_manifest_by_its_name(tmp_path: Path) -> None:
    old, new, pot = (tuning_folder(tmp_path, name) for name in ("octo/tea", "octo/kettle", "octo/pot"))
    for folder in (old, new):
        await put(folder, "1")
    (pot / "data").mkdir(parents=True)
    (pot / "manifest.json").write_text("{")
    assert set(tuning_folders(tmp_path, {7})) == {old, new}
    forget_tuning(tmp_path, {7}, ["Octo/Pot"])
    assert list((tmp_path / "tune").iterdir()) == []


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
    folder = tuning_folder(tmp_path, "octo/tea")
    kept = folder / "adapters" / "1a2b3c4d5e6f"
    kept.mkdir(parents=True)
    damaged(folder / "manifest.json")
    damaged(kept / "adapter.json")
    assert manifest_in(folder) is None
    assert every_record(tmp_path) == []


def test_where_no_export_could_be_put_nothing_is_read_for_one(tmp_path: Path) -> None:
    folder = tuning_folder(tmp_path, "octo/tea")
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
