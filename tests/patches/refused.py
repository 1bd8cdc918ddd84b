"""Patches of which nothing may come, with the reason for it."""

import random
import re
from collections.abc import Callable, Iterator

from bot.core.edits import MOST_EDITS, MOST_FILES, MOST_TEXT, FileEdit
from tests.patches.case import Case, Texts, in_turn, spans, word

Made = Callable[[str, str, random.Random], Case]


def _case(name: str, path: str, text: str, cause: str, why: str, *edits: FileEdit, **more: str) -> Case:
    """With a harmless edit of another file: all or nothing."""
    fine = FileEdit("fine.md", "one", "two")
    return Case(name, {path: text, "fine.md": "one\n", **more}, (fine, *edits), {}, cause, why)


def ambiguous(path: str, text: str, chance: random.Random) -> Case:
    (span,) = spans(text, chance, 1)
    twice = f"{text.rstrip()}\n{span.quote}\n"
    return _case("ambiguous", path, twice, "ambiguous", "more than once", FileEdit(path, span.quote, "x"))


def places_overlap(path: str, text: str, chance: random.Random) -> Case:
    text += "}\n}\n}\n" if "}\n}" not in text else "<\n<\n<\n"
    quote = text[-4:]
    return _case("places overlap", path, text, "ambiguous", "more than once", FileEdit(path, quote, "x"))


def stale(path: str, text: str, chance: random.Random) -> Case:
    """What is quoted was changed since it was read."""
    (span,) = spans(text, chance, 1)
    now = text[: span.start] + "changed since\n" + text[span.end :]
    return _case("stale", path, now, "missing", "does not stand there", FileEdit(path, span.quote, "x"))


def _sloppily(text: str, chance: random.Random) -> Iterator[str]:
    for span in spans(text, chance, 6):
        yield chance.choice([str.upper, _indented, _typographic, _trailing, _single_blanks])(span.quote)


def sloppy(path: str, text: str, chance: random.Random) -> Case:
    """Nearly what stands there is not what stands there."""
    quote = next(one for one in _sloppily(text, chance) if one.strip() and one not in text)
    return _case("sloppy quote", path, text, "missing", "does not stand there", FileEdit(path, quote, "x"))


def _indented(quote: str) -> str:
    return "\n".join(f"  {line}" for line in quote.split("\n"))


def _typographic(quote: str) -> str:
    return quote.replace('"', "\u201c").replace("'", "\u2019")


def _trailing(quote: str) -> str:
    return "\n".join(f"{line} " for line in quote.split("\n"))


def _single_blanks(quote: str) -> str:
    return re.sub(r"[ \t]+", " ", quote)


def composed(path: str, text: str, chance: random.Random) -> Case:
    text += "gru\u0308n = 1\n"
    return _case(
        "other letters", path, text, "missing", "does not stand there", FileEdit(path, "gr\u00fcn = 1", "x")
    )


def part_of_a_word(path: str, text: str, chance: random.Random) -> Case:
    quote = word(text, chance).quote[1:]
    edit = FileEdit(path, quote, "x")
    if re.search(rf"\b{re.escape(quote)}\b", text):
        raise LookupError(quote)
    return _case("part of a word", path, text, "missing", "does not stand there", edit)


def overlapping(path: str, text: str, chance: random.Random) -> Case:
    one = next(one for one in spans(text, chance, 4) if "\n" in one.quote)
    half = one.quote[: one.quote.index("\n")]
    edits = (FileEdit(path, one.quote, "x"), FileEdit(path, half, "y"))
    if len(half.strip()) < 2 or text.count(half) != 1 or half[-1:].isalnum():
        raise LookupError(half)
    return _case("overlapping", path, text, "overlapping", "same lines", *edits)


def blanks(path: str, text: str, chance: random.Random) -> Case:
    return _case("blanks", path, text, "missing", "nothing but blanks", FileEdit(path, " \n\t", "x"))


def not_there(path: str, text: str, chance: random.Random) -> Case:
    edit = chance.choice(
        [FileEdit("no/such.py", "x", "y"), FileEdit("no/such.py", delete=True),
         FileEdit("no/such.py", rename_to="x.py")]
    )  # fmt: skip
    return _case("no such file", path, text, "no such file", "there is no", edit)


def overwritten(path: str, text: str, chance: random.Random) -> Case:
    return _case(
        "overwritten", path, text, "there already", "is there already", FileEdit(path, "", "all new\n")
    )


def files_swap(path: str, text: str, chance: random.Random) -> Case:
    edits = (FileEdit(path, rename_to="other.py"), FileEdit("other.py", rename_to=path))
    more = {"other.py": "x\n"}
    return _case("files swap", path, text, "there already", "is there already", *edits, **more)


def at_one_place(path: str, text: str, chance: random.Random) -> Case:
    """In some file system at least."""
    folder, _, name = path.rpartition("/")
    louder = f"{folder}/{name.upper()}".lstrip("/")
    ways = [FileEdit(f"{path}/x.py", "", "x\n"), FileEdit("fine.md", rename_to=path)]
    ways += [FileEdit("fine.md/x.py", "", "x\n"), FileEdit(folder or path, "", "x\n")]
    if louder != path:
        ways += [FileEdit(louder, "", "x\n"), FileEdit("other.py", rename_to=louder)]
    heads = {path: text, "fine.md": "one\n", "other.py": "x\n"}
    return Case("at one place", heads, (chance.choice(ways),), {}, "there already", " ")


def both_at_once(path: str, text: str, chance: random.Random) -> Case:
    (span,) = spans(text, chance, 1)
    edit = chance.choice(
        [FileEdit(path, span.quote, delete=True), FileEdit(path, delete=True, rename_to="x.py"),
         FileEdit(path, replace="x", delete=True)]
    )  # fmt: skip
    return _case("deleted and changed", path, text, "overlapping", "deleted and changed", edit)


PATHS: tuple[tuple[str, str], ...] = (
    *((one, "out of the repository") for one in ("../up.py", "src/../../up.py", "/etc/passwd", "src//x.py",
        "./x.py", "src/./x.py", "..", "src/", "C:/x.py", "x.py:stream")),
    *((one, "is never touched") for one in (".git/hooks/pre-commit", ".GIT/config", "src/.Git/config",
        ".git /config", ".git./config", ".git . ./config", "GIT~1/config", "git~2/x", ".\uff47it/config",
        ".github/workflows/x.yml", ".GitHub/workflows/x.yml", ".github /x.yml", ".github./x.yml",
        "GITHUB~1/workflows/x.yml",
        ".gitmodules", ".GitModules", "gi7eba~1", "src/.gitattributes", "CODEOWNERS",
        "docs/codeowners", ".github/CODEOWNERS", ".gitlab-ci.yml", ".circleci/config.yml", "Jenkinsfile",
        ".husky/pre-push", ".pre-commit-config.yaml", ".vscode/tasks.json", ".envrc", ".npmrc", ".env",
        ".forgejo/workflows/x.yml", ".cargo/config.toml", ".claude/settings.json")),
    *((one, "written by a tool") for one in ("package-lock.json", "web/YARN.LOCK", "Cargo.lock", "go.sum",
        "uv.lock", "pnpm-lock.yaml", ".terraform.lock.hcl", "web/bun.lockb")),
    *((one, "nobody sees") for one in (".g\u200bit/config", ".git\u200d/config", ".gi\ufe00t/config",
        "\u202eyp.x", ".git\ufeff/config", ".gi\u2060thub/workflows/x.yml")),
    *((one, "looks like another") for one in (".g\u0456t/config", ".g\u0456thub/workflows/x.yml",
        ".g\u0131t/config", ".githu\u0253/x.yml", "\uff0e\uff0e/x.py", ".github\uff0fworkflows/x.yml")),
    *((one, "every system") for one in ("con", "CON.txt", "src/nul", "aux.c", "com1.py", "lpt9", "nul .txt",
        "a /x.py", " x.py", "x.", "what?.md", "a<b>.py", "CONIN$")),
    *((one, "no path of a patch") for one in ("a\\..\\..\\x.py", "..\\x.py",
        "a\nb.py", "a\0b.py", "\ud800.py",
        "\x1b[2J.py")),
    *((one, "bytes") for one in ("\u8336" * 90, f"src/{'x' * 256}")),
    ("x/" * 201, "1 to 400"),
)  # fmt: skip
CONTENTS: tuple[tuple[str, str], ...] = (
    ("nul\0", "control characters"), ("\x7fELF\x01\x02\0", "control characters"), ("\x1b]0;x\a", "control"),
    ("\x85", "control"), ("half \ud83d", "control"), ("a\u2028b", "control"),
    ("safe = 1  # \u202e txet\u202c", "nobody sees"), ("x\u200by = 1", "nobody sees"),
    ("pass\U000e0041\U000e0042", "nobody sees"), ("# note\rimport os", "carriage return"),
)  # fmt: skip


def _ways(where: str, chance: random.Random) -> FileEdit:
    return chance.choice(
        [FileEdit(where, "", "x\n"), FileEdit(where, "x", "y"), FileEdit(where, delete=True),
         FileEdit("fine.md", rename_to=where), FileEdit(where, rename_to="src/x.py")]
    )  # fmt: skip


def malicious(sources: Texts, seed: int) -> Iterator[Case]:
    """Paths first, each by one way in, then what files must not hold, then what is too much."""
    chance, files = random.Random(seed), in_turn(sources, seed)
    for where, why in PATHS:
        path, text = next(files)
        heads = {path: text, "fine.md": "one\n"} | ({where: "x\n"} if chance.random() < 0.5 else {})
        edits = (FileEdit("fine.md", "one", "two"), _ways(where, chance))
        yield Case(f"path {where[:40]!a}", heads, edits, {}, "forbidden", why, malicious=True)
    for content, why in CONTENTS:
        path, text = next(files)
        (span,) = spans(text, chance, 1)
        edit = chance.choice([FileEdit(path, span.quote, content), FileEdit("src/made.py", "", content)])
        case = _case(f"content {content!a}", path, text, "forbidden", why, edit)
        yield Case(case.name, case.heads, case.edits, {}, case.cause, why, malicious=True)
    path, text = next(files)
    for name, edits in (
        ("2 MB", [FileEdit("big.bin", "", "x" * 2_000_000)]),
        ("2 MB of 1 M characters", [FileEdit("big.txt", "", "\u8336" * (MOST_TEXT // 3 + 1))]),
        ("2 MB in parts", [FileEdit(f"big{n}.txt", "", "x" * (MOST_TEXT // 4)) for n in range(5)]),
        ("too many files", [FileEdit(f"made/{n}.py", "", "x") for n in range(MOST_FILES + 1)]),
        ("too many edits", [FileEdit(path, f"no {n}", "x") for n in range(MOST_EDITS + 1)]),
    ):
        yield Case(name, {path: text}, tuple(edits), {}, "too large", "", malicious=True)


KINDS: tuple[Made, ...] = (
    ambiguous, places_overlap, stale, sloppy, composed, part_of_a_word, overlapping, blanks, not_there,
    overwritten, files_swap, at_one_place, both_at_once,
)  # fmt: skip


def honest(sources: Texts, seed: int) -> Iterator[Case]:
    """Endless: mistakes that a model makes."""
    chance, files = random.Random(seed), in_turn(sources, seed)
    while True:
        for kind in KINDS:
            for path, text in files:
                try:
                    yield kind(path, text, chance)
                except (LookupError, StopIteration):
                    continue
                break
