"""Indexes in PostgreSQL, through psycopg."""

from bot.knowledge.postgres.shelf import Pgvector, PostgresShelf, names, pgvector, remove

__all__ = ["Pgvector", "PostgresShelf", "names", "pgvector", "remove"]
