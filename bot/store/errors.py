"""What can go wrong with the database."""

from bot.core.errors import TemporaryError


class StoreUnavailable(TemporaryError):
    """The database is full, locked or out of reach. Nothing of what was asked has been stored; asking
    again may work."""
