"""What the bench measures retrieval with is right itself."""

import json
from pathlib import Path

from bot.testing.github.git import GitRepo
from tests.bench.knowledge.alike import ask as ask_alike
from tests.bench.knowledge.cases import cut
from tests.bench.knowledge.found import files, files_packed, functions_packed, packed, recall
from tests.bench.knowledge.threads import Thread, read, saved, write
from tests.bench.knowledge.walk import Answered, Built, walk

TEA = "def steep(leaves):\n    return leaves * 60\n\n\ndef pour(cup):\n    return cup\n"


def test_recall_is_the_share_of_gold() -> None:
    assert recall(["a", "b", "c"], ["b", "x"], 2) == 0.5
    assert recall([], ["b"], 5) == 0.0


def test_what_is_too_large_is_passed_over() -> None:
    assert packed([1, 2, 3], {1: 900, 2: 200, 3: 90}, 1_000) == {1, 3}
    assert packed([1, 2], {1: 950, 2: 10}, 1_000) == {1}


def test_a_history_is_asked_at_each_snapshot_and_never_knows_the_answer(tmp_path: Path) -> None:
    repo, head = GitRepo(tmp_path / "tea.git"), None
    for message, body in (
        ("Start", TEA),
        ("Fix leaves that steep too short a time", TEA.replace("60", "90")),
        (
            "Fix the cup that is lost when poured",
            TEA.replace("60", "90").replace("return cup", "return [cup]"),
        ),
    ):
        made = {"src/tea.py": body, "tests/test_tea.py": f"# leaves cup\n{body}"}
        head = repo.write("refs/heads/main", made, parent=head, message=message, author="ann", at=1e9)
    cases = list(cut("tea", repo.path, 5))
    *asked, built = walk(tmp_path, repo.path, cases)
    assert isinstance(built, Built)
    assert (built.files, len(built.pushes)) == (2, 2)
    names = []
    for one in asked:
        assert isinstance(one, Answered)
        assert files(one)[0] == "src/tea.py"
        assert functions_packed(one, 2_000) == 1.0
        assert files_packed(one, 2_000) == 1.0
        assert one.case.commit not in {commit.sha for commit in one.signals.commits}
        names.append({one.signals.stored[number].chunk.symbol for number in one.functions})
    assert names == [{"steep"}, {"pour"}]


def test_threads_are_read_as_the_api_tells_them_without_their_references(tmp_path: Path) -> None:
    told = [
        (
            "issues",
            {"number": 1, "title": "Cold tea", "body": None, "created_at": "2020", "closed_at": None},
            [],
        ),
        (
            "issues",
            {"number": 2, "title": "Tea is cold", "closed_at": "2021"},
            ["Closing as duplicate of #1, #9"],
        ),
        (
            "pulls",
            {"number": 3, "title": "Warm it", "body": "Fixes #1.\u2028See https://x.y/z"},
            ["dup of #2"],
        ),
    ]
    for folder, issue, comments in told:
        (tmp_path / folder).mkdir(exist_ok=True)
        raw = {folder[:-1]: issue, "comments": [{"body": text} for text in comments]}
        (tmp_path / folder / f"{issue['number']}.json").write_text(json.dumps(raw))
    threads = list(saved(tmp_path))
    assert [(one.same, one.fixes) for one in threads] == [((), ()), ((1,), ()), ((), (1,))]
    assert threads[2].body == "."
    write(tmp_path / "threads.jsonl", threads)
    assert read(tmp_path / "threads.jsonl") == threads


def test_questions_are_asked_among_what_was_there_and_open_then(tmp_path: Path) -> None:
    def issue(number: int, title: str, closed: str = "", same: tuple[int, ...] = ()) -> Thread:
        return Thread("tea", number, False, title, "", f"2020-0{number}", closed, same)

    threads = [
        issue(1, "Kettle burns", closed="2020-02"),
        issue(2, "Kettle burns"),
        issue(3, "Kettle burns", same=(2,)),
        issue(4, "Kettle burns"),
    ]
    (asked,) = ask_alike(tmp_path / "tea.db", threads, "same", None)
    assert (asked.gold, asked.found) == ((2,), [2, 1])
    (near,) = ask_alike(tmp_path / "near.db", threads, "same", lambda texts: [[1.0, 0.0]] * len(texts))
    assert near.found == [2, 1]
