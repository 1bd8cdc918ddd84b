"""The receiver's glance at a delivery: the fields by which it is stored and routed; the rest is never built.

Imports are light on purpose: this is on the path of every webhook.
"""

from typing import Any

from msgspec import DecodeError, Struct, ValidationError, convert
from msgspec.json import Decoder

from bot.core.errors import BadPayload
from bot.github.shapes import Id


class Installation(Struct, gc=False):
    id: Id


class Repository(Struct, gc=False):
    id: Id
    full_name: str


class Sender(Struct, gc=False):
    login: str
    type: str = "User"


class Numbered(Struct, gc=False):
    number: Id


class Routing(Struct, gc=False):
    """Fields that a delivery may have; None where absent (or of another type, in events not known yet)."""

    action: str | None = None
    installation: Installation | None = None
    repository: Repository | None = None
    sender: Sender | None = None
    issue: Numbered | None = None
    pull_request: Numbered | None = None
    number: Id | None = None

    @property
    def target(self) -> int | None:
        """The number of the issue or pull request that this is about."""
        about = self.issue or self.pull_request
        return about.number if about else self.number


_FIELDS: dict[str, Any] = {
    "action": str,
    "installation": Installation,
    "repository": Repository,
    "sender": Sender,
    "issue": Numbered,
    "pull_request": Numbered,
    "number": Id,
}
_decode = Decoder(Routing).decode
_decode_any = Decoder(dict[str, Any]).decode


def routing(body: bytes) -> Routing:
    """The routing fields of a JSON object. `BadPayload` for everything that is not one, however deep or odd.

    A field of an unexpected type is no error here: an event that GitHub invents
    tomorrow is stored and ignored.
    """
    try:
        return _decode(body)
    except ValidationError:
        return _lenient(body)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadPayload(f"the body is not JSON that can be read: {error}") from None


def _lenient(body: bytes) -> Routing:
    """What of the fields can be used."""
    try:
        found = _decode_any(body)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadPayload(f"the body is not a JSON object that can be read: {error}") from None
    usable: dict[str, Any] = {}
    for name, kind in _FIELDS.items():
        try:
            usable[name] = convert(found.get(name), kind)
        except ValidationError:
            continue
    return Routing(**usable)
