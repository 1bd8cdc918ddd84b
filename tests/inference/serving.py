"""The real mlx_lm.server, for as long as some tests need it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests import needs


@dataclass(frozen=True)
class Served:
    """A server under way."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def mlx_server(home: Path) -> Iterator[Served]:
    """Serves the models of a cache made by `tests.fakes.tiny.cached`."""
    needs.mlx()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "MLX_DISABLE_COMPILE": "1"}
    environment.pop("HF_HUB_CACHE", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "mlx_lm", "server", "--host", "127.0.0.1", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=home,
    )
    served = Served(f"http://127.0.0.1:{port}", process)
    try:
        _up(served)
        yield served
    finally:
        process.kill()
        process.wait(20)


def _up(served: Served) -> None:
    """Waits until it answers."""
    end = time.monotonic() + 60
    while time.monotonic() < end and served.process.poll() is None:
        try:
            with urlopen(f"{served.url}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError("mlx_lm.server did not come up")
