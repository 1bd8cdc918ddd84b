"""What a model has learnt of one repository: an adapter beside its weights, with a name of its own.

`mlx-community/Qwen2.5-Coder-7B-Instruct-4bit+octo--tea:1a2b3c4d5e6f` is the base model, what the repository
was called then, and the beginning of the digest of all that the training began from. It may know private code
by heart: only prompts of its own repository are put to it, by GitHub's number, whatever that is called now.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DIGEST_LENGTH = 12
ADAPTER_NAME = r"^([A-Za-z0-9._/-]{1,200})\+([a-z0-9_.-]{1,200}):([0-9a-f]{12})$"
"""BASE+OWNER--REPO:DIGEST"""
_NAME = re.compile(ADAPTER_NAME)


@dataclass(frozen=True, slots=True)
class AdapterName:
    """`repository` as `dashed` when it was trained. Its text is the model's name, in configuration, traces
    and tables."""

    base: str
    repository: str
    digest: str

    def __str__(self) -> str:
        return f"{self.base}+{self.repository}:{self.digest}"


@dataclass(frozen=True, slots=True)
class Adapter:
    """As a host of kind `mlx` has it. `revision`: of the base model's files, the only ones that it fits;
    `place`: the folder of its weights, absolute."""

    name: str
    base: str
    revision: str
    repo_id: int
    """GitHub's: whose prompts alone may be put to it."""
    place: str


def adapter_name(name: str) -> AdapterName | None:
    """None for the name of another model."""
    found = _NAME.fullmatch(name)
    return AdapterName(*found.groups()) if found else None


def dashed(full_name: str) -> str:
    """Of `Owner/Repo`: `owner--repo`. GitHub's names of owners have no two dashes in a row, and no two names
    differ by their case alone."""
    return full_name.replace("/", "--").lower()


def in_front(wanted: Sequence[str], adapters: Iterable[Adapter]) -> tuple[str, ...]:
    """`wanted`, models in order of preference (`NAME` or `NAME@HOST`), with a repository's adapters each
    before the model that it belongs to."""
    own = {one.base: one.name for one in adapters}
    found: list[str] = []
    for name in wanted:
        base, at, host = name.partition("@")
        found += [f"{own[base]}{at}{host}", name] if base in own else [name]
    return tuple(found)
