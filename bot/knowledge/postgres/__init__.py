"""Indexes in PostgreSQL, through psycopg."""

from bot.knowledge.postgres.shelf import PostgresShelf, names, pgvector, remove

__all__ = ["PostgresShelf", "names", "pgvector", "remove"]
