"""Path rules as .gitignore writes them, from strangers: by RE2, so in linear time whatever the pattern.

https://git-scm.com/docs/gitignore#_pattern_format
"""

import re
import warnings
from collections.abc import Sequence
from functools import lru_cache

import re2
from pathspec import GitIgnoreSpec


def wanted(path: str, patterns: Sequence[str]) -> bool:
    """Whether patterns take a path in. Where all begin with `!`, the rest is in. What is no pattern says
    nothing."""
    inward = any(not pattern.startswith("!") for pattern in patterns)
    specs = _specs(tuple(patterns if inward else ["**", *patterns]))
    said = [spec.check_file(_writable(path)).include for spec in specs]
    return next((answer for answer in reversed(said) if answer is not None), False)


def is_pattern(text: str) -> bool:
    """Whether git would understand it."""
    return _compiled((text,)) is not None


@lru_cache(maxsize=256)
def _specs(patterns: tuple[str, ...]) -> tuple[GitIgnoreSpec, ...]:
    """One for all; one for each where RE2 has no room for all together."""
    usable = tuple(pattern for pattern in patterns if is_pattern(pattern))
    if (together := _compiled(usable)) is not None:
        return (together,)
    return tuple(one for pattern in usable if (one := _compiled((pattern,))) is not None)


@lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> GitIgnoreSpec | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of `[[`, which pathspec takes to `re` too
        try:
            return GitIgnoreSpec.from_lines([_writable(pattern) for pattern in patterns], backend="re2")
        except (ValueError, re.error, re2.error):
            return None


def _writable(text: str) -> str:
    """Without the halves of characters that a path of a local repository may hold."""
    return text.encode("utf-8", "replace").decode()
