"""What a lock file pins, as `uv pip compile --generate-hashes` writes it."""

import re
from dataclasses import dataclass
from pathlib import Path

PIN = re.compile(
    r"^(?P<name>[\w.-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?: ; (?P<marker>[^\\\n]+?))? *\\\n"
    r"(?P<rest>(?:[ \t]+.*\n?)+)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Pin:
    """`hashes` are SHA-256, one for each file of this version; `via` are the packages that ask for it, or our
    own file where we do. `marker` says where it is installed; empty: everywhere."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    via: tuple[str, ...]

    @property
    def purl(self) -> str:
        """https://github.com/package-url/purl-spec/blob/main/types-doc/pypi-definition.md"""
        return f"pkg:pypi/{normal(self.name)}@{self.version.replace('+', '%2B')}"


def normal(name: str) -> str:
    """As package indexes compare names. https://packaging.python.org/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> list[Pin]:
    """In the file's order."""
    found = []
    for match in PIN.finditer(path.read_text() + "\n"):
        rest = match["rest"]
        via = re.findall(r"^ +#(?: via)? +(?!via$|-c )(\S.*)$", rest, re.MULTILINE)
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", rest))
        found.append(Pin(match["name"], match["version"], match["marker"] or "", hashes, tuple(via)))
    return found
