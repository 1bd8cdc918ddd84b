"""What a file is for, by its name alone. Pure."""

import re
from functools import lru_cache

from bot.knowledge.languages import DATA, language_of

_WORDS = DATA | {
    *("Markdown", "reStructuredText", "AsciiDoc", "HTML", "CSS", "TOML", "INI", "CMake", "Makefile"),
    *("Dockerfile", "Protocol Buffers", "GraphQL", "SQL", "Terraform", "Nix"),
}
"""Languages in which a repository is described, built and configured rather than programmed."""
_BESIDE = re.compile(
    r"(^|/)(tests?|testing|testdata|specs?|__tests__|__mocks__|fixtures?|e2e|bench|benchmarks?|benches|examples?|"
    r"samples?|demos?|docs?|website)/"
    r"|(^|/)(conftest\.py|test_[^/]*|[^/]*([._-](test|spec)|_tests?|_spec|Tests?|Spec|IT))\.\w+$"
)


@lru_cache(maxsize=100_000)
def is_source(path: str) -> bool:
    """Whether it is part of the program itself: no test, example, document or configuration."""
    return language_of(path) not in {"", *_WORDS} and not _BESIDE.search(path)
