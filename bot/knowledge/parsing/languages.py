"""Which language a file is written in, and where that language's grammar and query are.

What a grammar's nodes mean is data: one file of tree-sitter queries a language in `queries/`, with these
captures.

| capture | what it marks |
|---|---|
| `@function`, `@class` | a definition that is found by its name |
| `@scope` | what only qualifies names: a namespace, a module |
| `@above` | a comment or decorator that belongs to the definition directly below |
| `@use` | a name that may be defined elsewhere: called, inherited from, used as a type |
| `@import` | what is imported, as it is written |

What a file is for, by its name alone. Pure.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path, PurePosixPath

import tree_sitter

from bot.core.file_kinds import is_test

_GRAMMARS = {
    "Python": ("python", "language"),
    "JavaScript": ("javascript", "language"),
    "TypeScript": ("typescript", "language_typescript"),
    "TSX": ("typescript", "language_tsx"),
    "Go": ("go", "language"),
    "Rust": ("rust", "language"),
    "Java": ("java", "language"),
    "C": ("c", "language"),
    "C++": ("cpp", "language"),
    "Ruby": ("ruby", "language"),
    "PHP": ("php", "language_php"),
    "C#": ("c_sharp", "language"),
    "Kotlin": ("kotlin", "language"),
    "Swift": ("swift", "language"),
    "Shell": ("bash", "language"),
}
_ENDINGS = {
    "Python": "py pyi pyw",
    "JavaScript": "js mjs cjs jsx",
    "TypeScript": "ts mts cts",
    "TSX": "tsx",
    "Go": "go",
    "Rust": "rs",
    "Java": "java",
    "C": "c h",
    "C++": "cc cpp cxx c++ hh hpp hxx h++ ipp tpp inl cu cuh",
    "Ruby": "rb rake gemspec ru podspec",
    "PHP": "php phtml inc",
    "C#": "cs csx",
    "Kotlin": "kt kts",
    "Swift": "swift",
    "Shell": "sh bash zsh ksh bats",
    "Markdown": "md markdown mdx mkd",
    "reStructuredText": "rst rest",
    "AsciiDoc": "adoc asciidoc",
    "Scala": "scala sc sbt",
    "Objective-C": "m mm",
    "Dart": "dart",
    "Elixir": "ex exs",
    "Erlang": "erl hrl",
    "Haskell": "hs",
    "OCaml": "ml mli",
    "Lua": "lua",
    "Perl": "pl pm t",
    "R": "r rmd",
    "Julia": "jl",
    "Clojure": "clj cljs cljc edn",
    "F#": "fs fsi fsx",
    "Groovy": "groovy gradle",
    "Zig": "zig",
    "Nim": "nim",
    "PowerShell": "ps1 psm1",
    "Vue": "vue",
    "Svelte": "svelte",
    "HTML": "html htm xhtml j2 jinja jinja2 erb haml",
    "CSS": "css scss sass less",
    "SQL": "sql",
    "GraphQL": "graphql gql",
    "Protocol Buffers": "proto",
    "Terraform": "tf tfvars hcl",
    "Nix": "nix",
    "CMake": "cmake",
    "Makefile": "mk mak",
    "YAML": "yml yaml",
    "TOML": "toml",
    "JSON": "json json5 jsonc jsonl ndjson geojson ipynb",
    "XML": "xml xsd xsl xslt svg plist resx csproj",
    "INI": "ini cfg conf properties",
    "Table": "csv tsv",
    "Text": "txt text log",
}
_BY_ENDING = {ending: name for name, endings in _ENDINGS.items() for ending in endings.split()}
_BY_NAME = {
    "Dockerfile": "Dockerfile",
    "Makefile": "Makefile",
    "GNUmakefile": "Makefile",
    "CMakeLists.txt": "CMake",
    "Gemfile": "Ruby",
    "Rakefile": "Ruby",
    "Podfile": "Ruby",
    "Vagrantfile": "Ruby",
    "Jenkinsfile": "Groovy",
    "SConstruct": "Python",
    "PKGBUILD": "Shell",
    ".bashrc": "Shell",
    ".profile": "Shell",
    ".zshrc": "Shell",
}
_INTERPRETERS = {
    "python": "Python",
    "pypy": "Python",
    "node": "JavaScript",
    "deno": "TypeScript",
    "bun": "TypeScript",
    "ruby": "Ruby",
    "php": "PHP",
    "sh": "Shell",
    "bash": "Shell",
    "dash": "Shell",
    "zsh": "Shell",
    "ksh": "Shell",
    "perl": "Perl",
    "lua": "Lua",
    "kotlin": "Kotlin",
    "swift": "Swift",
}
DATA = frozenset({"JSON", "XML", "YAML", "Table", "Text"})
"""Written by programs as often as by people: a large one is data."""

_SHEBANG = re.compile(r"#!\s*\S*/(?:env\s+(?:-S\s+)?(?:\w+=\S*\s+)*)?([a-z]+)")
_CPP = re.compile(
    r"^[^\S\n]*(?:class\s+\w|namespace\b|template\s*<|(?:public|private|protected):)|\bstd::", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Grammar:
    """A language's parser tables and its query, both made once a process."""

    language: tree_sitter.Language
    query: tree_sitter.Query


def language_of(path: str, text: str = "") -> str:
    """The language by the file's name, else by its first line (`#!/usr/bin/env python3`); empty: not
    known. A `.h` is C++ where its text says so."""
    name = PurePosixPath(path).name
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    found = _BY_NAME.get(name) or _BY_ENDING.get(ending, "")
    if ending == "h" and _CPP.search(text):
        return "C++"
    if not found and text.startswith("#!") and (shebang := _SHEBANG.match(text[:200])):
        return _INTERPRETERS.get(shebang.group(1), "")
    return found


@cache
def grammar_of(language: str) -> Grammar | None:
    """The grammar of a language, loaded when first asked for; None where there is none."""
    if language not in _GRAMMARS:
        return None
    package, function = _GRAMMARS[language]
    loaded = tree_sitter.Language(getattr(import_module(f"tree_sitter_{package}"), function)())
    names = (package, "tsx") if language == "TSX" else (package,)  # TSX is TypeScript and elements
    folder = Path(__file__).parent / "queries"
    query = "".join((folder / f"{name}.scm").read_text(encoding="utf-8") for name in names)
    return Grammar(loaded, tree_sitter.Query(loaded, query))


_WORDS = DATA | {
    *("Markdown", "reStructuredText", "AsciiDoc", "HTML", "CSS", "TOML", "INI", "CMake", "Makefile"),
    *("Dockerfile", "Protocol Buffers", "GraphQL", "SQL", "Terraform", "Nix"),
}
"""Languages in which a repository is described, built and configured rather than programmed."""
_BESIDE = re.compile(
    r"(^|/)(testdata|__mocks__|fixtures?|bench(marks?|es)?|examples?|samples?|demos?|docs?|website)/"
)


@lru_cache(maxsize=100_000)
def is_source(path: str) -> bool:
    """Whether it is part of the program itself: no test, example, document or configuration."""
    return language_of(path) not in {"", *_WORDS} and not is_test(path) and not _BESIDE.search(path)
