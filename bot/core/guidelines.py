"""A repository's words to whoever works on it: which files hold them, which hold for a path, what they
import.

All are read at the base, never at a head; these are the rules. Formats:
https://docs.github.com/en/copilot/customizing-copilot/adding-repository-custom-instructions-for-github-copilot
https://docs.cursor.com/context/rules  https://docs.anthropic.com/en/docs/claude-code/memory
https://agents.md
https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bot.core import recipes, skills

PathWanted = Callable[[str, Sequence[str]], bool]
"""Whether patterns, as .gitignore writes them, take a path in."""
PathSizes = Mapping[str, int]
"""path -> mode of what lies in some folders: 0o100644 a file, 0o120000 a symlink"""

NESTED = ("AGENTS.md", "CLAUDE.md")
"""Hold for the folder that they lie in."""
ROOT = ("REVIEW.md", ".github/copilot-instructions.md", ".cursorrules")
FOLDERS = {".github/instructions": ".instructions.md", ".cursor/rules": ".mdc"}
OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""The first that there is counts."""
OTHER_REVIEWERS = (".coderabbit.yaml", ".coderabbit.yml", ".pr_agent.toml")
MOST_FILES = 20
DEEPEST = 100
"""Folders above a file; what lies deeper has no guidelines of its own."""
MOST_FOLDERS = 40
MOST_IMPORTS = 8
MOST_DEPTH = 3
MOST_CHARS = 20_000
"""Of one file."""
SYMLINK, FILES = 0o120000, (0o100644, 0o100755)
_IMPORT = re.compile(r"(?:^|(?<=\s))@([A-Za-z0-9_.][\w./-]{0,200})")
_FRONT = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n?", re.DOTALL)
_SCOPE = re.compile(r"^(applyTo|globs):[ \t]*(.*)$", re.MULTILINE)
_ALWAYS = re.compile(r"^alwaysApply:[ \t]*true[ \t]*$", re.MULTILINE)
_HEADING = re.compile(r"(#{1,6})[ \t]")
_ABOUT_REVIEW = re.compile(r"\b(?:code[ -])?review(?:s|ing|ers?)?\b", re.IGNORECASE)
_OWNER = re.compile(r"@?[A-Za-z0-9][\w./-]{0,100}")


@dataclass(frozen=True, slots=True)
class Guideline:
    """`patterns`, as .gitignore writes them, name the files that it holds for; so do a skill's `words`."""

    path: str
    text: str
    patterns: tuple[str, ...]
    words: frozenset[str] = frozenset()

    def holds_for(self, path: str, wanted: PathWanted) -> bool:
        return wanted(path, self.patterns) if self.patterns else skills.holds(self.words, path)


@dataclass(frozen=True, slots=True)
class Guidance:
    """What lies at a base for whoever reviews a change."""

    guidelines: tuple[Guideline, ...] = ()
    owners: str = ""
    """The text of CODEOWNERS."""
    other_reviewers: Mapping[str, str] = field(default_factory=dict)
    """Other reviewers' configurations: path -> text"""
    symlinks: tuple[str, ...] = ()
    """Refused: they may point at anything."""
    recipes: Mapping[str, str | None] = field(default_factory=dict)
    """What lies where recipes do (`bot.core.recipes`)."""


Folders = Callable[[Sequence[str]], Awaitable[PathSizes]]
"""What lies in these folders (`""`: the root) at the base."""


ReadTexts = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Texts of regular files at the base, by path; what is none, or a symlink, is left out."""


async def gathered(
    changed: Sequence[str], named: Sequence[str], list_folders: Folders, read: ReadTexts, wanted: PathWanted
) -> Guidance:
    """Guidelines with what they import, skills that fit what changed, CODEOWNERS, other reviewers'
    configurations, recipes. Regular files only."""
    tree = await list_folders(folders([*named, *changed]))
    if inside := skills.folders_in(tree):
        deeper = await list_folders(inside)
        tree = {**tree, **{path: mode for path, mode in deeper.items() if skills.is_skill(path)}}
    paths = guideline_paths(tree, named)
    skilled = [path for path in sorted(tree) if skills.is_skill(path) and tree[path] in FILES]
    owned = next((path for path in OWNERS if tree.get(path) in FILES), "")
    others = [path for path in OTHER_REVIEWERS if tree.get(path) in FILES]
    told = [path for path, readable in recipes.listed(tree).items() if readable]
    texts = await read([*paths, *skilled, *filter(None, [owned]), *others, *told])

    async def imported(paths: Sequence[str]) -> Mapping[str, str]:
        modes = await list_folders([path.rpartition("/")[0] for path in paths])
        return await read([path for path in paths if modes.get(path) in FILES])

    scoped = {path: scope(path, texts[path]) for path in paths if path in texts}
    known = [skills.read(path, texts[path][:MOST_CHARS]) for path in skilled if path in texts]
    fit = skills.fitting(known, changed, wanted)
    whole = await with_imports({path: text for path, (_, text) in scoped.items()}, imported)
    return Guidance(
        guidelines=(
            *(Guideline(path, review_first(whole[path]), patterns) for path, (patterns, _) in scoped.items()),
            *(Guideline(one.path, one.text, one.patterns, one.words) for one in fit),
        ),
        owners=texts.get(owned, ""),
        other_reviewers={path: texts[path] for path in others if path in texts},
        symlinks=tuple(symlinks(tree, named)),
        recipes=recipes.files_of(tree, texts),
    )


def folders(paths: Iterable[str]) -> list[str]:
    """Where guidelines for these files may lie: the root (`""`), the known folders, and every folder above
    a file."""
    found = dict.fromkeys(["", ".github", ".claude", *FOLDERS, *skills.ROOTS, "docs", recipes.FOLDER])
    for path in paths:
        if len(found) >= MOST_FOLDERS:
            break
        found |= dict.fromkeys(map(str, PurePosixPath(path).parents[-DEEPEST - 1 : -1]))
    return list(found)[:MOST_FOLDERS]


def guideline_paths(tree: PathSizes, named: Sequence[str]) -> list[str]:
    """Those that are there, the general before the special; symlinks never. `named`: `review.guidelines`."""
    wanted = [name for name in (ROOT[0], *named, *ROOT[1:]) if name in tree]
    wanted += [
        path
        for path in sorted(tree)
        for folder, ending in FOLDERS.items()
        if path.startswith(f"{folder}/") and path.endswith(ending)
    ]
    nested = [name for name in NESTED if name in named]
    wanted += [path for path in sorted(tree) if PurePosixPath(path).name in nested]
    return [path for path in dict.fromkeys(wanted) if tree[path] in FILES][:MOST_FILES]


def speaks(path: str, named: Sequence[str]) -> bool:
    """Whether a file of this name would be read, if it lay on a base."""
    known = {*named, *ROOT, *OWNERS, *OTHER_REVIEWERS}
    inside = any(path.startswith(f"{folder}/") and path.endswith(end) for folder, end in FOLDERS.items())
    nested = PurePosixPath(path).name in set(NESTED) & set(named)
    return path in known or inside or nested or recipes.is_recipe(path) or skills.is_skill(path)


def symlinks(tree: PathSizes, named: Sequence[str]) -> list[str]:
    """Guideline files that are refused because they point elsewhere."""
    names = {*named, *ROOT, *OWNERS, *OTHER_REVIEWERS}
    return sorted(
        path
        for path, mode in tree.items()
        if mode == SYMLINK and (path in names or path in skills.ROOTS or skills.is_skill(path))
    )


def scope(path: str, text: str) -> tuple[tuple[str, ...], str]:
    """(patterns of the files that a guideline holds for, its text without the front matter). No patterns:
    it holds for no file by itself."""
    if path.endswith((".instructions.md", ".mdc")):
        front = _FRONT.match(text)
        head, rest = (front[1], text[front.end() :]) if front else ("", text)
        if _ALWAYS.search(head):
            return ("**",), rest
        said = _SCOPE.search(head)
        patterns = re.split(r"[,\s]+", re.sub(r"[\[\]\"']", " ", said[2]).strip()) if said else []
        return tuple(one for one in patterns if one), rest
    folder = str(PurePosixPath(path).parent)
    nested = PurePosixPath(path).name in NESTED and folder not in (".", ".github")
    return ((f"/{folder}/**",) if nested else ("**",)), text


def review_first(text: str) -> str:
    """The same with its sections about reviews at the front, so that they are the last to be cut; a section
    ends at the next heading of its rank or above."""
    said: list[str] = []
    rest: list[str] = []
    rank, fenced = 0, False
    for line in text.split("\n"):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        if not fenced and (heading := _HEADING.match(line)):
            level = len(heading[1])
            if not rank or level <= rank:
                rank = level if _ABOUT_REVIEW.search(line[:200]) else 0
        (said if rank else rest).append(line)
    return "\n".join([*said, *rest]) if said else text


def trimmed(guidelines: Sequence[tuple[str, str]], most: int) -> list[tuple[str, str]]:
    """(path, text) in at most `most` characters, whole lines of each. Each gets its share, and what a short
    one leaves goes to the others."""
    found: dict[str, str] = {}
    room = most
    for place, (path, text) in enumerate(sorted(guidelines, key=lambda one: len(one[1]))):
        share = room // (len(guidelines) - place)
        found[path] = text if len(text) <= share else text[:share].rpartition("\n")[0]
        room -= len(found[path])
    return [(path, found[path]) for path, _ in guidelines if found[path].strip()]


async def with_imports(texts: Mapping[str, str], read: ReadTexts) -> dict[str, str]:
    """Each text with what it imports (`@docs/style.md`) put after it: from the repository at the base only,
    at most `MOST_IMPORTS` files and `MOST_DEPTH` deep."""
    known = {path: text[:MOST_CHARS] for path, text in texts.items()}
    after: dict[str, list[str]] = {path: [path] for path in texts}
    asked = set(known)
    for _ in range(MOST_DEPTH):
        new = [
            (root, target)
            for root, chain in after.items()
            for path in chain
            for target in imports(path, known.get(path, ""))
            if target not in chain
        ]
        missing = list(dict.fromkeys(target for _, target in new if target not in asked))
        missing = missing[: MOST_IMPORTS - (len(asked) - len(texts))]
        asked |= set(missing)
        known |= {path: text[:MOST_CHARS] for path, text in (await read(missing) if missing else {}).items()}
        for root, target in new:
            if target in known and target not in after[root]:
                after[root].append(target)
    return {path: "\n\n".join(known[one] for one in chain) for path, chain in after.items()}


def imports(path: str, text: str) -> list[str]:
    """The files of the repository that a guideline imports: outside of code, relative to its folder, never
    above the root."""
    prose = re.sub(r"```.*?(?:```|\Z)|`[^`\n]*`", "", text, flags=re.DOTALL)
    found: list[str] = []
    for name in _IMPORT.findall(prose):
        target = _inside(PurePosixPath(path).parent, name.rstrip("."))
        if target and PurePosixPath(target).suffix:
            found.append(target)
    return list(dict.fromkeys(found))


def _inside(folder: PurePosixPath, name: str) -> str | None:
    parts: list[str] = list(folder.parts)
    for part in PurePosixPath(name).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def owners(text: str, paths: Iterable[str], wanted: PathWanted) -> list[str]:
    """Whom CODEOWNERS names for these files, without the `@`: for each file the last pattern that matches
    counts."""
    rules: list[tuple[str, list[str]]] = []
    for line in text[: 3 * 1024 * 1024].splitlines()[:2_000]:
        words = line.partition("#")[0].split()
        if words and not words[0].startswith("!"):
            rules.append((words[0], [word for word in words[1:] if _OWNER.fullmatch(word)]))
    found: dict[str, None] = {}
    for path in paths:
        named = next((names for pattern, names in reversed(rules) if wanted(path, [pattern])), [])
        found |= dict.fromkeys(name.lstrip("@") for name in named)
    return list(found)
