"""The indexes of all repositories in one PostgreSQL."""

from bot.knowledge.postgres.shelf import PostgresShelf, names, remove
from bot.knowledge.shelf import Shelf


class PostgresShelves:
    """`Shelves` (bot.knowledge.shelves) of a `[store] database_url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def has(self, repo_id: int) -> bool:
        return str(repo_id) in names(self.url)

    def open(self, repo_id: int) -> Shelf:
        return PostgresShelf.open(self.url, str(repo_id))

    def remove(self, repo_id: int) -> None:
        remove(self.url, str(repo_id))
