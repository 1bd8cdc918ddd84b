"""Where training data lies (`bot.core.tuning`), put there whole and taken away again. It is code and words of
a repository: readable by its owner alone, gone when the repository is purged or may not be read any more."""

import shutil
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from bot.core.tuning import CASES, DATA, MANIFEST, TUNE, ExportManifest, folder_name, manifest_of
from bot.knowledge.locking import locked
from bot.knowledge.manager import UNKNOWN_SECONDS
from bot.paths import put_private, sync

_NEW, _OLD = ".new", ".old"


def tuning_folder(data_dir: Path, full_name: str) -> Path:
    return data_dir / TUNE / folder_name(full_name)


def manifest_in(folder: Path) -> ExportManifest | None:
    """None where there is no export, or not all of it."""
    try:
        return manifest_of((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


async def put_export(folder: Path, files: Mapping[str, str], manifest: ExportManifest) -> None:
    """In the place of an older one. `files`: texts by their paths under the folder, in `data/` or `cases/`.
    What ends in the middle leaves the old export, or none: the manifest goes first and comes last. What
    stands there of another repository, which had the name before, goes whole."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = folder.with_name(f".{folder.name}")
    async with locked(lock):
        before = manifest_in(folder)
        if before is not None and before.repo_id != manifest.repo_id:
            shutil.rmtree(folder)
        _put(folder, files, manifest)
        lock.unlink()


def _put(folder: Path, files: Mapping[str, str], manifest: ExportManifest) -> None:
    new, old = folder / _NEW, folder / _OLD
    for gone in (new, old):
        shutil.rmtree(gone, ignore_errors=True)
    for made in (folder, new, old, new / DATA, new / CASES):
        made.mkdir(mode=0o700, exist_ok=True)
    for name, text in files.items():
        put_private(new / name, text)
    put_private(new / MANIFEST, manifest.text)
    (folder / MANIFEST).unlink(missing_ok=True)
    for part in (DATA, CASES):
        if (folder / part).exists():
            (folder / part).rename(old / part)
        (new / part).rename(folder / part)
    (new / MANIFEST).rename(folder / MANIFEST)
    sync(folder)
    for gone in (new, old):
        shutil.rmtree(gone)


def forget_unknown(data_dir: Path, known: Collection[int]) -> None:
    """Where another machine heard that access ended. What was just made may not be known yet."""
    before = time.time() - UNKNOWN_SECONDS
    for folder in (data_dir / TUNE).glob("*--*"):
        told = manifest_in(folder)
        if told and told.repo_id not in known and (folder / MANIFEST).stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)


def tuning_folders(data_dir: Path, repo_ids: Collection[int], names: Collection[str] = ()) -> list[Path]:
    """Of repositories by their numbers; one without a manifest by these names."""
    wanted = {folder_name(name) for name in names}
    there = [one for one in (data_dir / TUNE).glob("*--*") if one.is_dir()]
    known = {one: manifest_in(one) for one in there}
    return [one for one, told in known.items() if (told.repo_id in repo_ids if told else one.name in wanted)]


def forget_tuning(data_dir: Path, repo_ids: Collection[int], names: Collection[str] = ()) -> None:
    """With what was trained on it."""
    for folder in tuning_folders(data_dir, repo_ids, names):
        shutil.rmtree(folder, ignore_errors=True)
