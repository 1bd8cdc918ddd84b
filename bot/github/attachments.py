"""Pictures of an issue, from GitHub's own places for attachments and from nowhere else. No token goes there:
what only members may see has signed addresses in GitHub's rendering of the text.

https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/attaching-files
"""

import logging
from collections.abc import Sequence

from bot.core.network import DIRECT, Network
from bot.core.pictures import MOST_BYTES, MOST_PICTURES, Picture, may_lead_to, picture, shown_in
from bot.github.api import Api
from bot.github.wire import LostError, NotSentError, Wire
from bot.http import URL, InvalidURL

RENDERED = "application/vnd.github.full+json"
SECONDS = 20.0
MOST_HOPS = 3
log = logging.getLogger(__name__)


async def signed(api: Api, number: int) -> tuple[str, ...]:
    """The addresses at which attachments of an issue's text can be had for some minutes.

    https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#media-types
    """
    path = "/repos/{owner}/{repo}/issues/{number}"
    found = await api.get(path, {"number": number}, accept=RENDERED)
    html = found.get("body_html") if isinstance(found, dict) else None
    return shown_in(html, api.site) if isinstance(html, str) else ()


async def pictures(addresses: Sequence[str], site: str, network: Network = DIRECT) -> tuple[Picture, ...]:
    """Those that are pictures of a size that may be shown; never raises for one that is none."""
    wire = Wire(None, SECONDS, MOST_BYTES, network)
    try:
        found = [await _fetched(wire, address, site) for address in addresses[:MOST_PICTURES]]
    finally:
        await wire.aclose()
    return tuple(one for one in found if one is not None)


async def _fetched(wire: Wire, address: str, site: str) -> Picture | None:
    for _ in range(MOST_HOPS):
        if not may_lead_to(address, site):
            log.info("a picture was not fetched: it leads to where no attachment of GitHub's lies")
            return None
        try:
            answer = await wire.exchange("GET", address, {"accept": "image/*", "user-agent": "hob"}, b"")
        except (NotSentError, LostError) as error:
            log.info("a picture was not fetched: %s", error)
            return None
        if answer.status == 200:
            return picture(answer.body)
        if answer.status not in (301, 302, 303, 307, 308):
            return None
        try:
            address = str(URL(address).join(answer.headers.get("location", "")))
        except InvalidURL:
            return None
    return None
