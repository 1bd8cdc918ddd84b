"""An index in a SQLite file, through apsw."""

from bot.knowledge.sqlite.shelf import SQLiteShelf, remove

__all__ = ["SQLiteShelf", "remove"]
