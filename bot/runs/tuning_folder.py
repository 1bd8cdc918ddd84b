"""What lies in `tune/NUMBER` of the data directory: what was exported (`bot.core.tuning`), put there whole,
and the adapters that were trained on it. The number is GitHub's, for names come and go. It is code and words
of a repository: readable by its owner alone, gone when that is purged or may not be read any more."""

import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bot.config import Config
from bot.config.tuned import ADAPTERS, RECORD, WEIGHTS, is_at_home, read_record, weights_digest
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
    manifest_of,
)
from bot.knowledge.locking import locked
from bot.knowledge.manager import UNKNOWN_SECONDS
from bot.paths import make_private, put_private, read_file, sync
from bot.store import StoreUnavailable, open_store

MOST_BYTES = 1 << 30
"""Of a file of examples."""
MOST_MANIFEST = 1 << 20
NEW, _OLD = ".new", ".old"
"""`NEW`: of an adapter's folder while it is trained and tried, too."""
DELETE = "delete it"


def tuning_folder(data_dir: Path, repo_id: int) -> Path:
    return data_dir / TUNE / str(repo_id)


def _folders(data_dir: Path) -> dict[int, Path]:
    there = sorted(one for one in (data_dir / TUNE).glob("*") if one.is_dir())
    return {int(one.name): one for one in there if one.name.isascii() and one.name.isdecimal()}


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
    What ends in the middle leaves the old export, or none: the manifest goes first and comes last."""
    make_private(folder.parent)
    lock = folder.with_name(f".{folder.name}")
    async with locked(lock):
        _put(folder, files, manifest)
        lock.unlink()


def _put(folder: Path, files: Mapping[str, str], manifest: ExportManifest) -> None:
    new, old = folder / NEW, folder / _OLD
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
    for repo_id, folder in _folders(data_dir).items():
        manifest = folder / MANIFEST
        made = (manifest if manifest.exists() else folder).stat().st_mtime
        if repo_id not in known and made < before:
            _remove(folder)


def forget_not_allowed(data_dir: Path, private: Collection[int]) -> list[Path]:
    """Where `[privacy] tune` is off: what was made of repositories that are `private`, or were it then. The
    folders that were deleted."""
    folders = _folders(data_dir).items()
    found = [folder for repo_id, folder in folders if repo_id in private or _was_private(folder)]
    for folder in found:
        _remove(folder)
    return found


def _was_private(folder: Path) -> bool:
    manifest = manifest_in(folder)
    return bool(manifest and manifest.private) or any(one.private for one in _records(folder))


def not_allowed(config: Config) -> list[Path]:
    """What waits for that."""
    if config.privacy.tune:
        return []
    return [folder for folder in _folders(config.hob.data_dir).values() if _was_private(folder)]


def tuning_folders(data_dir: Path, repo_ids: Collection[int]) -> list[Path]:
    return [folder for repo_id, folder in _folders(data_dir).items() if repo_id in repo_ids]


def forget_tuning(data_dir: Path, repo_ids: Collection[int]) -> None:
    """With what was trained on it."""
    for folder in tuning_folders(data_dir, repo_ids):
        _remove(folder)


def _remove(folder: Path) -> None:
    """Where a person has put a link to a larger disk there, of what it leads to all that is ours."""
    ours = [folder / name for name in (DATA, CASES, ADAPTERS, NEW, _OLD)]
    for gone in ours if folder.is_symlink() else [folder]:
        shutil.rmtree(gone, ignore_errors=True)
    if folder.is_symlink():
        (folder / MANIFEST).unlink(missing_ok=True)
        folder.unlink()


def tune_folder(config: Config, named: str) -> "TuneFolder":
    """Of what a person calls `owner/name`: the repository that has the name now, as far as that is known
    here, or else had it when it was exported."""
    data_dir = config.hob.data_dir
    repo_id = _known_id(config, named)
    if not repo_id:
        told = [one for folder in _folders(data_dir).values() if (one := manifest_in(folder))]
        same = [one for one in told if one.repository.lower() == named.lower()]
        repo_id = max(same, key=lambda one: one.made).repo_id if same else 0
    return TuneFolder(data_dir, named, repo_id)


def _known_id(config: Config, named: str) -> int:
    store = open_store(config.store.database_url)
    try:
        if store.database.file.is_missing or not store.schema_is_current():
            return 0
        return store.known.id_of(named)
    except StoreUnavailable:
        return 0
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class TuneFolder:
    """Of one repository. `repository`: as a person names it."""

    data_dir: Path
    repository: str
    repo_id: int
    """0 where nothing of it is known here."""

    @property
    def path(self) -> Path:
        return tuning_folder(self.data_dir, self.repo_id)

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
            unread = [str(one.path) for one in unread_places(self.data_dir) if one.path.name == MANIFEST]
            more = f" that can be read; not {', '.join(unread[:3])}" if unread else ""
            raise UserError(f"nothing of {self.repository} is exported{more}", hint) from None
        except (OSError, ValueError) as wrong:
            raise UserError(f"{self.path / MANIFEST} cannot be read: {wrong}", hint) from None
        if manifest.repo_id != self.repo_id:
            raise UserError(f"{self.path} is an export of number {manifest.repo_id}", hint)
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
        """Of all that were trained to the end, the newest last; `unread_places` has the others."""
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


@dataclass(frozen=True, slots=True)
class UnreadPlace:
    """A file or folder below `tune/` of which Hob can make nothing. `what_to_do`: with it."""

    path: Path
    why: str
    what_to_do: str


def every_record(data_dir: Path) -> list[AdapterRecord]:
    """Of all repositories."""
    found = [one for place in _folders(data_dir).values() for one in _records(place)]
    return sorted(found, key=lambda one: (one.repository.lower(), one.made))


def unread_places(data_dir: Path) -> list[UnreadPlace]:
    """All that the others leave out, by path. What is being trained, or waits for its trial, is none."""
    folders = _folders(data_dir)
    strange = [one for one in (data_dir / TUNE).glob("[!.]*") if one not in folders.values()]
    found = [UnreadPlace(one, "its name is no number of a repository", DELETE) for one in strange]
    for folder in folders.values():
        if (folder / MANIFEST).exists():
            try:
                _manifest(folder)
            except (OSError, ValueError) as wrong:
                found.append(UnreadPlace(folder / MANIFEST, str(wrong), "export again (`hob tune export`)"))
        found += [one for one in _all(folder) if isinstance(one, UnreadPlace)]
    return sorted(found, key=lambda one: one.path)


def _records(folder: Path) -> list[AdapterRecord]:
    return [one for one in _all(folder) if isinstance(one, AdapterRecord)]


def _all(folder: Path) -> list[AdapterRecord | UnreadPlace]:
    places = sorted((folder / ADAPTERS).glob("[!.]*"))
    return [_read(place) for place in places if place.suffix != NEW]


def _read(place: Path) -> AdapterRecord | UnreadPlace:
    file = place / RECORD
    try:
        record = read_record(place)
    except FileNotFoundError:
        return UnreadPlace(place, f"it has no {RECORD}", DELETE)
    except (OSError, ValueError) as wrong:
        return UnreadPlace(file, str(wrong), f"train again (`hob tune run`), or {DELETE}")
    if not is_at_home(record, place):
        whose = f"it is of {record.name} of number {record.repo_id}, which belongs elsewhere"
        return UnreadPlace(file, whose, DELETE)
    return record
