"""What lies in `tune/OWNER--REPO` of the data directory: what was exported, the adapters trained on it."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.config.tuned import ADAPTERS, RECORD, read_record
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
from bot.evals.cases import Case, load_cases
from bot.paths import put_private

MOST_BYTES = 1 << 30
"""Of a file of examples."""


@dataclass(frozen=True, slots=True)
class TuneFolder:
    """Of one repository (`Owner/Repo`)."""

    data_dir: Path
    repository: str

    @property
    def path(self) -> Path:
        return self.data_dir / TUNE / folder_name(self.repository)

    @property
    def data(self) -> Path:
        return self.path / DATA

    def exported(self) -> ExportManifest:
        """Of what there is to train on. UserError where there is nothing, or it is not what was
        exported."""
        hint = f"run `hob tune export {self.repository}` first"
        try:
            manifest = manifest_of((self.path / MANIFEST).read_text(encoding="utf-8"))
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

    def cases(self) -> tuple[list[Case], str]:
        """The held-out pull requests, and their digest. UserError where there are none."""
        files = sorted((self.path / CASES).glob("*.json"))
        if not files:
            raise UserError(
                f"no pull request of {self.repository} is held out, so nobody could tell if it got better",
                f"run `hob tune export {self.repository}` with more of its past",
            )
        told = hashlib.sha256()
        for file in files:
            told.update(f"{file.name}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
        return load_cases(files), told.hexdigest()

    def place(self, digest: str) -> Path:
        return self.path / ADAPTERS / digest

    def records(self) -> list[AdapterRecord]:
        """Of all that were trained to the end, the newest last; those that cannot be read are left out."""
        return sorted(_records(self.path), key=lambda one: one.made)

    def keep(self, record: AdapterRecord, work: Path) -> None:
        """Puts what was trained in `work` in its place, with what is known of it."""
        put_private(work / RECORD, record.text)
        place = self.place(record.digest)
        if work != place:
            shutil.rmtree(place, ignore_errors=True)
            work.rename(place)


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
