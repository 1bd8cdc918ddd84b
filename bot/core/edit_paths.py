"""Which paths of a repository Hob's own commits may touch. What runs by itself, what steers Hob or git, and
what only a tool should write is never among them, however it is spelt."""

import re
import unicodedata
from collections.abc import Callable

from bot.core.text import strip_invisible

LONGEST = 400
"""Characters; Windows takes no more than some 260 of a whole path."""
_NEVER = {
    ".git": "it is git's own",
    ".github": "workflows, Hob's own settings and owners stand there",
    ".gitmodules": "it names submodules",
    ".gitattributes": "it names programs that git runs on files",
    ".lfsconfig": "it says where git fetches files from",
    ".gitlab-ci.yml": "it runs by itself",
    ".circleci": "it runs by itself",
    ".buildkite": "it runs by itself",
    ".travis.yml": "it runs by itself",
    "azure-pipelines.yml": "it runs by itself",
    "jenkinsfile": "it runs by itself",
    ".husky": "git runs what stands there",
    ".githooks": "git runs what stands there",
    ".pre-commit-config.yaml": "git runs what it names",
    "codeowners": "it says who has to agree",
    ".devcontainer": "editors run what stands there",
    ".vscode": "editors run what stands there",
    ".idea": "editors run what stands there",
    ".envrc": "shells run it",
    ".npmrc": "it says where packages come from",
    ".pypirc": "it says where packages come from",
    ".netrc": "passwords stand there",
    ".env": "passwords stand there",
}
"""A part of a path, folded -> why nothing there is touched."""
LOCKS = frozenset(
    [
        *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"),
        *("deno.lock", "poetry.lock", "pdm.lock", "uv.lock", "pipfile.lock", "pylock.toml", "cargo.lock"),
        *("go.sum", "go.work.sum", "gemfile.lock", "composer.lock", "mix.lock", "pubspec.lock"),
        *("podfile.lock", "package.resolved", "flake.lock", "conan.lock", "packages.lock.json"),
        *("gradle.lockfile", ".terraform.lock.hcl"),
    ]
)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")


def asks_for_lock_files(wish: str) -> bool:
    """Whether whoever asked for a patch named a lock file, or spoke of one."""
    words = wish.casefold()
    return any(name in words for name in (*LOCKS, "lock file", "lockfile"))


def why_not(path: str, allowed: Callable[[str], bool] = lambda _: True, *, lock_files: bool = False) -> str:
    """Why Hob may not write this path; empty where it may. `allowed`: the repository's own rule;
    `lock_files`: whether somebody asked for those."""
    if not path or len(path) > LONGEST:
        return f"a path has 1 to {LONGEST} characters"
    if any(unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co") for char in path) or "\\" in path:
        return "the path holds characters that no path of a patch should"
    if strip_invisible(path)[0] != path:
        return "the path holds characters that nobody sees"
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or ":" in path:
        return "the path leads out of the repository"
    for part in parts:
        name = _folded(part)
        if why := _NEVER.get(name) or _NEVER.get(_short(name)):
            return f"{part} is never touched: {why}"
        if part != part.strip() or part.endswith(".") or _RESERVED.fullmatch(name):
            return f"{part} is no name that every system takes"
    if _folded(parts[-1]) in LOCKS and not lock_files:
        return f"{parts[-1]} is written by a tool, not by hand"
    return "" if allowed(path) else "`code.paths` leaves it out"


def _folded(part: str) -> str:
    """As file systems that ignore case, and marks above letters written apart, would find it."""
    return unicodedata.normalize("NFKC", part).casefold().rstrip(" .")


def _short(name: str) -> str:
    """What a short name of old Windows file systems stands for: `git~1`."""
    stem, mark, number = name.partition("~")
    if not mark or not number.isdigit():
        return ""
    return next((one for one in _NEVER if one.lstrip(".").startswith(stem[:6]) and stem), "")
