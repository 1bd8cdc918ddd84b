"""Skills: a folder each, with what is to be known for some work in its `SKILL.md`. One is a guideline where
its paths or its description fit what changed.

https://agentskills.io/specification  https://docs.github.com/en/copilot/concepts/agents/about-agent-skills
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

ROOTS = (".github/skills", ".claude/skills", "skills")
FILE = "SKILL.md"
FOLDER_MODE = 0o040000
MOST_LISTED = 20
"""Folders that are looked into, the first by name."""
MOST_SKILLS = 4
"""That are shown for one change: those that fit best."""
MOST_PATHS = 500
"""Of a change, by which a skill is chosen."""
MOST_FRONT = 100
"""Lines of front matter."""
MOST_NAME, MOST_DESCRIPTION, MOST_PATTERNS = 64, 1_024, 50
_KEY = re.compile(r"([A-Za-z][\w-]{0,40}):(?:[ \t]+(.*))?")
_PATHS = ("paths", "globs", "applyTo")
_WORD = re.compile(r"[a-z]{3,40}", re.IGNORECASE | re.ASCII)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_REVIEWS = frozenset({"review", "reviews", "reviewing", "reviewer", "reviewers"})
_EVERYWHERE = frozenset(
    [
        *("and", "app", "are", "bin", "can", "code", "core", "data", "dev", "file", "files", "for", "from"),
        *(
            "has",
            "how",
            "index",
            "init",
            "into",
            "lib",
            "main",
            "mod",
            "new",
            "not",
            "out",
            "packages",
            "pkg",
        ),
        *("project", "repository", "run", "source", "src", "that", "the", "this", "txt", "use", "used"),
        *("user", "uses", "using", "util", "utils", "when", "will", "with", "work", "working", "you", "your"),
    ]
)
"""Words of descriptions and of paths that tell nothing of either."""
_LANGUAGES: Mapping[str, str] = {
    "c": "clang",
    "cc": "cpp",
    "cpp": "cpp",
    "cs": "csharp dotnet",
    "css": "css",
    "go": "golang",
    "html": "html",
    "java": "java",
    "js": "javascript",
    "jsx": "javascript react",
    "kt": "kotlin",
    "md": "markdown",
    "php": "php",
    "py": "python",
    "pyi": "python",
    "rb": "ruby",
    "rs": "rust",
    "scala": "scala",
    "sh": "shell bash",
    "sql": "sql",
    "swift": "swift",
    "tf": "terraform",
    "ts": "typescript",
    "tsx": "typescript react",
    "vue": "vue",
    "yaml": "yaml",
    "yml": "yaml",
}
"""What people call a file's language, by its ending."""


@dataclass(frozen=True, slots=True)
class Skill:
    """`words`: of its description, where it names no paths; `patterns` are as .gitignore writes them."""

    path: str
    text: str
    patterns: tuple[str, ...]
    words: frozenset[str]


def is_skill(path: str) -> bool:
    """Whether a file of this name would be one, if it lay on a base."""
    return any(
        path.startswith(f"{root}/") and path.endswith(f"/{FILE}") and path.count("/") == root.count("/") + 2
        for root in ROOTS
    )


def folders_in(tree: Mapping[str, int]) -> list[str]:
    """The folders in which a skill may lie. `tree`: path -> git's mode of what lies there."""
    inside = [path for path in sorted(tree) if tree[path] == FOLDER_MODE and is_skill(f"{path}/{FILE}")]
    return inside[:MOST_LISTED]


def read(path: str, text: str) -> Skill:
    """`text`: name and description, then what stands under the front matter; what is no front matter is none.
    Read line by line: YAML of strangers may be anything."""
    front, body = _parts(text)
    said = _fields(front)
    name = " ".join(said.get("name", ())) or PurePosixPath(path).parent.name
    about = " ".join(said.get("description", ()))[:MOST_DESCRIPTION]
    named = next((said[key] for key in _PATHS if key in said), [])
    patterns = [one for part in named for one in re.split(r"[,\s]+", part) if one]
    head = f"{name[:MOST_NAME]}: {about}" if about else name[:MOST_NAME]
    words = frozenset() if patterns else _words([about])
    return Skill(path, f"{head}\n\n{body}".strip(), tuple(patterns[:MOST_PATTERNS]), words)


def fitting(
    skills: Iterable[Skill], changed: Iterable[str], wanted: Callable[[str, Sequence[str]], bool]
) -> list[Skill]:
    """Those that fit a change, at most `MOST_SKILLS`: what names its paths first, then what is about reviews,
    then whose description names the most of what changed. The words kept are those in common."""
    paths = list(changed)[:MOST_PATHS]
    there = path_words(*paths)
    found: list[tuple[int, Skill]] = []
    for one in skills:
        if one.patterns:
            fits = 1_000 if any(wanted(path, one.patterns) for path in paths) else 0
        else:
            fits = 500 if one.words & _REVIEWS else len(one.words & there)
        if fits:
            found.append((fits, one))
    return [one for _, one in sorted(found, key=lambda it: (-it[0], it[1].path))[:MOST_SKILLS]]


def holds(skill_words: frozenset[str], path: str) -> bool:
    """Whether a description with these words is about a file."""
    return bool(skill_words & (_REVIEWS | path_words(path)))


def path_words(*paths: str) -> frozenset[str]:
    """What paths say in words, their languages too."""
    tongues = (_LANGUAGES.get(path.rpartition(".")[2].lower(), "") for path in paths)
    return _words([*(_HUMP.sub(" ", path) for path in paths), *tongues])


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word.lower() for text in texts for word in _WORD.findall(text)) - _EVERYWHERE


def _parts(text: str) -> tuple[list[str], str]:
    """(lines between the `---` lines, the rest)"""
    lines = text.lstrip("\ufeff").split("\n")
    if lines[0].strip() == "---":
        for n, line in enumerate(lines[1 : MOST_FRONT + 1], 1):
            if line.rstrip() == "---":
                return lines[1:n], "\n".join(lines[n + 1 :]).strip()
    return [], text.strip()


def _fields(front: Sequence[str]) -> dict[str, list[str]]:
    """key -> what is said of it, a piece a line: plain, quoted, a list, or a text over the lines below. The
    first of a key counts."""
    found: dict[str, list[str]] = {}
    taken: list[str] = []
    for line in front:
        if key := _KEY.fullmatch(line.rstrip()):
            taken = found.setdefault(key[1], []) if key[1] not in found else []
            line = "" if (key[2] or "").strip() in ("|", ">", "|-", ">-", "|+", ">+") else key[2] or ""
        elif line.strip() and not line.startswith((" ", "\t", "-")):
            taken = []
        if piece := re.sub(r"[\[\]\"']", " ", line.strip().removeprefix("- ")).strip():
            taken.append(piece[:MOST_DESCRIPTION])
    return found
