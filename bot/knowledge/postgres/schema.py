"""The tables of all repositories' indexes in PostgreSQL, in a schema of their own.

Text compares byte by byte, as in SQLite. Where something is looked up by a name of any length, the key is the
name's hash (`key`): what a B-tree holds is 2,700 bytes at most. `total`, `segment`, `posting` and `gone`:
bot.knowledge.postgres.words.
"""

import hashlib

from bot.knowledge.shelf import SCHEMA

NAME = "knowledge"
_TABLES = """
state (key text, value text NOT NULL, PRIMARY KEY (repo, key))
path (id int, key bytea NOT NULL, path text NOT NULL, name bytea NOT NULL, PRIMARY KEY (repo, id),
  UNIQUE (repo, key))
file (path int, sha bytea NOT NULL, why text NOT NULL, PRIMARY KEY (repo, path))
blob (id int, sha bytea NOT NULL, language text NOT NULL, lines int NOT NULL, words int NOT NULL,
  PRIMARY KEY (repo, id), UNIQUE (repo, sha))
chunk (id int, blob int NOT NULL, kind text NOT NULL, symbol text NOT NULL, start int NOT NULL,
  "end" int NOT NULL, signature text NOT NULL, words int NOT NULL, PRIMARY KEY (repo, id))
symbol (name bytea, chunk int, PRIMARY KEY (repo, name, chunk))
reference (word bytea, blob int, name text NOT NULL, lines text NOT NULL, PRIMARY KEY (repo, word, blob))
import (blob int NOT NULL, target text NOT NULL, line int NOT NULL)
commit (id int, sha bytea NOT NULL, name text NOT NULL, email text NOT NULL, at bigint NOT NULL,
  subject text NOT NULL, body text NOT NULL, words int NOT NULL, PRIMARY KEY (repo, id), UNIQUE (repo, sha))
touched (commit int, path int, PRIMARY KEY (repo, commit, path))
issue (id int, number int NOT NULL, kind text NOT NULL, state text NOT NULL, title text NOT NULL,
  body text NOT NULL, author text NOT NULL, labels text NOT NULL, created bigint NOT NULL,
  updated bigint NOT NULL, closed bigint NOT NULL, words int NOT NULL, PRIMARY KEY (repo, id),
  UNIQUE (repo, number))
edge (origin text NOT NULL, kind text NOT NULL, source_kind text NOT NULL, source text NOT NULL,
  target_kind text NOT NULL, target text NOT NULL, weight float8 NOT NULL)
total (of text, docs int NOT NULL DEFAULT 0, words bigint NOT NULL DEFAULT 0, next int NOT NULL DEFAULT 1,
  segment int NOT NULL DEFAULT 0, PRIMARY KEY (repo, of))
segment (of text, number int, level int NOT NULL, PRIMARY KEY (repo, of, number))
posting (of text, term text, segment int, docs bytea NOT NULL, PRIMARY KEY (repo, of, segment, term))
gone (of text, doc int, PRIMARY KEY (repo, of, doc))
"""
_INDEXES = (
    "path (repo, name)",
    "file (repo, sha)",
    "chunk (repo, blob)",
    "symbol (repo, chunk)",
    "reference (repo, blob)",
    "import (repo, blob)",
    "commit (repo, at)",
    "touched (repo, path)",
    "edge (repo, md5(origin))",
    "edge (repo, md5(source))",
    "edge (repo, md5(target))",
)
_LINES = _TABLES.replace("\n  ", " ").strip().splitlines()
TABLES = tuple(line.partition(" ")[0] for line in _LINES)
"""Those that have rows by repository; `vector` is there only where pgvector is."""


def create(first: int) -> str:
    """The statements that lay everything but `vector` in an empty schema. `first` is the number of its first
    repository, a random one: one that tables before these had would show an index that is still open the
    rows of another."""
    made = [
        f"CREATE TABLE {NAME}.{line.replace('(', '(repo int NOT NULL, ', 1)}".replace(
            " text", ' text COLLATE "C"'
        )
        for line in _LINES
    ]
    return ";\n".join(
        [
            f"CREATE TABLE {NAME}.version (number int NOT NULL)",
            f"INSERT INTO {NAME}.version VALUES ({SCHEMA})",
            f"CREATE TABLE {NAME}.repository "
            f"(id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY (START WITH {first}), "
            'name text COLLATE "C" NOT NULL UNIQUE)',
            *made,
            *(f"CREATE INDEX ON {NAME}.{index}" for index in _INDEXES),
        ]
    )


def create_vectors(kind: str) -> str:
    """`kind` is pgvector's `halfvec` with the schema that it is in."""
    return (
        f"CREATE TABLE IF NOT EXISTS {NAME}.vector (repo int NOT NULL, of text, model text, id int, "
        f"vector {kind} NOT NULL, PRIMARY KEY (repo, of, model, id))"
    )


def key(name: str) -> bytes:
    """Of a name in a B-tree."""
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
