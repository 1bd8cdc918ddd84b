"""The table of word vectors: what is read of a file, what a text's vector is, how the table is learned."""

import math
from array import array
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.parsing.word_vectors import (
    MAGIC,
    MOST_BYTES,
    WordVectors,
    WordVectorsError,
    cosine,
    read,
    written,
)

WORDS = ["backoff", "kettle", "retry", "tea"]
ROWS = array("b", [100, 20, 0, -90, 90, 30, 5, -127]).tobytes()
WHOLE = written(WORDS, ROWS)


def put(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "table.bin"
    path.write_bytes(data)
    return path


def test_words_that_belong_together_are_near_each_other(tmp_path: Path) -> None:
    table = read(put(tmp_path, WHOLE))
    assert cosine(table.of(["retry"]), table.of(["backoff"])) > 0.9
    assert cosine(table.of(["retry"]), table.of(["tea"])) < 0
    assert table.of(["of", "no", "such"]) == b"", "none of its words is in the table"
    assert cosine(b"", table.of(["tea"])) == 0.0
    assert cosine(b"\1", table.of(["tea"])) == 0.0, "of another length"


@given(st.lists(st.sampled_from([*WORDS, "other"]), max_size=400))
def test_a_vector_is_the_sum_of_its_words(said: list[str]) -> None:
    """Beside the same sum, a number at a time, without as many of its lowest bits as are too many."""
    expected = [0, 0]
    for word, times in Counter(said).items():
        for place in (0, 1) if word in WORDS else ():
            number = array("b", ROWS)[2 * WORDS.index(word) + place]
            expected[place] += min(48, round(4 * (1 + math.log(times)))) * number
    spare = max(0, max(map(abs, expected)).bit_length() - 7)
    found = list(memoryview(WordVectors("t", WORDS, 2, ROWS).of(said)).cast("b"))
    assert found == ([number >> spare for number in expected] if {*said} & {*WORDS} else [])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 100,
        WHOLE[:-1],
        WHOLE + b"\0",
        WHOLE.replace(b" 4 2\n", b" 4 3\n"),
        WHOLE.replace(b" 4 2\n", b" 0 0\n"),
        WHOLE.replace(b" 4 2\n", b" 999999 9999\n"),
        WHOLE.replace(b"tea\n", b"retry\n"),
        f"{MAGIC} 4 2\n".encode() + b"\xff" * 40,
        WHOLE + b"\0" * MOST_BYTES,
    ],
)
def test_a_table_that_is_not_whole_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(WordVectorsError, match="table"):
        read(put(tmp_path, data))


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WordVectorsError, match="cannot be read: No such file"):
        read(tmp_path / "none.bin")
