"""The receiver's glance at a delivery: the fields by which it is stored and routed; the rest is never built.

Imports are light on purpose: this is on the path of every webhook.
"""

from typing import Any

from msgspec import DecodeError, Struct, ValidationError, convert
from msgspec.json import Decoder

from bot.core.errors import BadPayload
from bot.github.webhook_schema import GitHubId


class RoutedInstallation(Struct, gc=False):
    id: GitHubId


class RoutedRepository(Struct, gc=False):
    id: GitHubId
    full_name: str


class RoutedSender(Struct, gc=False):
    login: str
    type: str = "User"


class RoutedNumber(Struct, gc=False):
    number: GitHubId


class RoutingFields(Struct, gc=False):
    """Fields that a delivery may have; None where absent (or of another type, in events not known yet)."""

    action: str | None = None
    installation: RoutedInstallation | None = None
    repository: RoutedRepository | None = None
    sender: RoutedSender | None = None
    issue: RoutedNumber | None = None
    pull_request: RoutedNumber | None = None
    number: GitHubId | None = None

    @property
    def target(self) -> int | None:
        """The number of the issue or pull request that this is about."""
        about = self.issue or self.pull_request
        return about.number if about else self.number


_FIELDS: dict[str, Any] = {
    "action": str,
    "installation": RoutedInstallation,
    "repository": RoutedRepository,
    "sender": RoutedSender,
    "issue": RoutedNumber,
    "pull_request": RoutedNumber,
    "number": GitHubId,
}
_decode = Decoder(RoutingFields).decode
_decode_any = Decoder(dict[str, Any]).decode


def routing(body: bytes) -> RoutingFields:
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


def _lenient(body: bytes) -> RoutingFields:
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
    return RoutingFields(**usable)
