"""Files by what they define, for a reader who cannot read them whole."""

from collections.abc import Sequence

from bot.core.knowing import Found, Outline
from bot.knowledge.sqlite import Shelf
from bot.knowledge.view import View

MOST, LONGEST = 40, 100
"""Signatures of a file, and characters of one."""


def outlines(shelf: Shelf, view: View, found: Sequence[Found]) -> list[Outline]:
    """For each file that was found the signatures of its symbols, the one that was found first."""
    blobs = view.blobs_of([one.path for one in found])
    chunks: dict[str, list[tuple[str, str]]] = {}
    for each in shelf.chunks_of(set(blobs.values())):
        if each.chunk.signature:
            signature = " ".join(each.chunk.signature.split())[:LONGEST]
            chunks.setdefault(each.blob, []).append((each.chunk.symbol, signature))
    return [Outline(one.path, _ordered(chunks.get(blobs.get(one.path, ""), []), one.symbol)) for one in found]


def _ordered(signatures: Sequence[tuple[str, str]], first: str) -> tuple[str, ...]:
    own = sorted(signatures, key=lambda each: each[0] != first)
    return tuple(dict.fromkeys(signature for _, signature in own))[:MOST]
