"""An index in a SQLite file, through apsw."""

from bot.knowledge.sqlite.shelf import Shelf, remove

__all__ = ["Shelf", "remove"]
