"""The tables of hob.toml as types. Strict: a number is not taken for a text, an unknown key is an error."""

import difflib
import json
import re
from dataclasses import replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bot.config.addresses import OLLAMA, host_url, http_url, parts_of
from bot.config.code import CodeTable, refuse_mounts
from bot.config.fields import ConfigTable, FilePath, NameList, Seconds, as_tuple, one_or_list
from bot.config.network import NetworkTable
from bot.config.retention import RetentionTable
from bot.core.adapters import ADAPTER_NAME, adapter_name
from bot.core.errors import ConfigError
from bot.core.hosts import Host, HostKind, RoutingStrategy
from bot.core.inference import Role
from bot.paths import socket_path


def zone(name: str) -> tzinfo:
    """UTC needs no database of time zones."""
    return UTC if name == "UTC" else ZoneInfo(name)


LOOPBACK = ("localhost", "127.0.0.1", "::1")
REDIS_SCHEMES = ("redis", "rediss", "unix")


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    return host in LOOPBACK or host.startswith("127.")


def _database_url(value: str) -> str:
    scheme, _, rest = value.partition("://")
    is_file = scheme == "sqlite" and rest.startswith("/") and rest.strip("/")
    if not is_file and not (scheme == "postgresql+psycopg" and "://" in value):
        raise ValueError("sqlite:///path or postgresql+psycopg://user@host/name")
    if not is_file:
        parts_of(f"//{rest.rpartition('@')[2]}")  # a password may hold what an address may not
    return value


def _redis_url(value: str) -> str:
    if value == "embedded":
        return value
    parts = parts_of(value)
    if parts.scheme not in REDIS_SCHEMES:
        raise ValueError('"embedded" or an address that starts with redis://, rediss:// or unix://')
    password = parts.password or parse_qs(parts.query).get("password")
    if parts.scheme != "unix" and not password and not is_loopback(parts.hostname or "localhost"):
        raise ValueError("an address with a password, since this Redis can be reached by other machines")
    return value


SecretList = Annotated[tuple[str, ...], BeforeValidator(one_or_list)]
ArchiveName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Url = Annotated[str, AfterValidator(http_url)]


class HobTable(ConfigTable):
    """`[hob]`"""

    data_dir: FilePath = Path("~/.local/share/hob")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    handlers: str = "handlers:router"
    """`module:name` of the router that says what this Hob does; also `HOB_HANDLERS`."""


class GitHubTable(ConfigTable):
    """`[github]`"""

    api_url: Url = "https://api.github.com"
    app_id: int = Field(default=0, ge=0)
    app_slug: str = Field(default="", max_length=100)
    private_key_file: FilePath | None = None
    webhook_secret: SecretList = Field(default=(), repr=False)
    webhook_secret_file: FilePath | None = None
    write_gap_seconds: float = Field(default=1.0, ge=0, le=60)
    """Between two writes of one installation: GitHub asks for at least a second."""
    settle_seconds: float = Field(default=3.0, ge=0, le=60)
    """How long a write of which nobody knows whether it happened is given to show itself."""


class ServerTable(ConfigTable):
    """`[server]`"""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8700, ge=0, le=65535)
    public_url: Url = ""
    max_body_mb: int = Field(default=25, ge=1, le=100)


class StoreTable(ConfigTable):
    """`[store]`"""

    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="sqlite:///{data_dir}/hob.db", repr=False
    )


class QueueTable(ConfigTable):
    """`[queue]`"""

    redis_url: Annotated[str, AfterValidator(_redis_url)] = Field(default="embedded", repr=False)
    workers: int = Field(default=2, ge=1, le=256)
    coalesce_seconds: float = Field(default=4.0, ge=0, le=600)
    """How long a review waits for the next push."""
    lease_seconds: Seconds = 10.0
    """A run whose worker has not been heard for so long is started again."""

    @property
    def embedded(self) -> bool:
        return self.redis_url == "embedded"


class IntakeTable(ConfigTable):
    """`[intake]`"""

    mode: Literal["webhook", "poll", "both"] = "webhook"
    reconcile_minutes: int = Field(default=5, ge=1, le=1440)
    share: float = Field(default=0.2, gt=0, le=1)
    """Of the App's rate limit, what polling takes at most."""

    @property
    def polls(self) -> bool:
        return self.mode != "webhook"

    @property
    def receives(self) -> bool:
        return self.mode != "poll"


def _time_zone(value: str) -> str:
    try:
        zone(value)
    except (OSError, ValueError, KeyError):  # a folder, a path, or none of that name
        raise ValueError("a time zone of the IANA database, like Europe/Berlin (or install tzdata)") from None
    return value


class ScheduleTable(ConfigTable):
    """`[schedule]`"""

    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    """Whose nights and weeks are meant."""

    @property
    def zone(self) -> tzinfo:
        return zone(self.time_zone)


def _adapter(name: str) -> str:
    if adapter_name(name) is None:
        raise ValueError("a name as `hob tune list` shows it, BASE+OWNER--REPO:DIGEST")
    return name


TunedName = Annotated[str, AfterValidator(_adapter), Field(json_schema_extra={"pattern": ADAPTER_NAME})]
NEAR = 0.75
"""How alike a key is to a known one that is taken for a slip: `reviews`, `chta`."""
_OWN_ROLE = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class ModelsTable(ConfigTable):
    """`[models]`: role -> models in order of preference; a name alone means any host that has it."""

    review: NameList = ("qwen2.5-coder:14b",)
    code: NameList = ("qwen2.5-coder:14b",)
    triage: NameList = ("qwen2.5:7b",)
    chat: NameList = ("qwen2.5:7b",)
    embed: NameList = ("nomic-embed-text",)
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, NameList] = Field(init=False)
    """Roles of one's own."""
    share: dict[Role, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    """Role -> the part of the questions (0 to 1) for which the second model is asked first: an A/B."""
    tuned: Annotated[tuple[TunedName, ...], BeforeValidator(as_tuple)] = ()
    """Adapters that are switched on, `BASE+OWNER--REPO:DIGEST`."""

    @model_validator(mode="before")
    @classmethod
    def _no_misspelt_role(cls, table: object) -> object:
        """ConfigError for what is more likely a known key with a slip than a role of one's own."""
        for key in table if isinstance(table, dict) else ():
            near = difflib.get_close_matches(str(key), cls.model_fields, n=1, cutoff=NEAR)
            if key in cls.model_fields:
                continue
            if near:
                raise ConfigError(f"[models] {key[:60]}: there is no such key", f"did you mean {near[0]}?")
            if not _OWN_ROLE.fullmatch(str(key)):
                raise ConfigError(
                    f"[models] {str(key)[:60]!r} is no name of a role",
                    "use small letters, digits, - and _, a letter first",
                )
        return table

    def of(self, role: str) -> tuple[str, ...]:
        chosen: tuple[str, ...] = getattr(self, role)
        return chosen

    def by_role(self) -> dict[Role, tuple[str, ...]]:
        """Those of one's own too."""
        known: tuple[Role, ...] = ("review", "code", "triage", "chat", "embed")
        own = cast("list[Role]", sorted(self.model_extra or ()))
        return {role: self.of(role) for role in (*known, *own)}


KeepAlive = Annotated[str, Field(pattern=r"^(-?\d{1,6}|-?\d{1,6}(ms|s|m|h))$")]


class HostModelTable(ConfigTable):
    """`[hosts.models."NAME"]`"""

    keep_alive: KeepAlive = ""
    num_ctx: int = Field(default=0, ge=0, le=10_000_000)
    first_token_seconds: float = Field(default=0.0, ge=0, le=86_400)
    between_tokens_seconds: float = Field(default=0.0, ge=0, le=86_400)
    vision: bool = False


class HostTable(HostModelTable):
    """`[[hosts]]`"""

    name: str = Field(min_length=1, max_length=100)
    kind: HostKind = "ollama"
    url: str = ""
    parallel: int = Field(default=1, ge=1, le=256)
    roles: NameList = ()
    online: bool = False
    api_key_env: str = ""
    usd_per_mtok_in: float | None = Field(default=None, ge=0)
    usd_per_mtok_out: float | None = Field(default=None, ge=0)
    start: NameList = ()
    stop: NameList = ()
    idle_minutes: float = Field(default=15.0, gt=0, le=100_000)
    models: dict[str, HostModelTable] = Field(default_factory=dict)
    """Model -> keys that are its own."""
    answers: dict[str, Annotated[tuple[str | dict[str, Any], ...], BeforeValidator(one_or_list)]] = Field(
        default_factory=dict
    )
    """Prompt -> what a scripted host says to it, in this order."""

    @field_validator("url")
    @classmethod
    def _address(cls, value: str, info: ValidationInfo) -> str:
        return host_url(value, info.data.get("kind", ""))

    @model_validator(mode="after")
    def _has_address(self) -> Self:
        if self.kind in ("ollama", "openai") and not self.url:
            raise ValueError("a table with `url`")
        return self

    def host(self) -> Host:
        told = self.model_dump(exclude={"models", "answers"})
        models = tuple(
            (name, tuple(table.model_dump(exclude_unset=True).items())) for name, table in self.models.items()
        )
        answers = tuple(
            (prompt, tuple(one if isinstance(one, str) else json.dumps(one) for one in some))
            for prompt, some in self.answers.items()
        )
        return Host(**told, models=models, answers=answers)


class PoolTable(ConfigTable):
    """`[pool]`"""

    routing: RoutingStrategy = "completion"
    """Which of the hosts that have a model is asked: the one expected to answer first, or a simpler rule."""


class PrivacyTable(ConfigTable):
    """`[privacy]`"""

    online: Literal["never", "public", "allowed"] = "never"
    tune: bool = False


class BudgetTable(ConfigTable):
    """`[budget]`"""

    online_usd_per_day: float = Field(default=0.0, ge=0)
    online_tokens_per_day: int = Field(default=0, ge=0)


class CacheTable(ConfigTable):
    """`[cache]`"""

    enabled: bool = True
    max_mb: int = Field(default=256, ge=1, le=1_000_000)
    max_age_days: int = Field(default=30, ge=1, le=3650)


class KnowledgeTable(ConfigTable):
    """`[knowledge]`"""

    enabled: bool = True
    max_clone_mb: int = Field(default=2048, ge=1, le=1_000_000)
    """A repository that is larger is not cloned."""
    archives: dict[ArchiveName, FilePath] = Field(default_factory=dict)
    """Name -> a folder of documents or a repository on this machine, searched beside what is asked about."""
    open_archives: NameList = ()
    """Names of archives, `owner/name` too, that may be quoted in the comments of any repository."""


class ApiTable(ConfigTable):
    """`[api]`"""

    token_file: FilePath = Path("api.token")


def _unique(hosts: tuple[HostTable, ...]) -> tuple[HostTable, ...]:
    if len({host.name for host in hosts}) < len(hosts):
        raise ValueError("tables whose `name`s differ")
    return hosts


class Config(ConfigTable):
    """The whole of hob.toml after the environment: `load_config` makes it, with paths made absolute."""

    hob: HobTable = HobTable()
    github: GitHubTable = GitHubTable()
    server: ServerTable = ServerTable()
    network: NetworkTable = NetworkTable()
    store: StoreTable = StoreTable()
    queue: QueueTable = QueueTable()
    intake: IntakeTable = IntakeTable()
    schedule: ScheduleTable = ScheduleTable()
    models: ModelsTable = ModelsTable()
    hosts: Annotated[tuple[HostTable, ...], BeforeValidator(as_tuple), AfterValidator(_unique)] = (
        HostTable(name="local", url=OLLAMA),
    )
    pool: PoolTable = PoolTable()
    privacy: PrivacyTable = PrivacyTable()
    budget: BudgetTable = BudgetTable()
    cache: CacheTable = CacheTable()
    retention: RetentionTable = RetentionTable()
    knowledge: KnowledgeTable = KnowledgeTable()
    api: ApiTable = ApiTable()
    code: CodeTable = CodeTable()

    _source: Path | None = PrivateAttr(default=None)

    @property
    def source(self) -> Path | None:
        """The hob.toml that was read, if there was one."""
        return self._source

    def listens_on(self, asked: str | None = None) -> str:
        """Where nothing is received, this machine alone, unless a person asked for more."""
        own = self.server.host
        return asked or (own if self.intake.receives or is_loopback(own) else LOOPBACK[1])

    @property
    def redis_url(self) -> str:
        """Where Redis is, the embedded one too."""
        if self.queue.embedded:
            return f"unix://{socket_path(self.hob.data_dir)}"
        return self.queue.redis_url

    def pool_hosts(self) -> tuple[Host, ...]:
        """`[[hosts]]` as values of the core. ConfigError for an adapter that may not be used."""
        way = self.network.way()
        hosts = tuple(replace(table.host(), network=way) for table in self.hosts)
        if not self.models.tuned:
            return hosts
        from bot.config.tuned import MLX, switched_on

        adapters = switched_on(
            self.models.tuned, self.models.review, hosts, self.hob.data_dir, tune=self.privacy.tune
        )
        return tuple(replace(one, adapters=adapters) if one.kind == MLX else one for one in hosts)

    def at(self, source: Path | None, folder: Path) -> "Config":
        """The same with `{data_dir}` filled in and every path absolute: relative ones start at `folder`."""
        data = _absolute(self.hob.data_dir, folder)
        github = {
            name: _absolute(path, folder)
            for name in ("private_key_file", "webhook_secret_file")
            if (path := getattr(self.github, name)) is not None
        }
        archives = {name: _absolute(path, folder) for name, path in self.knowledge.archives.items()}
        tables: dict[str, Any] = {
            "hob": self.hob.model_copy(update={"data_dir": data}),
            "github": self.github.model_copy(update=github),
            "store": StoreTable(database_url=self.store.database_url.replace("{data_dir}", str(data))),
            "knowledge": self.knowledge.model_copy(update={"archives": archives}),
            "network": self.network.model_copy(
                update={"ca_file": self.network.ca_file and _absolute(self.network.ca_file, folder)}
            ),
            "api": ApiTable(token_file=_absolute(self.api.token_file, folder)),
        }
        config = self.model_copy(update=tables)
        config._source = source  # noqa: SLF001  our own
        refuse_mounts(config.code, [data, *github.values(), *([source] if source else [])])
        return config


def _absolute(path: Path, folder: Path) -> Path:
    return (folder / path.expanduser()).resolve()
