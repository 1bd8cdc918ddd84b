"""Where things lie that two packages must find by themselves."""

import hashlib
import os
import tempfile
from pathlib import Path

SOCKET_PATH_LIMIT = 103
"""Bytes: macOS takes 104 with the closing NUL, Linux 108."""


def socket_path(data_dir: Path) -> Path:
    """In the data directory, or, where that name is too long for a socket, in a private folder of the
    temporary one that every process of the same user finds again."""
    path = data_dir.absolute() / "redis" / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        return path
    name = hashlib.sha256(os.fsencode(data_dir.absolute())).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"hob-{os.getuid()}-{name}" / "redis.sock"
    if len(os.fsencode(short)) <= SOCKET_PATH_LIMIT:
        return short
    return Path("/tmp") / short.parent.name / short.name  # noqa: S108  made private below
