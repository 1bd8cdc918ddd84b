"""Credentials that are known by the shape that their issuers gave them. A hit is certain unless it is one of
the values that manuals print."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import re2

from bot.core.credentials import words
from bot.core.settings import Severity

PRIVATE_KEY = "private key"
URL = "password in a URL"

SHAPES: tuple[tuple[str, str], ...] = (
    ("AWS access key", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    (
        "GitHub token",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|ghs_[0-9]+_[A-Za-z0-9_.-]{100,}|github_pat_[A-Za-z0-9_]{60,})",
    ),
    ("GitLab token", r"\bgl(?:pat|rt|dt|ptt|cbt|soat)-[A-Za-z0-9_-]{20,64}\b"),
    ("Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{20,}\b"),
    ("Slack token", r"\bxapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{10,14}-[a-f0-9]{40,80}\b"),
    ("Slack webhook", r"hooks\.slack\.com/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,32}"),
    ("Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{20,}\b"),
    ("Stripe test key", r"\b[rs]k_test_[A-Za-z0-9]{20,}\b"),
    ("Stripe webhook secret", r"\bwhsec_[A-Za-z0-9+/=]{32,64}"),
    ("Google API key", r"\bAIza[A-Za-z0-9_-]{35}\b"),
    ("Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{40,}"),
    ("OpenAI key", r"\bsk-(?:proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{40,}"),
    ("OpenAI-style key", r"\bsk-[a-f0-9]{32}\b"),
    ("Hugging Face token", r"\bhf_[A-Za-z0-9]{30,64}\b"),
    ("Replicate token", r"\br8_[A-Za-z0-9]{37}\b"),
    ("Perplexity key", r"\bpplx-[A-Za-z0-9]{40,64}\b"),
    ("npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("PyPI token", r"\bpypi-AgEI[A-Za-z0-9_-]{50,}"),
    ("SendGrid key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"),
    ("Mailchimp key", r"\b[0-9a-f]{32}-us[0-9]{1,2}\b"),
    ("Groq key", r"\bgsk_[A-Za-z0-9]{52}\b"),
    ("xAI key", r"\bxai-[A-Za-z0-9]{80}\b"),
    ("Google OAuth secret", r"\bGOCSPX-[A-Za-z0-9_-]{28}\b"),
    ("Google OAuth token", r"\bya29\.[A-Za-z0-9_-]{60,}"),
    ("Azure storage key", r"\bAccountKey=[A-Za-z0-9+/]{86}=="),
    ("Azure client secret", r"\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}\b"),
    ("DigitalOcean token", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    ("Heroku key", r"\bHRKU-[A-Za-z0-9_-]{36,80}\b"),
    ("Fly.io token", r"\bfm2_[A-Za-z0-9+/=]{80,}"),
    ("Shopify token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b"),
    ("Telegram bot token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b"),
    ("Discord webhook", r"\bdiscord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,80}"),
    ("Discord bot token", r"\b[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}\b"),
    ("Databricks token", r"\bdapi[a-f0-9]{32}\b"),
    ("Docker Hub token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{27,32}\b"),
    ("HashiCorp Vault token", r"\bhvs\.[A-Za-z0-9_-]{90,}\b"),
    ("Terraform Cloud token", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,80}"),
    ("Pulumi token", r"\bpul-[a-f0-9]{40}\b"),
    ("Tailscale key", r"\btskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{8,40}-[A-Za-z0-9]{20,60}\b"),
    ("Linear key", r"\blin_api_[A-Za-z0-9]{40}\b"),
    ("Notion token", r"\bntn_[A-Za-z0-9]{43,50}\b"),
    ("Airtable token", r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{64}\b"),
    ("Postman key", r"\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}\b"),
    ("Figma token", r"\bfigd_[A-Za-z0-9_-]{40,60}\b"),
    ("Grafana token", r"\bglsa_[A-Za-z0-9]{32}_[a-f0-9]{8}\b"),
    ("Supabase token", r"\bsbp_[a-f0-9]{40}\b"),
    ("PlanetScale token", r"\bpscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,64}\b"),
    ("Square token", r"\b(?:sq0csp-[A-Za-z0-9_-]{43}|EAAA[A-Za-z0-9_-]{60})\b"),
    ("RubyGems key", r"\brubygems_[a-f0-9]{48}\b"),
    ("New Relic key", r"\bNRAK-[A-Z0-9]{27}\b"),
    ("Atlassian token", r"\bATATT3[A-Za-z0-9_=-]{180,}"),
    ("Sentry token", r"\bsntry[su]_[A-Za-z0-9_=+/-]{60,}"),
    ("age key", r"\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b"),
    ("JSON web token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
    (PRIVATE_KEY, r"-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----"),
    (
        URL,
        r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"]{0,64}:[^\s:/@'\"{}$<>]{6,}@(?:[A-Za-z0-9.-]{2,}|\[[0-9a-f:]+\])",
    ),
)
KEY_ID = "id of a key pair"
WIDE: tuple[tuple[str, str], ...] = (
    (KEY_ID, r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    (KEY_ID, r"LTAI[A-Za-z0-9]{12,24}"),
    (KEY_ID, r"AKID[A-Za-z0-9]{32}"),
    (KEY_ID, r"GOOG1E[A-Z0-9]{18,58}"),
    (KEY_ID, r"DO00[A-Z0-9]{16}"),
    (KEY_ID, r"(?:AC|SK)[0-9a-f]{32}"),
    (URL, r"(?i)[a-z][a-z0-9+.-]{1,20}://[^\s/'\"<>`]+@"),
)
"""Too little to tell a person of, enough to hide. Ids of Amazon, Alibaba, Tencent, Google, DigitalOcean and
Twilio say whose a key is and are half of what opens it; a URL's login is one at whatever host."""
SEVERITIES: dict[str, Severity] = {URL: "major", "JSON web token": "major", "Stripe test key": "minor"}
"""How sure a shape is, where it is not wholly: a token may be over, a URL a sample."""

_SAMPLE = re.compile(r"(?i)example|x{6}|\*{3}|placeholder|redacted|0123456789|1234567890|abcdefghij")
_PRINTED = (
    "4eC39HqLyjWDarjtT1zdp7dc",
    "BQokikJOvBiI2HlWgH4olfQ2",
    "eyJzdWIiOiIxMjM0NTY3ODkwI",
    "NDU2Nzg5MCIsIm5hbWUiOi",
)
"""Of values in Stripe's manual and of the token that jwt.io shows."""


@cache
def _compiled() -> tuple[tuple[str, Any], ...]:
    return tuple((kind, compiled(pattern)) for kind, pattern in SHAPES)


def compiled(pattern: str) -> Any:
    """By RE2: in linear time whatever the text."""
    return re2.compile(pattern, options())  # type: ignore[no-untyped-call]


@cache
def options() -> Any:
    made = re2.Options()
    made.max_mem = 64 * 1024 * 1024
    made.log_errors = False
    return made


def shaped(text: str) -> list[tuple[str, int, int]]:
    """(kind, start, end) of all that has a shape, samples too; `text` holds no lone surrogate."""
    return [(kind, *match.span()) for kind, pattern in _compiled() for match in pattern.finditer(text)]


def widely_shaped(text: str) -> Iterator[tuple[str, int, int]]:
    """The same of `WIDE`, as far as it is what its shape says; of a URL its login."""
    for kind, pattern in _compiled_wide():
        for match in pattern.finditer(text):
            start, end = match.span()
            if kind == URL:
                start, end = text.index("://", start) + 3, end - 1
                told = _is_wide_login(text[start:end], text[end + 1 : end + 8])
            else:
                told = _is_key_id(text, start, end)
            if told:
                yield kind, start, end


@cache
def _compiled_wide() -> tuple[tuple[str, Any], ...]:
    return tuple((kind, compiled(pattern)) for kind, pattern in WIDE)


def _is_key_id(text: str, start: int, end: int) -> bool:
    """Not a part of something longer, and no name in capitals: one in thousands has no digit."""
    beside = text[max(0, start - 1) : start] + text[end : end + 1]
    return not any(map(str.isalnum, beside)) and any(map(str.isdigit, text[start + 4 : end]))


_PUT_IN = re.compile(
    r"^\$\w|\$[({]|#\{|\{[^{}]*\}|%[sv(]|%d(?![0-9a-f])|^%\w+%$|^\*+$|^\.{3}$|^…$|^\[\w*\]$"
    r"|\[\^|\(\?|\.[*+]|\\[wWsSdD]"
)
"""What a script or a person puts something in for, and a pattern that looks for passwords."""
_SAMPLE_LOGIN = re.compile(
    r"(?i)^\[?(?:(?:user|username|usr|login|name|org):\W?(?:password|pass|passwd|pwd|repo)|scott:tiger)\W?$"
)
"""What stands in manuals: nobody's."""
_PORT = re.compile(r"^\d{1,5}[?#,;)|\]]")


def is_address(login: str, rest: str) -> bool:
    """Whether what looks like a login is none: `login` begins with a host and its port, or `rest`, behind the
    `@`, is an image's digest (`docker://alpine:3.20@sha256:…`)."""
    host, _, port = login.partition(":")
    return ")" in host or rest.startswith(("sha256", "sha512")) or _PORT.match(port) is not None


def _is_wide_login(login: str, rest: str) -> bool:
    """Whether it has a password, or is a token: a random name. Not what a script puts in, nor what follows
    the port of an address without a login."""
    user, _, password = login.partition(":")
    if is_address(login, rest):
        return False
    if len(password) >= 3:
        return _SAMPLE_LOGIN.match(login) is None and _PUT_IN.search(password) is None
    return not password and len(user) >= 20 and user.isalnum() and words.is_random(user)


def is_sample(value: str) -> bool:
    """Values that vendors print in their manuals (AWS ends its own in EXAMPLE), and those that nobody
    issued: one character over and over."""
    _, most = Counter(value).most_common(1)[0]
    return bool(_SAMPLE.search(value)) or most > len(value) / 2 or any(one in value for one in _PRINTED)
