"""The mark by which Hob knows its own work again: `<!-- hob:v1 key mac -->`, invisible on the page.

The mac shows that this server wrote the key; that our App posted it is asked of GitHub. Both must hold:
anybody can copy a mark into a comment.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.core.text import fit_body, utf8_size

MOST_BYTES = 65_535
"""GitHub takes 65,536 characters in a body and 65,535 in a check run's texts; bytes are safe for both."""
CUT = "\n\n*(cut here: GitHub takes no more)*"
_MARK = re.compile(r"<!-- hob:v1 ([0-9a-f]{8,128}) ([0-9a-f]{32}) -->\s*\Z")

_TRAILER = re.compile(r"^Hob-Mark: ([0-9a-f]{8,128}) ([0-9a-f]{32})\s*\Z", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class IdempotencyMarker:
    """Makes and recognises marks. `keys`: the one that they are made with, then all that were or
    will be; without it, there is `server_key` alone."""

    server_key: bytes = field(repr=False)
    app_slug: str
    app_id: int
    keys: Callable[[], tuple[bytes, ...]] | None = field(default=None, repr=False)

    def mark(self, key: str) -> str:
        return f"<!-- hob:v1 {key} {self._macs(key)[0]} -->"

    def signed(self, body: str, key: str) -> str:
        """`body`, cut where it is too long, ending in the mark."""
        mark = "\n\n" + self.mark(key)
        return fit(body, MOST_BYTES - len(mark)) + mark

    def made(self, item: Any, key: str) -> bool:
        """Whether `item`, a comment or review as GitHub gives it, is our App's and bears the mark."""
        return isinstance(item, dict) and self.ours(item) and self.marked(item.get("body"), key)

    def marked(self, body: Any, key: str) -> bool:
        found = _MARK.search(body[-300:]) if isinstance(body, str) else None
        if found is None or found[1] != key:
            return False
        return self._ours(found[2], key)

    def trailer(self, key: str) -> str:
        """The mark as the last line of a commit's message."""
        return f"Hob-Mark: {key} {self._macs(key)[0]}"

    def trailed(self, message: Any, key: str = "") -> bool:
        """Whether a commit's message ends in a mark of this server, of that key where one is given. A commit
        has no App as its author: whoever copies the whole message has copied what Hob said, and no more."""
        found = _TRAILER.search(message[-300:]) if isinstance(message, str) else None
        if found is None or (key and found[1] != key):
            return False
        return self._ours(found[2], found[1])

    def ours(self, item: dict[str, Any]) -> bool:
        """Whether our App is its author."""
        app = item.get("performed_via_github_app")
        if isinstance(app, dict):
            return app.get("id") == self.app_id
        user = item.get("user")
        return isinstance(user, dict) and user.get("login") == f"{self.app_slug}[bot]"

    def _ours(self, mac: str, key: str) -> bool:
        return any(hmac.compare_digest(mac.encode(), one.encode()) for one in self._macs(key))

    def _macs(self, key: str) -> list[str]:
        """128 bits of HMAC-SHA256, in hexadecimal; one for each key of ours."""
        keys = self.keys() if self.keys else (self.server_key,)
        return [hmac.new(one, key.encode(), hashlib.sha256).hexdigest()[:32] for one in keys]


def page(body: str, folded: str = "", summary: str = "More") -> str:
    """A comment with what a reader unfolds below it. Both are harmless by now: raw HTML is only ours."""
    if not folded:
        return body
    return f"{body}\n\n<details>\n<summary>{summary}</summary>\n\n{folded}\n\n</details>"


def fit(text: str, most: int = MOST_BYTES) -> str:
    """`text` in at most `most` bytes of UTF-8; a cut is said, and what it left open is closed."""
    text = text.encode(errors="replace").decode()
    return text if utf8_size(text) <= most else fit_body(text, most, CUT)
