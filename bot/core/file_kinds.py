"""Which files are tests, and what each tests by its name alone; which are no person's writing."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

_C = r"\.(?:[chm]|cc|cpp|cxx|hh|hpp|hxx|inc|inl|mm)$"
_PARTS = r"(?:impl|main|common|utils?|helpers?)"
"""Of a test that is cut into files, or what several share."""
_TEST = re.compile(
    # a folder
    r"(?:^|/)(?:(?i:tests?|specs?|__tests__|e2e|cypress|tests?[._-][^/]*|[^/]*[._-]tests?)"
    r"|[^/]*[a-z0-9]Tests?)/"
    # deeper it is a package that others test with: numpy/testing, packages/core/testing
    r"|^(?i:testing)/"
    # a name
    r"|(?:^|/)(?:test_[^/]*|conftest|tests?\d*(?=\.(?!(?:ya?ml|toml|json|ini|cfg|md|rst|txt)$)))\.\w+$"
    r"|(?:^|/)test-[^/]*\.(?:[cm]?[jt]sx?|[rR])$"
    r"|(?:^|/)(?:Test[A-Z][^/]*|[^/]*[a-z0-9]IT(?:Case)?)\.(?:java|kts?|groovy|scala|cs)$"
    r"|[._-](?:tests?|specs?|cy|e2e)(?:\.\w+){1,2}$"
    r"|(?:Tests?|TestCase|Spec)\.\w+$"
    # where tests and benchmarks lie beside what they are of, and are included by it
    rf"|(?:^|/)tests_[^/]*(?:{_C}|\.rs$)|[._-]tests?[_-]{_PARTS}(?:{_C}|\.rs$)"
    rf"|(?:^|/)bench(?:marks?|es)?\d*(?:[_-][^/]*)?\.c$|(?:^|/)bench(?:_[^/]*)?{_C}|[_-]bench(?:marks?)?{_C}"
)
_STEERS = re.compile(
    # what runners, builds and packages read before any test
    r"(?:conftest\.py|(?:site|user)customize\.py|.*\.pth|(?:pytest|tox)\.ini|\.?pytest\.toml"
    r"|\.coveragerc|setup\.(?:cfg|py)|pyproject\.toml|noxfile\.py|package\.json|deno\.jsonc?"
    r"|bunfig\.toml|(?:nx|turbo|lerna|composer)\.json|\.mocharc.*|\.nycrc.*|\.babelrc.*|\.taprc"
    r"|(?:jest|vitest|vite|karma|cypress|playwright|babel|ava|wdio|web-test-runner)\.(?:conf|config|setup).*"
    r"|\.rspec|rakefile|(?:spec|rails|test)_helper\.\w+|gemfile|phpunit.*\.xml.*|pom\.xml|build\.sbt"
    r"|(?:build|settings)\.gradle(?:\.kts)?|gradle\.properties|cargo\.toml|build\.rs|nextest\.toml|go\.mod"
    r"|.*\.(?:cs|fs|vb)proj|directory\.build\.\w+|.*\.runsettings|cmakelists\.txt|.*\.cmake"
    r"|ctest.*\.cmake|meson\.build|build(?:\.bazel)?|workspace(?:\.bazel)?|module\.bazel|.*\.bzl"
    r"|(?:gnu)?makefile(?:\..*)?|.*\.mk|justfile|taskfile\.ya?ml|mix\.exs|dune-project|build\.zig"
    r"|(?:.*tests?.*|(?:.*[._-])?(?:check|spec|ci)(?:[._-].*)?)\.(?:sh|bash|zsh|fish|ps1|bat|cmd))"
)
_AROUND = re.compile(
    rf"^(?:tests?|spec)[_.-](?!{_PARTS}$)|^Test(?=[A-Z])"
    rf"|(?:[._-]tests?[_-]{_PARTS}|[._-](?:tests?|specs?|cy|e2e)|[._-]?(?:Tests?|TestCase|Spec|IT|ITCase))$"
)


def is_test(path: str) -> bool:
    """By its folder or its name, as the usual tools find tests: pytest, go test, jest, mocha, cypress, RSpec,
    JUnit with Maven and Gradle, NUnit, ScalaTest, testthat; and as C and Rust name theirs, with C's
    benchmarks. What lies among tests counts as one."""
    return _TEST.search(path) is not None


def steers_tests(path: str) -> bool:
    """Whether such a file says which tests are run, how, or what counts as passed."""
    return _STEERS.fullmatch(path.rpartition("/")[2].casefold()[-255:]) is not None


def is_prose(path: str) -> bool:
    """Text that people read and nothing runs, by its ending."""
    return path.lower().endswith((".md", ".mdx", ".rst", ".adoc", ".txt"))


def subject(path: str) -> str:
    """What a test is named after, lower case: `tests/test_tea.py`, `tea.spec.ts` and `TeaTest.java` give
    `tea`. Of a file that is no test its own name."""
    stem = PurePosixPath(path).stem
    return ((_AROUND.sub("", stem) if is_test(path) else stem) or stem).casefold()


def tests_of(path: str) -> Iterable[str]:
    """Where the usual tools look for the tests of a file."""
    here = PurePosixPath(path)
    name, end, folder = subject(path), here.suffix, str(here.parent)
    inside = "/".join(here.parts[1:-1])
    for place in ("tests", f"tests/{inside}", f"tests/{folder}", "test", folder, f"{folder}/tests"):
        for one in (f"test_{name}{end}", f"{name}_test{end}", f"{name}.test{end}", f"{name}.spec{end}"):
            yield str(PurePosixPath(place, one))


LOCK_FILES = frozenset(
    [
        "package-lock.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "npm-shrinkwrap.json",
        "poetry.lock",
        "uv.lock",
        "Pipfile.lock",
        "pdm.lock",
        "Cargo.lock",
        "go.sum",
        "Gemfile.lock",
        "composer.lock",
        "flake.lock",
        "mix.lock",
        "pubspec.lock",
        "Package.resolved",
        "packages.lock.json",
        "gradle.lockfile",
    ]
)
VENDORED = frozenset(
    {
        "vendor",
        "vendored",
        "_vendor",
        "node_modules",
        "third_party",
        "bower_components",
        "site-packages",
        "dist",
        "venv",
        ".venv",
        "Pods",
    }
)
GENERATED_ENDINGS = (
    ".min.js",
    ".min.css",
    ".map",
    ".pb.go",
    "_pb2.py",
    "_pb2.pyi",
    ".pb.cc",
    ".pb.h",
    "_pb2_grpc.py",
    ".g.dart",
    ".g.cs",
    ".designer.cs",
    ".snap",
)
GENERATED_MARKS = ("@generated", "DO NOT EDIT", "Code generated by", "This file is automatically generated")


def kind_of_path(path: str) -> str | None:
    """What makes a file nobody's writing by its name alone: `lock file`, `vendored`, `generated`; else
    None."""
    parts = PurePosixPath(path).parts
    if parts and parts[-1] in LOCK_FILES:
        return "lock file"
    if VENDORED.intersection(parts[:-1]):
        return "vendored"
    return "generated" if path.endswith(GENERATED_ENDINGS) else None


def says_generated(first: Iterable[str]) -> bool:
    """Whether the first five lines of a file call it generated: elsewhere such a mark may be a string that
    somebody tests for."""
    return any(mark in text for text in first for mark in GENERATED_MARKS)
