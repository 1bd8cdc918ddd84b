"""What people dismissed of Hob's own findings, as a past that conventions are learned from."""

from dataclasses import replace
from typing import Any

from bot.agents.convention import plain
from bot.core.conventions import Count, learned
from bot.core.memory import Lesson, Memory
from bot.core.past_changes import PastChange, PastRemark, judged
from bot.core.refs import Login
from bot.runs.learning import KeptPulls, dismissed_code, judged_findings
from bot.store.findings import FoundRow, Outcome

ANN = Login("ann")
PULLS = "https://github.com/octo/tea/pull/"


def found(number: int, title: str, outcome: Outcome) -> FoundRow:
    told: dict[str, Any] = {"severity": "minor", "category": "style", "source": "model", "model": "m"}
    told |= {"head_sha": "a" * 40, "path": "src/a.py", "line": 1, "state": "said", "why": ""}
    told |= {"id": number, "run_id": number, "repo_id": 1, "repo": "octo/tea", "number": number}
    told |= {"fingerprint": f"f{number}{title[:3]}", "liked": 0, "disliked": 0, "at": float(number)}
    return FoundRow(title=title, outcome=outcome, **told)


def test_remarks_that_people_dismiss_become_a_convention_to_leave_them_out() -> None:
    rows = [found(n, f"Missing docstring in brew_{n}", "dismissed") for n in range(1, 41)]
    rows += [found(n, f"Loses row {n} of the table", "fixed") for n in range(1, 41)]
    (one,), _ = learned(judged_findings(rows[::-1], {"f40Mis": "we write none"}, PULLS))
    assert one.kind == "dismissed"
    assert set(one.trigger) <= {"missing", "docstring"}
    assert one.newer == Count(12, 12)
    assert (one.examples[0].url, one.examples[0].said) == (f"{PULLS}40", "we write none")
    assert plain(one).startswith("People here do not want remarks about ")


def test_what_the_night_found_belongs_to_no_pull_request_and_teaches_nothing() -> None:
    rows = [found(0, f"Missing docstring in brew_{n}", "dismissed") for n in range(3)]
    assert judged_findings(rows, {}, PULLS) == []


def test_findings_that_are_mended_more_often_than_dismissed_teach_nothing() -> None:
    for third in range(3):
        rows = [
            found(n, f"Missing docstring in brew_{n}", "dismissed" if n % 3 == third else "fixed")
            for n in range(1, 81)
        ]
        assert learned(judged_findings(rows, {}, PULLS))[0] == []


def test_code_that_people_said_is_right_counts_against_what_the_past_says_of_it() -> None:
    past = [
        PastChange(f"#{n}", "", "Add", float(n), (("src/a.py", f"x_{n} = y + z"),),
                   remarks=(PastRemark("src/a.py", f"print(x_{n})", "Never.", "ann", ""),))
        for n in range(60)
    ]  # fmt: skip
    point = Lesson("dismissal", "by design", ANN, 1, path="src/b.py", title="Prints", source="model")
    lessons = [replace(point, fingerprint=f"f{n}", words=("print", f"z{n}")) for n in range(40)]
    kept = [Memory(n, lesson, 100.0 + n) for n, lesson in enumerate(lessons)]
    assert [one.trigger for one in learned(judged(past))[0]] == [("print",)]
    assert learned([*judged(past), *dismissed_code(kept, PULLS)])[0] == []


def test_what_was_read_survives_whatever_lies_in_the_file(tmp_path: Any) -> None:
    kept = KeptPulls(tmp_path / "deep" / "1.history.jsonl")
    change = PastChange(
        "#1", "https://github.com/o/r/pull/1", "é\u2028", 1.5, (("a.py", "x"),), reverts=("#3",)
    )
    kept.add(change)
    file = tmp_path / "deep" / "1.history.jsonl"
    for junk in (b"[" * 99_999, b"\xff\xfe", b"null", b'{"name": 1}', b'{"name": "#2", "url": "'):
        with file.open("ab") as out:
            out.write(junk)
        kept.add(PastChange("#9", "", "", 2.0))
    assert set(kept.read()) == {"#1", "#9"}
    assert kept.read()["#1"] == change
    kept.remove()
    assert kept.read() == {}
    kept.remove()
