"""The end of a job's log. GitHub leads to where it lies, mostly a store on another host: no token goes there,
and nothing is asked but GitHub's own hosts. What comes from there is bounded in bytes, also unpacked, and in
time.

https://docs.github.com/en/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run
"""

import re

from bot.github.api import Api
from bot.github.wire import LostError, NotSentError, TooLargeError, Wire, origin

KEPT = 256 * 1024
"""Bytes of the end that are read."""
MOST = 128 * 1024 * 1024
"""Bytes that are passed over where the store can't begin later."""
SECONDS = 60.0
_STORES = re.compile(
    r"(?:[a-z0-9-]{1,60}\.){0,3}actions\.githubusercontent\.com|productionresultssa\d{1,4}\.blob\.core\.windows\.net"
)
"""Of github.com. https://docs.github.com/en/actions/reference/runners/self-hosted-runners"""


class LogUnread(Exception):
    """Why there is no log, as a clause for people."""


async def tail(api: Api, job: int) -> bytes:
    """Raises what `Api` raises while GitHub is asked for the place, and `LogUnread`."""
    address = await api.leads_to("/repos/{owner}/{repo}/actions/jobs/{id}/logs", {"id": job})
    if not may_lead_to(address, api.url, api.site):
        raise LogUnread("it lies on a host that is none of GitHub's own")
    wire = Wire(None, SECONDS, KEPT, api.network)
    try:
        status, raw = await wire.tail(address, {"user-agent": "hob"}, MOST)
    except TooLargeError:
        raise LogUnread(f"it has more than {MOST >> 20} MB") from None
    except (NotSentError, LostError):
        raise LogUnread("its store did not give it in time") from None
    finally:
        await wire.aclose()
    if status in (404, 410):
        raise LogUnread("GitHub does not have it any more")
    if status not in (200, 206):
        raise LogUnread(f"its store refused it ({status})")
    return raw


def may_lead_to(address: str, api_url: str, site: str) -> bool:
    """Whether a log may lie there: over TLS on the API's own host or one below the site's, or in a store of
    github.com; without TLS at the API's own address alone."""
    scheme, host, _ = origin(address)
    if origin(address) == origin(api_url):
        return True
    own = origin(site)[1]
    if scheme != "https" or not host or "@" in address.split("/", 3)[2]:
        return False
    if own == "github.com":
        return bool(_STORES.fullmatch(host))
    return host == own or host.endswith(f".{own}")
