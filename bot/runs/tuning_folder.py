"""What lies in `tune/OWNER--REPO` of the data directory: what was exported (`bot.core.tuning`), put there
whole, and the adapters that were trained on it. It is code and words of a repository: readable by its owner
alone, gone when the repository is purged or may not be read any more."""

import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bot.config.tuned import ADAPTERS, RECORD, WEIGHTS, read_record, weights_digest
from bot.core.adapter_records import AdapterRecord
from bot.core.errors import UserError
from bot.core.tuning import (
    CASES,
    DATA,
    DATA_FILES,
    MANIFEST,
    TUNE,
    DataFile,
    ExportManifest,
    data_digest,
    folder_name,
    manifest_of,
)
from bot.knowledge.locking import locked
from bot.knowledge.manager import UNKNOWN_SECONDS
from bot.paths import put_private, read_file, sync

MOST_BYTES = 1 << 30
"""Of a file of examples."""
MOST_MANIFEST = 1 << 20
_NEW, _OLD = ".new", ".old"


def tuning_folder(data_dir: Path, full_name: str) -> Path:
    return data_dir / TUNE / folder_name(full_name)


def manifest_in(folder: Path) -> ExportManifest | None:
    """None where there is no export, or not all of it."""
    try:
        return _manifest(folder)
    except (OSError, ValueError):
        return None


def _manifest(folder: Path) -> ExportManifest:
    """OSError where there is none, ValueError where that cannot be read."""
    return manifest_of(read_file(folder / MANIFEST, MOST_MANIFEST).decode())


def refuse_unusable(folder: Path) -> None:
    """UserError where no export could be put, before anything is read for one."""
    if folder.is_symlink() and not folder.exists():
        raise UserError(f"{folder} is a link to {folder.readlink()}, which is not there", "bring that back")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is no folder", "move it away")


async def put_export(folder: Path, files: Mapping[str, str], manifest: ExportManifest) -> None:
    """In the place of an older one. `files`: texts by their paths under the folder, in `data/` or `cases/`.
    What ends in the middle leaves the old export, or none: the manifest goes first and comes last. What
    stands there of another repository, which had the name before, goes whole."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = folder.with_name(f".{folder.name}")
    async with locked(lock):
        before = manifest_in(folder)
        if before is not None and before.repo_id != manifest.repo_id:
            _remove(folder)
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
            _remove(folder)


def tuning_folders(data_dir: Path, repo_ids: Collection[int], names: Collection[str] = ()) -> list[Path]:
    """Of repositories by their numbers; one without a manifest by these names."""
    wanted = {folder_name(name) for name in names}
    there = [one for one in (data_dir / TUNE).glob("*--*") if one.is_dir()]
    known = {one: manifest_in(one) for one in there}
    return [one for one, told in known.items() if (told.repo_id in repo_ids if told else one.name in wanted)]


def forget_tuning(data_dir: Path, repo_ids: Collection[int], names: Collection[str] = ()) -> None:
    """With what was trained on it."""
    for folder in tuning_folders(data_dir, repo_ids, names):
        _remove(folder)


def _remove(folder: Path) -> None:
    """Where a person has put a link to a larger disk there, of what it leads to all that is ours."""
    ours = [folder / name for name in (DATA, CASES, ADAPTERS, _NEW, _OLD)]
    for gone in ours if folder.is_symlink() else [folder]:
        shutil.rmtree(gone, ignore_errors=True)
    if folder.is_symlink():
        (folder / MANIFEST).unlink(missing_ok=True)
        folder.unlink()


@dataclass(frozen=True, slots=True)
class TuneFolder:
    """Of one repository (`Owner/Repo`)."""

    data_dir: Path
    repository: str

    @property
    def path(self) -> Path:
        return tuning_folder(self.data_dir, self.repository)

    @property
    def data(self) -> Path:
        return self.path / DATA

    def exported(self) -> ExportManifest:
        """Of what there is to train on. UserError where there is nothing, or it is not what was
        exported."""
        hint = f"run `hob tune export {self.repository}` first"
        try:
            manifest = _manifest(self.path)
        except FileNotFoundError:
            raise UserError(f"nothing of {self.repository} is exported", hint) from None
        except (OSError, ValueError) as wrong:
            raise UserError(f"{self.path / MANIFEST} cannot be read: {wrong}", hint) from None
        if manifest.repository.lower() != self.repository.lower():
            raise UserError(f"{self.path} is an export of {manifest.repository[:200]}", hint)
        files: dict[DataFile, bytes] = {
            name: file.read_bytes()
            for name in DATA_FILES
            if (file := self.data / f"{name}.jsonl").is_file() and file.stat().st_size < MOST_BYTES
        }
        if data_digest(files) != manifest.digest:
            raise UserError(f"{self.data} is not what was exported", hint)
        if not files.get("train"):
            raise UserError(f"there is no example to train on in {self.data}", hint)
        return manifest

    def place(self, digest: str) -> Path:
        return self.path / ADAPTERS / digest

    def records(self) -> list[AdapterRecord]:
        """Of all that were trained to the end, the newest last; those that cannot be read are left out."""
        return sorted(_records(self.path), key=lambda one: one.made)

    def keep(self, record: AdapterRecord, work: Path) -> AdapterRecord:
        """Puts what was trained in `work` in its place, with what is known of it, which is given back."""
        if not record.weights and (work / WEIGHTS).is_file():
            record = replace(record, weights=weights_digest(work))
        put_private(work / RECORD, record.text)
        place = self.place(record.digest)
        if work != place:
            _remove(place)
            work.rename(place)
        return record


def every_record(data_dir: Path) -> list[AdapterRecord]:
    """Of all repositories."""
    found = [one for place in sorted((data_dir / TUNE).glob("*")) for one in _records(place)]
    return sorted(found, key=lambda one: (one.repository.lower(), one.made))


def _records(place: Path) -> Iterator[AdapterRecord]:
    for file in sorted((place / ADAPTERS).glob(f"*/{RECORD}")):
        try:
            record = read_record(file.parent)
        except (OSError, ValueError):
            continue
        if record.digest == file.parent.name and folder_name(record.repository) == place.name:
            yield record
