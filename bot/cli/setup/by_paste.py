"""`hob setup --print`: for a machine without a browser. A page in a file is opened elsewhere, and the
address at which GitHub's page ends is brought back by hand."""

import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from bot.config.write import write_new
from bot.core.errors import UserError
from bot.github.registration import AppRequest, form_address, form_manifest
from bot.web.pages.html import rendered
from bot.web.setup import BACK, STATE_SECONDS, SetupRequest

NOT_REACHED = f"http://127.0.0.1:8699{BACK}"
"""Where nothing listens: the browser keeps showing the address, with the code in it."""
PAGE, PENDING = "hob-setup.html", ".hob-setup.json"
HOW = """1. Open {page} in any browser (copy it to a machine that has one), and press its button.
2. Create the App on the page of GitHub's that follows. The browser then says that it cannot reach
   127.0.0.1: that is right.
3. Copy the address that it shows, and give it to: hob setup --paste 'ADDRESS'"""


@dataclass(frozen=True, slots=True)
class PendingPaste:
    """What was printed and not yet brought back. `until`: seconds since 1970."""

    state: str
    until: float
    request: SetupRequest


def write_page(folder: Path, request: SetupRequest) -> Path:
    """The page, and beside it what is waited for. Both replace those of an earlier time."""
    forget(folder)
    state = secrets.token_urlsafe(32)
    page = rendered(
        "setup_file.html",
        action=form_address(request.site, request.app, state),
        manifest=form_manifest(request.app, NOT_REACHED),
        app=request.app,
    )
    write_new(folder / PAGE, bytes(page.body).decode())
    app = request.app
    told = {
        "state": state,
        "until": time.time() + STATE_SECONDS,
        "api_url": request.api_url,
        "app": {
            "name": app.name,
            "organization": app.organization,
            "code": app.code,
            "public_url": app.public_url,
            "webhook_url": app.webhook_url,
        },
        "pull": request.pull,
    }
    write_new(folder / PENDING, json.dumps(told))
    return folder / PAGE


def pending(folder: Path) -> PendingPaste:
    """UserError where nothing is waited for."""
    try:
        told: dict[str, Any] = json.loads((folder / PENDING).read_text())
        request = SetupRequest(AppRequest(**told["app"]), told["api_url"], told["pull"])
        return PendingPaste(told["state"], float(told["until"]), request)
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            "no page of `hob setup --print` is waited for", "run `hob setup --print` first"
        ) from None


def code_and_state(pasted: str, waited: PendingPaste) -> tuple[str, str]:
    """From the whole address, however mail, chat or a terminal broke it; a code alone is taken for the one
    that is waited for, since nobody but the person at this terminal can have given it."""
    text = "".join(pasted[:4096].split()).strip("'\"<>")
    if "code=" not in text:
        return text, waited.state
    query = text.rpartition("?")[2].partition("#")[0]  # what stands before it may be no address any more
    fields = parse_qs(query.replace("&amp;", "&"))
    return fields.get("code", [""])[0], fields.get("state", [""])[0]


def forget(folder: Path) -> None:
    for name in (PAGE, PENDING):
        (folder / name).unlink(missing_ok=True)
