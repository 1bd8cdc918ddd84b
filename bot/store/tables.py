"""The tables. Times are seconds since the epoch (UTC); texts of the outside world are cut to what a column
holds.

A change here needs a migration; `SCHEMA` is the newest one's name (a test holds the three together).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA = "0012"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

IdColumn = BigInteger().with_variant(
    Integer, "sqlite"
)  # SQLite numbers rows by itself only where the type is INTEGER

TargetColumn = String(200).with_variant(String(200, collation="C"), "postgresql")
"""Of one repository, and `12#3` of an issue of it: in the order of its bytes, as `within` asks for ranges."""

inbox = Table(
    "inbox",
    metadata,
    Column("id", IdColumn, primary_key=True),
    Column("guid", String(100), nullable=False, unique=True),
    Column("event", String(100), nullable=False),
    Column("action", String(100), nullable=False),
    Column("installation_id", BigInteger),
    Column("repo_id", BigInteger),
    Column("repo", String(300), nullable=False),
    Column("number", BigInteger),
    Column("sender", String(100), nullable=False),
    Column("body", LargeBinary, nullable=False),  # a zlib stream (`bot.store.body`)
    Column("size", Integer, nullable=False),  # of the body as it came
    Column("received_at", Double, nullable=False),
    Column("state", String(12), nullable=False),  # new, routed, ignored, quarantined
    Column("note", Text, nullable=False),
    Index(None, "state", "id"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", IdColumn, primary_key=True),
    Column(
        "delivery", String(100), nullable=False
    ),  # the GUID; no foreign key: runs outlive purged deliveries
    Column("handler", String(100), nullable=False),
    Column("priority", String(8), nullable=False),
    Column("target", TargetColumn, nullable=False),
    Column("repo_id", BigInteger),
    Column("repo", String(300), nullable=False),
    Column("head_sha", String(64)),
    Column("supersedes", Boolean, nullable=False),
    Column("state", String(12), nullable=False),  # queued, running, planned, done, ignored, superseded, dead
    Column("superseded", Boolean, nullable=False),  # a live run that is no longer wanted
    Column("attempts", Integer, nullable=False),
    Column("crashes", Integer, nullable=False),
    Column("revivals", Integer, nullable=False),
    Column("owner", String(200), nullable=False),
    Column("lease_until", Double, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("not_before", Double, nullable=False),
    Column("arrived_at", Double, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("error", Text, nullable=False),
    Column("host", String(200), nullable=False),
    Column("model", String(200), nullable=False),
    Column("tokens_in", BigInteger, nullable=False),
    Column("tokens_out", BigInteger, nullable=False),
    Column("summary", Text, nullable=False),
    Column("tokens_cached", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("delivery", "handler"),
    Index(None, "state", "not_before"),
    Index(None, "target", "created_at"),
    Index(None, "created_at"),
)

leases = Table(
    "leases",
    metadata,
    Column("target", String(200), primary_key=True),
    Column("fence", BigInteger, nullable=False),  # grows with each holder, never falls
    Column("run_id", BigInteger),
    Column("lease_until", Double, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", IdColumn, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("run_id", IdColumn, ForeignKey("runs.id"), nullable=False),
    Column("target", TargetColumn, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("kind", String(50), nullable=False),
    Column("payload", Text, nullable=False),  # JSON
    Column(
        "state", String(12), nullable=False
    ),  # planned, sending, done, rejected, ambiguous, waiting, shadow, purged
    Column("attempts", Integer, nullable=False),
    Column("not_before", Double, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("url", Text, nullable=False),
    Column("github_id", BigInteger),
    Column("error", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
    Index(None, "run_id", "ordinal"),
    Index(None, "target", "created_at"),
    Index(None, "kind", "target"),
)

usage = Table(
    "usage",
    metadata,
    Column("id", IdColumn, primary_key=True),
    Column("at", Double, nullable=False),
    Column("purpose", String(100), nullable=False),
    Column("host", String(200), nullable=False),
    Column("model", String(200), nullable=False),
    Column("tokens_in", BigInteger, nullable=False),
    Column("tokens_out", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("repo", String(300), nullable=False),
    Column("run_id", BigInteger),
    Column("cost_usd", Double, nullable=False),
    Column("tokens_cached", BigInteger, nullable=False, server_default="0"),
    Index(None, "at"),
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

settings = Table(
    "settings",
    metadata,
    Column("scope", String(8), primary_key=True),  # user, org, repo
    Column("name", String(200), primary_key=True),  # lower case: GitHub does not tell names apart by case
    Column("key", String(100), primary_key=True),
    Column("value", Text, nullable=False),  # JSON
    Column("changed_at", Double, nullable=False),
)

calls = Table(
    "calls",
    metadata,
    Column("id", IdColumn, primary_key=True),
    Column("at", Double, nullable=False),
    Column("run_id", BigInteger),
    Column("repo", String(300), nullable=False),
    Column("prompt", String(100), nullable=False),
    Column("role", String(20), nullable=False),
    Column("host", String(200), nullable=False),
    Column("model", String(200), nullable=False),
    Column("tokens_in", BigInteger, nullable=False),
    Column("tokens_out", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("first_token_seconds", Double, nullable=False),
    Column("failure", String(300), nullable=False),
    Column("left_out", Text, nullable=False),  # JSON
    Column("cost_usd", Double, nullable=False),
    Column("cached", Boolean, nullable=False),
    Column("texts", LargeBinary),  # zlib of JSON; NULL: not kept
    Column("tokens_cached", BigInteger, nullable=False, server_default="0"),
    Index(None, "run_id"),
    Index(None, "at"),
)

call_totals = Table(  # sums over all calls ever: they stay when old calls go, for counters must not fall
    "call_totals",
    metadata,
    Column("role", String(20), primary_key=True),
    Column("host", String(200), primary_key=True),
    Column("model", String(200), primary_key=True),
    Column("outcome", String(12), primary_key=True),  # answer, cached, failure
    Column("calls", BigInteger, nullable=False),
    Column("tokens_in", BigInteger, nullable=False),
    Column("tokens_out", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("first_token_seconds", Double, nullable=False),
    Column("cost_usd", Double, nullable=False),
    Column("tokens_cached", BigInteger, nullable=False, server_default="0"),
)

memory = Table(
    "memory",
    metadata,
    Column("repo_id", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(12), nullable=False),  # dismissal, convention, candidate, declined, retired
    Column("text", Text, nullable=False),
    Column("author", String(100), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("fingerprint", String(24), nullable=False),
    Column("path", Text, nullable=False),
    Column("category", String(100), nullable=False),
    Column("title", Text, nullable=False),
    Column("source", String(40), nullable=False),
    Column("words", Text, nullable=False),  # with blanks between them
    Column("at", Double, nullable=False),
    Column("expires", Double),
    Column("evidence", Text),  # JSON, of what was learned
    Index(None, "repo_id", "fingerprint"),
)

memory_repos = Table(  # whose memory it is, and the last number that was given: none is given twice
    "memory_repos",
    metadata,
    Column("repo_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(300), nullable=False),  # lower case
    Column("last", Integer, nullable=False),
)

pulls = Table(  # what people said about Hob's part in a pull request; no row: active
    "pulls",
    metadata,
    Column("repo_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String(8), nullable=False),  # active, paused, ignored
    Column("changed_at", Double, nullable=False),
)

repositories = Table(  # that deliveries came from and the App may still read, as far as is known
    "repositories",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(300), nullable=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("private", Boolean),  # NULL: nobody has told since it was heard of
    Column("told_at", Double),  # when GitHub told name and installation
)

schedule = Table(
    "schedule",
    metadata,
    Column("handler", String(100), primary_key=True),
    Column("repo_id", BigInteger, primary_key=True, autoincrement=False),  # 0: the whole of Hob
    Column("due", Double, nullable=False),
)

drafts = Table(  # comments that were not posted; settled ones without their text
    "drafts",
    metadata,
    Column("repo_id", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("about", String(40), nullable=False),
    Column("body", Text, nullable=False),
    Column("repo", Text, nullable=False),  # JSON
    Column("at", Double, nullable=False),
    Column("state", String(8), nullable=False),  # waiting, dropped, replaced
    Column("refusals", Integer, nullable=False),
    Index(None, "state", "at"),
)

scans = Table(  # files that were read though no pull request touches them
    "scans",
    metadata,
    Column("repo_id", BigInteger, primary_key=True, autoincrement=False),
    Column("path", Text, primary_key=True),
    Column("blob", String(64), nullable=False),
    Column("night", String(10), nullable=False),  # 2026-03-04
    Column("calls", Integer, nullable=False),
    Column("findings", Text, nullable=False),  # JSON
    Column("at", Double, nullable=False),
)

findings = Table(  # what a review judged, said or not; of what stands from an earlier review only the first
    "findings",
    metadata,
    Column("id", IdColumn, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("n", Integer, nullable=False),
    Column("repo_id", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("head_sha", String(64), nullable=False),
    Column("fingerprint", String(24), nullable=False),
    Column("path", Text, nullable=False),
    Column("line", Integer),
    Column("severity", String(8), nullable=False),
    Column("category", String(100), nullable=False),
    Column("source", String(40), nullable=False),  # model, or a check's name
    Column("model", String(200), nullable=False),
    Column("title", Text, nullable=False),
    Column("state", String(12), nullable=False),  # said, held back, refused
    Column("why", String(100), nullable=False),
    Column("outcome", String(12), nullable=False),  # empty, fixed, dismissed
    Column("liked", Integer, nullable=False),
    Column("disliked", Integer, nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("run_id", "n"),
    Index(None, "at"),
    Index(None, "state", "at"),
    Index(None, "repo_id", "number"),
)

issues = Table(  # and pull requests, as the last delivery about them told
    "issues",
    metadata,
    Column("repo_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("is_pull", Boolean, nullable=False),
    Column("title", String(300), nullable=False),
    Column("author", String(100), nullable=False),
    Column("state", String(8), nullable=False),  # open, closed, merged
    Column("changed_at", Double, nullable=False),
    Index(None, "changed_at"),
)

run_logs = Table(  # what was logged in a run's attempts, the last lines
    "run_logs",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("lines", LargeBinary, nullable=False),  # zlib of JSON
    Index(None, "at"),
)
