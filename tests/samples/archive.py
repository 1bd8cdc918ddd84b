"""Reading npm tarballs, and writing small gzipped files that come out the same every time."""

import gzip
import json
import tarfile
from pathlib import Path
from typing import Any


def member(tarball: Path, name: str) -> bytes:
    """One file of an npm package; KeyError where it has none of that name."""
    with tarfile.open(tarball) as archive:
        file = archive.extractfile(f"package/{name}")
        assert file is not None
        with file:
            return file.read()


def save(path: Path, data: bytes) -> None:
    """Gzips without a time or a name in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, 9, mtime=0))


def save_json(path: Path, value: Any) -> None:
    save(path, json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())


def load(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def load_json(path: Path) -> Any:
    return json.loads(load(path))
