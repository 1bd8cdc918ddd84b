"""What a file is for, by its name alone. Pure."""

import re
from functools import lru_cache

from bot.core.file_kinds import is_test
from bot.knowledge.languages import DATA, language_of

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
