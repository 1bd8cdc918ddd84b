"""The output of `git diff`: https://git-scm.com/docs/diff-format#generate_patch_text_with_p

Read with git's own prefixes (`a/`, `b/`): whoever runs git says `--src-prefix=a/ --dst-prefix=b/ --no-color
--no-ext-diff --submodule=short`, for a person's configuration can change each of them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.core.diff.patch import BadPatch, FileDiff, Status, parse_hunks, patch_text

_ESCAPED = re.compile(rb"\\([abtnvfr\"\\]|[0-7]{3})")
_LETTERS = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))
_INDEX = re.compile(r"index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: [0-7]{6})?")
_GIT = "diff --git "
_STATUS: dict[str, Status] = {
    "new file mode ": "added",
    "deleted file mode ": "removed",
    "rename from ": "renamed",
    "rename to ": "renamed",
    "copy from ": "copied",
    "copy to ": "copied",
    "old mode ": "changed",
    "new mode ": "changed",
}


def parse_git_diff(text: str) -> tuple[FileDiff, ...]:
    """Every file of a whole `git diff`; `hunks` is None for a file of which it shows no lines (binary, pure
    rename, change of mode, empty). BadPatch for what is none. A path that is no UTF-8 comes as `os.fsdecode`
    gives it."""
    return tuple(_file(lines) for lines in _sections(text))


def _sections(text: str) -> Iterator[list[str]]:
    """The lines of each file. A line of a file has a mark before it, so it is never mistaken for a header."""
    section: list[str] = []
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith(_GIT) and section:
            yield section
            section = []
        if section or line.startswith(_GIT):
            section.append(line)
        elif line.startswith(("diff --cc ", "diff --combined ", "--- ", "@@")):
            raise BadPatch("a diff of a merge, or one that git did not write, cannot be read")
    if section:
        yield section


@dataclass(slots=True)
class _Header:
    """What stands between `diff --git` and the hunks."""

    status: Status = "modified"
    old: str | None = None
    new: str | None = None
    blob: str = ""

    def take(self, line: str) -> bool:
        """Whether the line belongs to the header."""
        if key := next((key for key in _STATUS if line.startswith(key)), None):
            self._extended(key, line[len(key) :])
        elif index := _INDEX.fullmatch(line):
            self.blob = index[1] if self.status == "removed" else index[2]
            self.status = "modified" if self.status == "changed" else self.status
        elif line.startswith("--- "):
            self.old = self.old or _side(line[4:], "a/")
        elif line.startswith("+++ "):
            self.new = self.new or _side(line[4:], "b/")
        else:
            return line.startswith(("similarity index ", "dissimilarity index "))
        return True

    def _extended(self, key: str, value: str) -> None:
        if self.status in ("modified", "changed"):
            self.status = _STATUS[key]
        if key.endswith("from "):
            self.old = _unquoted(value)
        elif key.endswith("to "):
            self.new = _unquoted(value)


def _file(lines: list[str]) -> FileDiff:
    header, place = _Header(), 1
    while place < len(lines) and header.take(lines[place]):
        place += 1
    binary = place < len(lines) and lines[place].startswith(("Binary files ", "GIT binary patch"))
    hunks = () if binary else parse_hunks(lines[place:])
    path = header.new or header.old or _same(lines[0].removeprefix(_GIT))
    kinds = [line.kind for hunk in hunks for line in hunk.lines]
    return FileDiff(
        path=path,
        status=header.status,
        hunks=hunks or None,
        old_path=header.old if header.old not in (None, path) else None,
        additions=kinds.count("+"),
        deletions=kinds.count("-"),
        blob=header.blob,
    )


def _same(names: str) -> str:
    """The path that both halves of `a/path b/path` name."""
    half = len(names) // 2
    old, new = _unquoted(names[:half]), _unquoted(names[half + 1 :])
    if names[half : half + 1] != " " or old[:2] != "a/" or new != f"b/{old[2:]}":
        raise BadPatch(f"{names[:60]!r} does not name one file")
    return old[2:]


def _side(name: str, prefix: str) -> str | None:
    """The path after `---` or `+++`; git ends it with a tab when it holds a blank."""
    path = _unquoted(name.removesuffix("\t"))
    if path == "/dev/null":
        return None
    if not path.startswith(prefix):
        raise BadPatch(f"{path[:60]!r} should begin with {prefix}")
    return path[len(prefix) :]


def _unquoted(name: str) -> str:
    """A path as git quotes it in C's manner: https://git-scm.com/docs/git-config#Documentation/git-config.txt-corequotePath"""
    if not (len(name) > 1 and name[0] == name[-1] == '"'):
        return name
    raw = _ESCAPED.sub(_byte, name[1:-1].encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")


def _byte(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8) & 0xFF if len(code) == 3 else _LETTERS[code[0]]])


_QUOTED = re.compile(r'[\x00-\x1f"\\\x7f]')


def git_diff_text(files: Iterable[FileDiff]) -> str:
    """What `parse_git_diff` reads, of files that came from elsewhere."""
    return "".join(f"{line}\n" for file in files for line in _written(file))


def _written(file: FileDiff) -> Iterator[str]:
    old, new = (
        _quote(f"{side}/{path}") for side, path in (("a", file.old_path or file.path), ("b", file.path))
    )
    yield f"{_GIT}{old} {new}"
    if file.status == "added":
        yield "new file mode 100644"
    elif file.status == "removed":
        yield "deleted file mode 100644"
    elif file.old_path and file.old_path != file.path:
        yield f"rename from {_quote(file.old_path)}"
        yield f"rename to {_quote(file.path)}"
    if file.hunks:
        yield "--- " + ("/dev/null" if file.status == "added" else old)
        yield "+++ " + ("/dev/null" if file.status == "removed" else new)
        yield patch_text(file)


def _quote(name: str) -> str:
    """As git quotes a path in C's manner."""
    if not _QUOTED.search(name):
        return name
    return '"' + _QUOTED.sub(lambda found: f"\\{ord(found[0]):03o}", name) + '"'
