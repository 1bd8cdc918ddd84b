"""Stack traces, logs and prose lead to files, by the names that these have in the repository."""

import pytest

from bot.core.named_files import NamedFile, candidates, named_files, standing

TRACES = {
    "Python": '  File "/home/ann/tea/src/kettle/boil.py", line 3, in boil\n    raise Hot',
    "Python, installed": '  File "/usr/lib/python3/site-packages/kettle/boil.py", line 3',
    "Windows": '  File "C:\\\\Users\\\\Ann Lee\\\\tea\\\\src\\\\kettle\\\\boil.py", line 3',
    "JavaScript": "    at boil (/app/src/kettle/boil.js:3:9)\n    at node:internal/main:1:2",
    "Vite": "at boil (http://localhost:5173/src/kettle/boil.ts?t=1700:3:9)",
    "webpack": "at boil (webpack://tea/./src/kettle/boil.tsx:3:9)",
    "Java": "\tat app//org.tea.Kettle.boil(Kettle.java:3)\n\tat java.base/java.lang.Thread.run(T.java:9)",
    "Go": "main.boil()\n\t/root/go/tea/cmd/boil.go:3 +0x1d",
    "Rust": "thread 'main' panicked at src/main.rs:3:5:",
    "C#": "   at Tea.Kettle.Boil() in C:\\\\a\\\\tea\\\\src\\\\Kettle.cs:line 3",
    "Ruby": "app/models/kettle.rb:3:in `boil'",
    "a link": "see https://github.com/Octo/Tea/blob/main/docs/boil.md#L3-L9.",
    "a compiler": "src/kettle.c:3:9: error: expected ';'",
}
THERE = [
    *("src/kettle/boil.py", "src/kettle/boil.js", "src/kettle/boil.ts", "src/kettle/boil.tsx"),
    *("src/main/java/org/tea/Kettle.java", "cmd/boil.go", "src/main.rs", "src/Kettle.cs", "src/kettle.c"),
    *("app/models/kettle.rb", "docs/boil.md", "boil.py", "T.java"),
]


@pytest.mark.parametrize("which", TRACES)
def test_a_trace_leads_to_the_one_file_and_line_that_it_names(which: str) -> None:
    places = candidates(named_files(TRACES[which], "octo/tea"))
    found = standing(places, dict.fromkeys(THERE, "1\n2\n3\n4\n"))
    assert [one.line for one in found] == [3]
    assert found[0].path in THERE
    assert found[0].path not in ("boil.py", "T.java")


def test_nothing_is_invented() -> None:
    text = (
        "https://github.com/octo/pot/blob/main/a.py#L1 https://evil.example/a.py ../../etc/x.py a.exe 1.2.3"
    )
    names = [one.path for one in named_files(text, "octo/tea")]
    assert "a.py" not in names
    assert "a.exe" not in names
    assert standing(candidates(named_files(text)), {}) == ()
    assert standing(candidates([NamedFile("b.py", 99)]), {"b.py": "1\n"}) == (NamedFile("b.py"),)


def test_few_paths_are_asked_for_however_many_are_named() -> None:
    text = " ".join(f"/a/b/c/d/e/f{n}.py:{n}" for n in range(10_000))
    places = candidates(named_files(text))
    assert len(places) <= 12
    assert sum(map(len, places.values())) <= 50
