"""How the table of word vectors is made, on a small made history."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from bot.knowledge.parsing.tokens import tokens
from bot.knowledge.parsing.word_vectors import WordVectors, cosine
from bot.knowledge.search.query import query_terms
from tests.word_vectors.pairs import Pair, pairs

TOLD = {
    "kettle": "The kettle boils dry when nobody is there to look after it",
    "teapot": "A teapot pours beside the cup while guests are waiting",
}
CODE = {"kettle": "def heat(water): thermostat(water)", "teapot": "def spout(angle): gravity(angle)"}


def made(folder: Path, rounds: int = 2) -> Path:
    """A repository whose commits say one thing and touch another."""

    def git(*words: str) -> None:
        who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)

    folder.mkdir()
    git("init", "-q")
    for number in range(rounds + 1):
        for name, text in TOLD.items():
            (folder / f"{name}.py").write_text(f"{CODE[name]}\nround({number})\n")
            git("add", ".")
            git("commit", "-q", "-m", f"{text}\n\nSigned-off-by: ann <ann@example.org>")
    for message, author in (
        ("Bump kettle from one version to the next of them", "ann <a@x>"),
        ("Look after the kettle as all robots like to do", "robot[bot] <b@x>"),
    ):
        (folder / "kettle.py").write_text(f"{message} = 1\n")
        git("commit", "-q", "-a", "-m", message, f"--author={author}")
    return folder


def test_pairs_are_what_people_said_and_the_code_that_was_there(tmp_path: Path) -> None:
    found = list(pairs(made(tmp_path / "tea")))
    assert [one.path for one in found] == ["teapot.py", "kettle.py"] * 2, (
        "no new file, bump or bot; newest first"
    )
    kettle = found[1]
    assert {"boil", "nobody", "dry"} <= set(kettle.said)
    assert not {"sign", "ann", "exampl", "the"} & set(kettle.said)
    assert {"kettl", "heat", "thermostat", "water", "round"} <= set(kettle.code)
    assert "1" not in kettle.code and "2" not in kettle.code, "what the commit wrote is not what it found"


def test_the_same_pairs_give_the_same_table_in_which_words_lie_near_the_code_they_mean() -> None:
    """Of two repositories; no word of a message is in the code that it touched."""
    pytest.importorskip("numpy", reason="numpy is not here; install it with `make .venv/.bench`")
    import numpy as np

    from tests.word_vectors.learning import Plan, eight_bits, learn, vocabulary

    told = {name: tuple(query_terms(text).terms) for name, text in TOLD.items()}
    read = {
        repository: [
            Pair(f"{name}{number}.py", told[name], Counter(tokens(CODE[name])))
            for number in range(10)
            for name in TOLD
        ]
        for repository in ("first", "second")
    }
    words = vocabulary(read, 100)
    start = np.random.default_rng(7).normal(size=(len(words), 16)).astype(np.float32)
    rows = [eight_bits(learn(read, words, start, Plan(epochs=30, rate=0.05, seed=3))) for _ in range(2)]
    assert rows[0] == rows[1], "the same in the same words"
    table = WordVectors("made", words, 16, rows[0])
    kettle, teapot = (table.of(told[name]) for name in TOLD)
    heat, spout = (table.of(tokens(CODE[name])) for name in TOLD)
    assert min(cosine(kettle, heat), cosine(teapot, spout)) > 0.2
    assert max(cosine(kettle, spout), cosine(teapot, heat)) < -0.2
