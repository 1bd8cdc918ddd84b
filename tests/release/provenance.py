"""How a release was made: an in-toto statement with SLSA's provenance, signed with the sums.
https://slsa.dev/spec/v1.0/provenance"""

import hashlib
import platform
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

BUILD_TYPE = "urn:hob:make-release:1"
"""In words: `make release` of a clone at the commit. The files of the commit and nothing else are built
by hatchling as the lock file among the materials pins it, with the commit's time as SOURCE_DATE_EPOCH."""
BUILDER = "urn:hob:a-clone-of-its-own"
"""Somebody's machine: no service vouches for it. What vouches is that anybody gets the same bytes."""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def provenance(
    built: list[Path], *, source: str, commit: str, tag: str, seconds: int, materials: list[Path]
) -> dict[str, Any]:
    """Of the files that were `built`. `source` is where the clone came from, empty where that is no address;
    `tag` may be empty too. `materials` are the lock files."""
    repository = {"name": "source", "digest": {"gitCommit": commit}}
    if uri := public(source):
        repository["uri"] = f"git+{uri}@{commit}"
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path.name, "digest": {"sha256": sha256(path)}} for path in built],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"commit": commit, "tag": tag},
                "internalParameters": {"SOURCE_DATE_EPOCH": seconds},
                "resolvedDependencies": [
                    repository,
                    *({"name": path.name, "digest": {"sha256": sha256(path)}} for path in materials),
                ],
            },
            "runDetails": {"builder": {"id": BUILDER, "version": {"python": platform.python_version()}}},
        },
    }


def public(source: str) -> str:
    """An address without user, password, query; empty for a path of this machine or what cannot be read."""
    if source.startswith("git@") and ":" in source:  # ssh's short way
        source = "ssh://" + source.removeprefix("git@").replace(":", "/", 1)
    try:
        parts = urlsplit(source)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in {"https", "ssh"} or not parts.hostname:
        return ""
    return urlunsplit((parts.scheme, parts.hostname + port, parts.path, "", ""))
