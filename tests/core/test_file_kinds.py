"""One answer to whether a path is a test, for reviews, checks, credentials and the index alike."""

import pytest

from bot.checks.ruff_noise import is_noise
from bot.core.credentials.found import place_of
from bot.core.file_kinds import is_test, subject
from bot.core.review_chunks import kind
from bot.knowledge.parsing.languages import is_source
from tests.spent import Spent

TESTS = {
    "tests/test_tea.py": "tea",
    "src/pkg/tests/tea.py": "tea",
    "tea/conftest.py": "conftest",
    "shop/tests.py": "tests",
    "test.js": "test",
    "src/tea.spec.ts": "tea",
    "src/tea.service.spec.ts": "tea.service",
    "src/tea.test.tsx": "tea",
    "src/__tests__/tea.js": "tea",
    "tea.cy.ts": "tea",
    "cypress/support/tea.js": "tea",
    "e2e/tea.ts": "tea",
    "tea.e2e-spec.ts": "tea.e2e",
    "tea_test.go": "tea",
    "src/tests.rs": "tests",
    "spec/models/tea_spec.rb": "tea",
    "src/test/java/TeaTest.java": "tea",
    "TestTea.java": "tea",
    "TeaIT.java": "tea",
    "TeaITCase.java": "tea",
    "HTTPTest.java": "http",
    "TeaTestCase.php": "tea",
    "src/androidTest/kotlin/Tea.kt": "tea",
    "Shop.Tests/Tea.cs": "tea",
    "Sources/TeaTests.swift": "tea",
    "TeaSpec.scala": "tea",
    "lib/tea_test.exs": "tea",
    "tests/testthat/test-tea.R": "tea",
    "unit-tests/tea.py": "tea",
    "Test/Tea.hs": "tea",
    "Tea.Tests.ps1": "tea",
    "src/tests.c": "tests",
    "src/test.cpp": "test",
    "src/test1.c": "test1",
    "src/tests_exhaustive.c": "exhaustive",
    "src/modules/tea/tests_impl.h": "tests_impl",
    "src/modules/tea/tea_tests_impl.h": "tea",
    "src/tea_test_util.cc": "tea",
    "tea_test_main.cpp": "tea",
    "src/unit_test.h": "unit",
    "src/tea/tests/mod.rs": "mod",
    "src/tea/tests_pour.rs": "pour",
    "src/bench.c": "bench",
    "src/bench_tea.c": "bench_tea",
    "src/bench-tea.c": "bench-tea",
    "benchmark.c": "benchmark",
    "benchmark_tea.c": "benchmark_tea",
    "benches.c": "benches",
    "bench2.c": "bench2",
    "src/bench_impl.h": "bench_impl",
    "src/tea_benchmark.cc": "tea_benchmark",
    "testing/test_tea.py": "tea",
    "testing/python/tea.py": "tea",
    "tea/testing/test_cup.py": "cup",
    "pkg/testing/cup_test.go": "cup",
    "testing/tests/tea.py": "tea",
}
LIBRARIES = [
    *("programs/benchfn.c", "programs/benchzstd.c", "src/benchtop.c", "src/bencher.c"),
    *(
        "numpy/testing/utils.py",
        "src/testing/clock.go",
        "packages/core/testing/fake_async.ts",
        "bot/Testing/a.py",
    ),
    *(
        "internal/testing/tea.rs",
        "lib/testing/tea.rb",
        "src/testing.rs",
        "src/testing.c",
        "tea/testing/__init__.py",
    ),
    *(
        "src/latest_impl.h",
        "src/contests.c",
        "src/workbench.c",
        "benches.h",
        "src/attests_impl.h",
        "src/testbed.c",
    ),
    *(
        "src/benchmark.h",
        "src/benchmark_runner.cc",
        "src/impl.h",
        "tests_impl",
        "tester_impl.h",
        "protests_impl.h",
    ),
]
OTHERS = [
    *("src/tea.py", "src/latest.py", "contest.py", "protest/a.py", "attest/x.go", "inspect.py", "tester.py"),
    *("Latest.java", "Manifest.java", "Testament.java", "EDIT.java", "INIT.py", "COMMIT.txt", "Visit.java"),
    *("src/testimonials/a.py", "specification/a.py", "greatest.rs", "", "/", "a" * 5000),
    *(".github/workflows/test.yml", "tests.md", "test.toml"),
]


@pytest.mark.parametrize("path", TESTS)
def test_a_test_file_is_one_for_everybody(path: str) -> None:
    assert is_test(path)
    assert kind(path) == 1
    assert place_of(path) == "sample"
    assert not is_source(path)
    assert is_noise("F841", "", 1, path, "")
    assert subject(path) == TESTS[path]


@pytest.mark.parametrize("path", LIBRARIES)
def test_a_package_for_testing_with_is_a_program_like_any_other(path: str) -> None:
    assert not is_test(path)
    assert kind(path) != 1
    assert place_of(path) == "source"
    assert is_source(path) or not path.rpartition(".")[1]


@pytest.mark.parametrize("folder", ["", "src/", "a/b/c/", "src/modules/tea/", "testing/", "lib/testing/"])
@pytest.mark.parametrize("ending", ["c", "h", "cc", "cpp", "cxx", "hpp", "hh", "m", "mm"])
def test_tests_in_c_are_named_before_and_after_what_they_test(folder: str, ending: str) -> None:
    for name in (
        "tests",
        "test",
        "tests_tea",
        "test_tea",
        "tea_tests",
        "tea_test",
        "tea_tests_impl",
        "bench_tea",
    ):
        assert is_test(f"{folder}{name}.{ending}"), name
    if folder != "testing/":
        for name in ("tea", "tea_impl", "latest", "contests_impl", "testify", "workbench", "testament_impl"):
            assert not is_test(f"{folder}{name}.{ending}"), name


@pytest.mark.parametrize("path", OTHERS)
def test_what_only_sounds_like_a_test_is_none(path: str) -> None:
    assert not is_test(path)
    assert kind(path) != 1
    assert not is_noise("F841", "", 1, path, "")


def test_a_test_is_named_after_the_file_that_it_tests() -> None:
    for path in ("src/tea.service.ts", "src/tea.service.spec.ts", "test/tea.service.test.ts"):
        assert subject(path) == "tea.service"
    assert subject("latest_spec") == "latest_spec"


@pytest.mark.parametrize(
    "part",
    [
        "test",
        "_test",
        "_test.",
        "_test.a",
        "a/",
        "test/",
        "test-",
        "Test",
        "aIT",
        "Test.a",
        "-test-",
        ".b",
        "bench",
        "tests_",
        "_tests_impl",
        "_bench",
        "testing/",
    ],
)
def test_a_hostile_path_takes_no_more_than_its_length(part: str) -> None:
    with Spent() as spent:
        is_test(part * 20_000 + "!")
    assert spent.seconds < 0.2
