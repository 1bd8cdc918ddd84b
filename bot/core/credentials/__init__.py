"""Credentials in texts: what is one, how sure that is, and a text without them.

`found` is for a remark to a person and says nothing of samples, names and addresses; `without` is for a text
that leaves the network and rather hides too much.
"""

from bot.core.credentials.found import Credential, FileRole, found, place_of
from bot.core.credentials.hiding import Hidden, without

__all__ = ["Credential", "FileRole", "Hidden", "found", "place_of", "without"]
