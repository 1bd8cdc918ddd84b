"""A file taken apart: by symbol in every language that has a grammar, and never with an exception."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.source import LeftOut, Parsed, references_in, text_of
from bot.knowledge.parsing.passages import parse

# path, text, symbols that must be found, names that must be seen as used, imports
# ruff: noqa: E501 -- the samples are easier to read unbroken
SAMPLES = [
    (
        "a/inbox.py",
        "import os\nfrom .side import helper\n\n# Takes one.\n@cached\ndef put(x: Row) -> None:\n    helper(x)\n\n\n"
        "class Inbox(Base):\n    size = 1\n\n    def get(self):\n        return os.read()\n",
        ["put", "Inbox", "Inbox.get"],
        ["helper", "Base", "Row", "read", "cached"],
        ["os", ".side"],
    ),
    (
        "a.js",
        "import x from './side';\nconst y = require('fs');\nexport class A extends B {\n  go() { this.run(); }\n\n"
        "  stop = () => {\n    end();\n  };\n}\n\nconst f = async (a) => {\n  call(a);\n};\n",
        ["A", "A.go", "A.stop", "f"],
        ["B", "run", "end", "call"],
        ["./side", "fs"],
    ),
    (
        "a.ts",
        "import { x } from './x';\ninterface Shape {\n  area(): number;\n}\nclass C implements Shape {\n"
        "  @log()\n  area(): number {\n    return compute<Unit>();\n  }\n}\nfunction g(s: Shape): void {}\n",
        ["Shape", "C", "C.area", "g"],
        ["Shape", "compute"],
        ["./x"],
    ),
    (
        "a.tsx",
        "import R from 'react';\nexport function App() {\n  return <Button/>;\n}\n",
        ["App"],
        ["Button"],
        ["react"],
    ),
    (
        "a.go",
        'package a\n\nimport (\n\t"fmt"\n)\n\n// Inbox holds.\ntype Inbox struct {\n\tn int\n}\n\n'
        "func (i *Inbox) Put(r Row) {\n\tfmt.Println(r)\n}\n\nfunc New() *Inbox {\n\treturn nil\n}\n",
        ["Inbox", "Inbox.Put", "New"],
        ["Row", "Println"],
        ["fmt"],
    ),
    (
        "a.rs",
        "use std::fmt;\n\n/// Holds.\n#[derive(Debug)]\nstruct Inbox {\n    n: u8,\n}\n\nimpl Inbox {\n"
        "    fn put(&self, r: Row) {\n        go(r);\n    }\n}\n",
        ["Inbox", "Inbox.put"],
        ["Row", "go"],
        ["std::fmt"],
    ),
    (
        "A.java",
        "import java.util.List;\n\npublic class A extends B {\n  @Override\n  public void go(Row r) {\n    run();\n"
        "  }\n}\n",
        ["A", "A.go"],
        ["B", "Row", "run"],
        ["java.util.List"],
    ),
    (
        "a.c",
        '#include <stdio.h>\n#include "a.h"\n\nstruct box {\n  int n;\n};\n\nstatic char *\nput(struct box *b)\n{\n'
        "  return go(b);\n}\n",
        ["box", "put"],
        ["go"],
        ["stdio.h", "a.h"],
    ),
    (
        "a.cpp",
        "#include <map>\nnamespace ns {\nclass Box : public Base {\n public:\n  int n;\n  int size() {\n"
        "    return n;\n  }\n};\n\ntemplate <class T>\nT Box::put(T t)\n{\n  return std::move(t);\n}\n}\n",
        ["ns.Box", "ns.Box.size", "ns.Box.put"],
        ["Base", "move"],
        ["map"],
    ),
    (
        "a.rb",
        "require 'json'\n\nmodule M\n  class A < B\n    # Goes.\n    def go\n      run(1)\n    end\n  end\nend\n",
        ["M", "M.A", "M.A.go"],
        ["B", "run"],
        ["json"],
    ),
    (
        "a.php",
        "<?php\nuse App\\Models\\User;\n\nclass A extends B\n{\n    public function go(Row $r)\n    {\n"
        "        return run($r);\n    }\n}\n",
        ["A", "A.go"],
        ["B", "Row", "run"],
        ["App\\Models\\User"],
    ),
    (
        "a.cs",
        "using System.Text;\n\nnamespace N\n{\n    class A : B\n    {\n        void Go(Row r)\n        {\n"
        "            Run(r);\n        }\n    }\n}\n",
        ["N.A", "N.A.Go"],
        ["B", "Row", "Run"],
        ["System.Text"],
    ),
    (
        "a.kt",
        "import a.b.C\n\nclass A : B() {\n    fun go(r: Row) {\n        run(r)\n    }\n}\n",
        ["A", "A.go"],
        ["B", "Row", "run"],
        ["a.b.C"],
    ),
    (
        "a.swift",
        "import Foundation\n\nclass A: B {\n    func go(r: Row) {\n        run(r)\n    }\n}\n",
        ["A", "A.go"],
        ["B", "Row", "run"],
        ["Foundation"],
    ),
    (
        "deploy",
        "#!/bin/bash\nsource ./lib.sh\n\n# Goes.\ngo() {\n  run_it now\n}\n",
        ["go"],
        ["run_it"],
        ["./lib.sh"],
    ),
    (
        "a.md",
        "intro\n\n# One\ntext\n```\n# no heading\n```\n## Two\nmore\n\nThree\n=====\nend\n",
        ["One", "One > Two", "Three"],
        [],
        [],
    ),
    ("a.rst", "Title\n=====\n\ntext\n\nPart\n----\nmore\n", ["Title", "Title > Part"], [], []),
]


def taken(path: str, text: str) -> Parsed:
    parsed = parse(path, text.encode())
    assert isinstance(parsed, Parsed)
    return parsed


def covers(parsed: Parsed) -> bool:
    return [n for c in parsed.chunks for n in range(c.start, c.end + 1)] == list(
        range(1, len(parsed.lines) + 1)
    )


@pytest.mark.parametrize(
    ("path", "text", "symbols", "used", "imported"), SAMPLES, ids=[s[0] for s in SAMPLES]
)
def test_symbols_uses_and_imports(
    path: str, text: str, symbols: list[str], used: list[str], imported: list[str]
) -> None:
    parsed = taken(path, text)
    assert covers(parsed)
    found = list(dict.fromkeys(chunk.symbol for chunk in parsed.chunks if chunk.symbol))
    assert [name for name in found if name in symbols] == symbols
    assert set(used) <= {each.name for each in parsed.references}
    assert [each.target for each in parsed.imports] == imported


def test_a_comment_and_decorator_belong_to_the_definition_below() -> None:
    parsed = taken(*SAMPLES[0][:2])
    put = next(chunk for chunk in parsed.chunks if chunk.start <= 7 <= chunk.end)
    assert (put.symbol, put.start, put.signature) == ("put", 4, "def put(x: Row) -> None")
    assert text_of(parsed, put).startswith("# Takes one.") and text_of(parsed, put).endswith("helper(x)")
    assert references_in(parsed, 10, 14) == ("Base", "read")


def test_a_long_function_is_cut_and_keeps_its_symbol() -> None:
    body = "".join(f"    x = {n}\n" for n in range(300))
    parsed = taken("a.py", f"def long():\n{body}\n    def inner():\n        pass\n")
    assert covers(parsed)
    assert [c.symbol for c in parsed.chunks].count("long") > 3
    assert parsed.chunks[-1].symbol == "long.inner"
    assert all(c.end - c.start < 100 for c in parsed.chunks)


@pytest.mark.parametrize("sample", SAMPLES, ids=[s[0] for s in SAMPLES])
def test_broken_syntax_still_gives_chunks(sample: tuple[str, str, list[str], list[str], list[str]]) -> None:
    path, text = sample[:2]
    for cut in range(0, len(text), 29):
        assert covers(taken(path, text[:cut]))
        assert covers(taken(path, text[cut:] + "\n}}))(("))


@pytest.mark.parametrize(
    "path", ["a.py", "a.js", "a.ts", "a.go", "a.rs", "a.java", "a.c", "a.cpp", "a.swift", "a.md"]
)
@pytest.mark.parametrize("piece", ["[", "{(", "class A{\n", "a<", "`${", "def f():\n", "# a\n## b\n", "/*"])
def test_hostile_text_is_read_in_bounded_steps(path: str, piece: str) -> None:
    text = "".join(piece for _ in range(1_000))
    text = "\n".join(text[at : at + 400] for at in range(0, len(text), 400))
    assert covers(taken(path, text))


@pytest.mark.parametrize(
    ("path", "start", "line"),
    [
        ("a.py", "def f():\n    x = 1\n", "# a\n"),
        ("a.py", "def f():\n    x = 1\n", "\\\n"),
        ("a.py", "", "/*" * 100 + "\n"),
        ("a.js", "", "/* a\n"),
        ("a.go", "", "/* a\n"),
    ],
)
def test_S5_text_that_is_read_again_and_again_is_cut_by_lines(path: str, start: str, line: str) -> None:
    parsed = taken(path, start + line * (70_000 // len(line)))
    assert covers(parsed)
    assert {chunk.kind for chunk in parsed.chunks} == {"window"}


PATHS = st.sampled_from(
    [sample[0] for sample in SAMPLES] + ["a.h", "a.json", "Makefile", "nothing", "-rf", ""]
)


@given(PATHS, st.binary(max_size=2_000))
def test_any_bytes(path: str, data: bytes) -> None:
    parsed = parse(path, data)
    assert isinstance(parsed, LeftOut) or covers(parsed)


@given(PATHS, st.text(max_size=500))
def test_any_text(path: str, text: str) -> None:
    parsed = parse(path, text.encode(errors="replace"))
    assert isinstance(parsed, LeftOut) or covers(parsed)


@pytest.mark.parametrize(
    ("path", "data", "why"),
    [
        ("a.py", b"x" * 1_000_001, "over 1 MB"),
        ("a.png", b"\x89PNG\0\0", "binary"),
        ("a.py", b"# Code generated by x. DO NOT EDIT.\n", "generated"),
        ("a.min.js", b"x", "generated"),
        ("a.js", b"x" * 20_000, "very long lines"),
        ("yarn.lock", b"", "lock file"),
        ("node_modules/a/b.js", b"", "vendored"),
        ("a.bin", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        ("a.json", b"[1,\n" * 50_000, "data over 100 KB"),
    ],
)
def test_what_is_left_out_is_said(path: str, data: bytes, why: str) -> None:
    assert parse(path, data) == LeftOut(path, why)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings(encoding: str) -> None:
    parsed = parse("a.py", "def größe():\r\n    pass\r\n".encode(encoding))
    assert isinstance(parsed, Parsed)
    assert parsed.lines == ("def größe():", "    pass") and parsed.chunks[0].symbol == "größe"
