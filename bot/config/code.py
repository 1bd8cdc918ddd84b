"""The table `[code]`: whose tests are run, and how."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bot.config.fields import ConfigTable, NameList, Seconds, as_tuple
from bot.core.errors import ConfigError

if TYPE_CHECKING:
    from bot.core.sandbox_types import Mount
    from bot.core.work_budget import WorkBudget

NEVER = tuple(map(PurePosixPath, ("/proc", "/sys", "/dev", "/run", "/var/run", "/etc", "/boot")))
"""Nothing of these is mounted: devices, sockets, secrets of the machine."""
WHOLE = tuple(map(PurePosixPath, ("/", "/root", "/home", "/var", "/tmp", "/Users")))  # noqa: S108
"""Nor these as a whole."""
OWN = tuple(map(PurePosixPath, ("/tmp", "/proc", "/dev", "/etc", "/hob")))  # noqa: S108
"""Where a run has things of its own."""


def _report(value: str) -> str:
    parts = PurePosixPath(value).parts
    if value and (value.startswith("/") or ".." in parts or not parts or "\0" in value):
        raise ValueError("the path of a file below the work tree, like report.xml")
    return value


def _word(value: str) -> str:
    if "\0" in value or not value:
        raise ValueError("a text that is not empty")
    return value


def _image(value: str) -> str:
    if value.startswith("-") or not value.isprintable() or " " in value:
        raise ValueError("the name of an image, like registry/name:tag")
    return value


def _mount(value: str) -> str:
    mount_of(value)
    return value


def mount_of(text: str) -> "Mount":
    """`/opt/venvs/tea`, or `/srv/modules:/repo/node_modules` for another place. ValueError for what may not
    be."""
    from bot.core.sandbox_types import WORK, Mount

    source, _, place = text.partition(":")
    if "//" in text:
        raise ValueError("a path without //, which would stand for another one")
    found = Mount(PurePosixPath(source), PurePosixPath(place or source))
    for path in (found.source, found.place):
        if not path.is_absolute() or ".." in path.parts or "\0" in text:
            raise ValueError("an absolute path, like /opt/venvs/tea or /srv/modules:/repo/node_modules")
    if found.source in WHOLE or any(found.source.is_relative_to(one) for one in NEVER):
        raise ValueError("a folder of what the tests need, and nothing of the system's own")
    own = found.place == WORK or any(found.place.is_relative_to(one) for one in OWN)
    if own or any(one.is_relative_to(found.place) for one in (WORK, *OWN, PurePosixPath("/usr/bin"))):
        raise ValueError("a place below /repo, or one that the run has not of its own")
    return found


def _command(words: tuple[str, ...]) -> tuple[str, ...]:
    first = words[0]
    if " " in first.strip() and "/" not in first:
        raise ValueError('words one by one, like ["make", "test"]: no shell takes them apart')
    return words


TO_WRITE_SECONDS = 600.0
"""For what is done when the minutes are over."""
SUITES_A_PATCH = 8
"""How often the tests are run for a patch that is written twice."""


class SuiteTable(ConfigTable):
    """`[code.tests."owner/name"]`"""

    command: Annotated[
        tuple[Annotated[str, AfterValidator(_word)], ...],
        BeforeValidator(as_tuple),
        Field(min_length=1),
        AfterValidator(_command),
    ]
    report: Annotated[str, AfterValidator(_report), Field(max_length=400)] = ""
    image: Annotated[str, AfterValidator(_image), Field(max_length=400)] = ""
    mount: Annotated[tuple[Annotated[str, AfterValidator(_mount)], ...], BeforeValidator(as_tuple)] = ()
    seconds: Seconds = 600.0
    cpu_seconds: int = Field(default=1_200, ge=1, le=864_000)
    memory_mb: int = Field(default=2_048, ge=16, le=10_000_000)
    processes: int = Field(default=256, ge=2, le=100_000)
    tree_mb: int = Field(default=1_024, ge=1, le=1_000_000)
    files: int = Field(default=100_000, ge=10, le=10_000_000)

    @property
    def mounts(self) -> "tuple[Mount, ...]":
        return tuple(map(mount_of, self.mount))


RepositoryName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$")]


class CodeTable(ConfigTable):
    """`[code]`: what `implement` may cost on one issue, and whose tests are run."""

    steps: int = Field(default=40, ge=1, le=10_000)
    tokens: int = Field(default=400_000, ge=1_000, le=1_000_000_000)
    minutes: int = Field(default=60, ge=1, le=1440)
    container: NameList = ()
    """The words that start a container, up to its options: `["podman", "run", "--rm"]`."""
    tests_at_once: int = Field(default=1, ge=1, le=64)
    """Runs of tests in one process of Hob."""
    tests: dict[RepositoryName, SuiteTable] = Field(default_factory=dict)
    """The repositories whose tests are run."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        """ConfigError where tables contradict each other."""
        if self.container and "run" not in self.container:
            raise ConfigError(
                "[code] container starts no container",
                'write it like container = ["podman", "run", "--rm"], without an image',
            )
        for name, table in self.tests.items():
            if table.image and not self.container:
                raise ConfigError(
                    f'[code.tests."{name}"] image: no program is named that runs it',
                    'add container = ["podman", "run", "--rm"] to [code], or take image away',
                )
        if len({name.casefold() for name in self.tests}) < len(self.tests):
            raise ConfigError(
                "[code.tests] names a repository twice", "GitHub knows no capital letters there"
            )
        return self

    def budget(self) -> "WorkBudget":
        """From now on."""
        from bot.core.work_budget import WorkBudget

        return WorkBudget(self.steps, self.tokens, 60.0 * self.minutes)

    @property
    def longest_seconds(self) -> float:
        """What one run may take: `implement` its minutes, any other patch its questions and the tests, as
        often as they may be tried; and then the time to write."""
        tests = max((one.seconds for one in self.tests.values()), default=0.0)
        return max(60.0 * self.minutes, 3600.0 + SUITES_A_PATCH * tests) + TO_WRITE_SECONDS

    def suite(self, full_name: str) -> SuiteTable | None:
        """What was said of a repository; None where nothing was: its tests are not run."""
        named = {name.casefold(): table for name, table in self.tests.items()}
        return named.get(full_name.casefold())


def refuse_mounts(code: CodeTable, private: Sequence[Path]) -> None:
    """ConfigError where a run would be given something of Hob's own."""
    for name, table in code.tests.items():
        for text, mount in zip(table.mount, table.mounts, strict=True):
            real = Path(mount.source).resolve()
            if any(
                one.resolve().is_relative_to(real) or real.is_relative_to(one.resolve()) for one in private
            ):
                raise ConfigError(
                    f'[code.tests."{name}"] mount: {text} holds something of Hob\'s own',
                    "mount a folder that has nothing but what the tests need",
                )
