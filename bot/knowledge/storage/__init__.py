"""An index in a SQLite file, through apsw."""

from bot.knowledge.storage.index_store import IndexStore, remove

__all__ = ["IndexStore", "remove"]
