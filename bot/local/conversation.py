"""The last conversation of `hob ask` about a repository on this machine, kept for its user alone."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.core.inference import Turn
from bot.paths import put_private
from bot.repository import LocalRepository

MOST_TURNS, MOST_CHARS = 20, 40_000


@dataclass(frozen=True, slots=True)
class LocalConversation:
    """A file that may be lost at any time: then the next question begins anew."""

    path: Path

    @classmethod
    def of(cls, folder: Path, data_dir: Path) -> Self:
        """That about the repository in which a folder lies."""
        root = LocalRepository.at(folder).root.resolve()
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
        return cls(data_dir / "conversations" / f"{name}.json")

    def read(self) -> tuple[Turn, ...]:
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            turns = tuple(Turn(speaker, str(text)) for speaker, text in told if speaker in _SPEAKERS)
        except (OSError, ValueError, TypeError):
            return ()
        return turns[-MOST_TURNS:]

    def write(self, turns: Sequence[Turn]) -> None:
        """The newest that fit, from a question on."""
        kept: list[Turn] = []
        room = MOST_CHARS
        for turn in reversed(turns[-MOST_TURNS:]):
            room -= len(turn.text)
            if room < 0:
                break
            kept.insert(0, turn)
        while kept and kept[0].speaker != "user":
            kept.pop(0)
        try:
            put_private(self.path, json.dumps([[one.speaker, one.text] for one in kept]))
        except OSError:  # a disk that is full or read only: the answer was given all the same
            return


_SPEAKERS = ("user", "assistant")
