"""The deliveries of the App's webhook, which GitHub keeps for about three days: listed, read, sent again.

https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook
"""

import json
import re
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import parse_qs, urlsplit

from bot.core.errors import GitHubError, Gone
from bot.github.api import Api
from bot.github.conversations import seconds
from bot.github.payloads import clean

WINDOW_SECONDS = 3 * 86_400.0
"""How long GitHub keeps a delivery, about."""
PER_PAGE = 100
_MOST_ID = 2**63 - 1
_GUID = re.compile(r"[!-9;-~]{1,64}")
"""As the receiver takes it: printable, and no name of Hob's own, which has a colon."""
_EVENT = re.compile(r"(?!hob-)[!-~]{1,64}")
_MOST_CURSOR = 500


@dataclass(frozen=True, slots=True)
class HookDelivery:
    """One attempt at a delivery; `delivered_at` in epoch seconds by GitHub's clock. A redelivery has its own
    `id` and the `guid` of the first attempt."""

    id: int
    guid: str
    event: str
    action: str
    status_code: int
    """What Hob answered; 0: not sent."""
    delivered_at: float
    installation_id: int | None
    repository_id: int | None
    redelivery: bool

    @property
    def ok(self) -> bool:
        return 200 <= self.status_code < 300


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Newest first. `following`: the cursor of the next, older page; empty at the end. `left`: the share of
    the App's rate limit that is left, 1.0 where GitHub does not say. `at`: when it was told, in epoch seconds
    by GitHub's clock."""

    deliveries: tuple[HookDelivery, ...]
    following: str
    left: float
    at: float


class HookDeliveries:
    """`HookDeliveries(github.app())`. Each method is one call, paced and retried as all reads are; they raise
    `RateLimited`, `TemporaryError`, `Gone`, `GitHubError`."""

    def __init__(self, app: Api) -> None:
        self._app = app

    async def page(self, cursor: str = "", *, per_page: int = PER_PAGE) -> DeliveryPage:
        """The newest deliveries, or those from `cursor` on. What has no id, GUID, event or time that can be
        read is left out. An answer that has not changed since the last one costs none of the limit."""
        asked: dict[str, str | int] = {"per_page": per_page, **({"cursor": cursor} if cursor else {})}
        found = await self._app.get_page("/app/hook/deliveries", asked)
        if not isinstance(found.data, list):
            raise GitHubError(200, "a list of deliveries was expected")
        read = (_delivery(one) for one in found.data[:per_page])
        following = _cursor(found.following)
        return DeliveryPage(
            tuple(one for one in read if one),
            following if following != cursor else "",
            found.left,
            found.at,
        )

    async def payload(self, delivery_id: int) -> bytes:
        """The body of a delivery: equal to what was sent, but perhaps not byte for byte. `Gone` where GitHub
        has it no more, or never had it whole."""
        found = await self._app.get("/app/hook/deliveries/{id}", {"id": delivery_id})
        request = found.get("request") if isinstance(found, dict) else None
        payload = request.get("payload") if isinstance(request, dict) else None
        if isinstance(payload, str):  # as it was sent, where GitHub did not take it apart
            return payload.encode("utf-8", "surrogatepass")
        if not isinstance(payload, dict):
            raise Gone(200, "GitHub has the delivery without its payload")
        return _encoded(payload)

    async def redeliver(self, delivery_id: int) -> None:
        """GitHub sends it again soon, with the same GUID. To ask twice does no harm: Hob knows the GUID.
        https://docs.github.com/en/rest/apps/webhooks#redeliver-a-delivery-for-an-app-webhook"""
        path = "/app/hook/deliveries/{id}/attempts"
        await self._app.post(path, None, {"id": delivery_id}, idempotent=True)


def _delivery(told: Any) -> HookDelivery | None:
    if not isinstance(told, dict):
        return None
    number, guid, event = told.get("id"), told.get("guid"), told.get("event")
    at = seconds(told.get("delivered_at"))
    if not _is_id(number) or at <= 0:
        return None
    if not isinstance(guid, str) or not _GUID.fullmatch(guid):
        return None
    if not isinstance(event, str) or not _EVENT.fullmatch(event):
        return None
    code, action = told.get("status_code"), told.get("action")
    return HookDelivery(
        id=number,
        guid=guid,
        event=event,
        action=clean(action)[:100] if isinstance(action, str) else "",
        status_code=code if _is_id(code) else 0,
        delivered_at=at,
        installation_id=_id_or_none(told.get("installation_id")),
        repository_id=_id_or_none(told.get("repository_id")),
        redelivery=told.get("redelivery") is True,
    )


def _is_id(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= _MOST_ID


def _id_or_none(value: Any) -> int | None:
    return value if _is_id(value) else None


def _cursor(url: str | None) -> str:
    """Of the address of a next page; only this goes on from it, whatever else stands in the address."""
    try:
        found = parse_qs(urlsplit(url or "").query, max_num_fields=20).get("cursor", [""])[0]
    except ValueError:
        return ""
    return found if len(found) <= _MOST_CURSOR and found.isascii() and found.isprintable() else ""


def _encoded(payload: dict[str, Any]) -> bytes:
    try:
        return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a character, which only an escape can say
        return json.dumps(payload, separators=(",", ":")).encode()
