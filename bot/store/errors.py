"""What can go wrong with the database."""

from bot.core.errors import TemporaryError, UserError


class StoreUnavailable(TemporaryError):
    """The database is full, locked or out of reach. Nothing of what was asked has been stored; asking
    again may work."""


def newer_schema(revision: str) -> UserError:
    return UserError(
        f"the database was made by a newer Hob (its schema is {revision[:40]})",
        "install that version again, or restore a backup of this one's",
    )
