"""A model host as a process of its own, so that it can die: `python -m tests.soak.host PORT SECONDS`. It has
the models that Hob is set up for, and needs SECONDS for an answer."""

import asyncio
import json
import socket
import sys
from typing import Any

import uvicorn

from tests.fakes.models import Act, FakeModel, FakeOllama, Stage
from tests.living import by_schema
from tests.tea import finding

MODELS = ("qwen2.5-coder:14b", "qwen2.5:7b")
PIECES = 4
"""In which an answer comes: what a token costs is not measured here."""
TRIAGED = {
    "kind": "bug",
    "labels": ["bug"],
    "priority": "normal",
    "summary": "",
    "missing": [],
    "reply": "",
}
_says = by_schema(review={"findings": [finding()], "summary": "Brews stronger."}, triage=TRIAGED)


def answering(seconds: float) -> Any:
    """What `FakeOllama.answer` is set to."""

    def answer(request: dict[str, Any]) -> Act:
        text = json.dumps(_says(request))
        size = len(text) // PIECES + 1

        async def act(stage: Stage) -> None:
            for at in range(0, len(text), size):
                await asyncio.sleep(seconds / PIECES)
                await stage.token(text[at : at + size])
            await stage.done(len(text) // 4)

        return act

    return answer


class Forgetful(list[Any]):
    """Of requests: it serves for long."""

    def append(self, _: Any) -> None:
        """Kept by nobody."""


def main(port: int, seconds: float) -> None:
    host = FakeOllama({name: FakeModel() for name in MODELS}, answering(seconds), requests=Forgetful())
    listening = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(host.app(), log_level="critical", lifespan="off", ws="none")
    uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
