"""The tables of an index in SQLite. Shas are kept as bytes, times as seconds since 1970.

The full-text tables keep counts, not texts (`content=''`); their rows go by the ids of the tables beside
them. https://www.sqlite.org/fts5.html

What was read for the tip (`blob.tip`) and what was read for another commit, as the head of a pull request,
have full-text tables of their own: how rare a word is, and which hits are first, the tip alone decides. Ids
of blobs and passages are never given twice (`state` keeps the last of those that are gone): a vector or a hit
of one that is gone is never another's.
"""

_TABLES = """
CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE path (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE INDEX path_name ON path (name);
CREATE TABLE file (path INTEGER PRIMARY KEY, sha BLOB NOT NULL, why TEXT NOT NULL);
CREATE INDEX file_sha ON file (sha);

CREATE TABLE blob (
  id INTEGER PRIMARY KEY AUTOINCREMENT, sha BLOB NOT NULL UNIQUE, language TEXT NOT NULL,
  lines INTEGER NOT NULL, tip INTEGER NOT NULL
);
CREATE TABLE chunk (
  id INTEGER PRIMARY KEY, blob INTEGER NOT NULL, kind TEXT NOT NULL, symbol TEXT NOT NULL,
  start INTEGER NOT NULL, "end" INTEGER NOT NULL, signature TEXT NOT NULL, name TEXT
);
CREATE INDEX chunk_blob ON chunk (blob);
CREATE INDEX chunk_name ON chunk (name) WHERE name IS NOT NULL;
CREATE TABLE word (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
CREATE TABLE reference (
  word INTEGER NOT NULL, blob INTEGER NOT NULL, lines TEXT NOT NULL, PRIMARY KEY (word, blob)
) WITHOUT ROWID;
CREATE INDEX reference_blob ON reference (blob);
CREATE TABLE import (
  blob INTEGER NOT NULL, target TEXT NOT NULL, line INTEGER NOT NULL, PRIMARY KEY (blob, target, line)
) WITHOUT ROWID;

CREATE TABLE person (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, UNIQUE (name, email)
);
CREATE TABLE "commit" (
  id INTEGER PRIMARY KEY, sha BLOB NOT NULL UNIQUE, person INTEGER NOT NULL, at INTEGER NOT NULL,
  subject TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX commit_at ON "commit" (at);
CREATE TABLE touched (
  "commit" INTEGER NOT NULL, path INTEGER NOT NULL, PRIMARY KEY ("commit", path)
) WITHOUT ROWID;
CREATE INDEX touched_path ON touched (path);

CREATE TABLE issue (
  number INTEGER PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, title TEXT NOT NULL,
  body TEXT NOT NULL, author TEXT NOT NULL, labels TEXT NOT NULL, created INTEGER NOT NULL,
  updated INTEGER NOT NULL, closed INTEGER NOT NULL
);
CREATE TABLE edge (
  origin TEXT NOT NULL, kind TEXT NOT NULL, source_kind TEXT NOT NULL, source TEXT NOT NULL,
  target_kind TEXT NOT NULL, target TEXT NOT NULL, weight REAL NOT NULL,
  PRIMARY KEY (origin, kind, source_kind, source, target_kind, target)
) WITHOUT ROWID;
CREATE INDEX edge_source ON edge (source_kind, source, kind);
CREATE INDEX edge_target ON edge (target_kind, target, kind);

CREATE TABLE vector (
  of TEXT NOT NULL, model TEXT NOT NULL, id INTEGER NOT NULL, vector BLOB NOT NULL,
  PRIMARY KEY (of, model, id)
) WITHOUT ROWID;
"""

WORDS = ("chunk", "file", "path", "commit", "issue", "other_chunk", "other_file")


def _full_text(table: str) -> str:
    """Tokens come ready from `indexed()`: nothing is left to split or fold."""
    return (
        f"CREATE VIRTUAL TABLE {table}_words USING fts5(tokens, content='', contentless_delete=1, "
        "tokenize=\"ascii tokenchars '_'\");"
        f"CREATE VIRTUAL TABLE {table}_terms USING fts5vocab({table}_words, 'row');"
    )


TABLES = _TABLES + "".join(_full_text(table) for table in WORDS)
UPGRADES = {
    1: "ALTER TABLE blob ADD COLUMN tip INTEGER NOT NULL DEFAULT 1;"
    + _full_text("other_chunk")
    + _full_text("other_file")
}
"""From an index of that number to one of the next. What it was given for other commits counts as the tip's
until the next push drops it."""
