"""Credentials on added lines, by the shapes that their issuers document. A finding never repeats the
secret."""

import math
import re
from collections import Counter
from functools import cache
from typing import Any

import re2

from bot.core.checking import Change, new_lines
from bot.core.findings import Finding
from bot.core.programs import RunProgram

MAX_LINE = 2_000
"""Characters of a line that are looked at; every pattern below is linear in them."""
RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("AWS access key", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
        (
            "GitHub token",
            r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|ghs_[0-9]+_[A-Za-z0-9_.-]{100,800}|github_pat_[A-Za-z0-9_]{60,255})",
        ),
        ("GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,64}\b"),
        ("Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{20,250}\b"),
        ("Slack webhook", r"hooks\.slack\.com/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,32}"),
        ("Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{20,250}\b"),
        ("Google API key", r"\bAIza[A-Za-z0-9_-]{35}\b"),
        ("Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{40,250}"),
        ("OpenAI key", r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{40,250}"),
        ("Hugging Face token", r"\bhf_[A-Za-z0-9]{30,64}\b"),
        ("npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("PyPI token", r"\bpypi-AgEI[A-Za-z0-9_-]{50,500}"),
        ("SendGrid key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"),
        ("Groq key", r"\bgsk_[A-Za-z0-9]{52}\b"),
        ("xAI key", r"\bxai-[A-Za-z0-9]{80}\b"),
        ("Google OAuth secret", r"\bGOCSPX-[A-Za-z0-9_-]{28}\b"),
        ("Azure storage key", r"\bAccountKey=[A-Za-z0-9+/]{86}=="),
        ("DigitalOcean token", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
        ("Shopify token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b"),
        ("Telegram bot token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b"),
        ("Discord webhook", r"\bdiscord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,80}"),
        ("Databricks token", r"\bdapi[a-f0-9]{32}\b"),
        ("Docker Hub token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{27,32}\b"),
        ("HashiCorp Vault token", r"\bhvs\.[A-Za-z0-9_-]{90,120}\b"),
        ("Linear key", r"\blin_api_[A-Za-z0-9]{40}\b"),
        ("Notion token", r"\bntn_[A-Za-z0-9]{43,50}\b"),
        ("RubyGems key", r"\brubygems_[a-f0-9]{48}\b"),
        ("New Relic key", r"\bNRAK-[A-Z0-9]{27}\b"),
        ("Atlassian token", r"\bATATT3[A-Za-z0-9_=-]{180,250}"),
        ("Sentry token", r"\bsntry[su]_[A-Za-z0-9_=+/-]{60,250}"),
        ("age key", r"\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b"),
        ("private key", r"-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----"),
        (
            "password in a URL",
            r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"]{1,64}:[^\s:/@'\"{}$<>]{6,128}@[A-Za-z0-9.-]{3,128}",
        ),
    )
)
ASSIGNED = re.compile(
    r"(?i)(?:password|passwd|secret|api_?key|access_?key|auth_?token|access_?token|private_?key)[\w-]{0,20}['\"]?\s{0,5}[:=]\s{0,5}"
    r"['\"]([^'\"\s]{12,200})['\"]"
)
UNQUOTED = re.compile(
    r"(?i)^\s{0,40}(?:export\s{1,5})?[\w.-]{0,60}(?:password|passwd|secret|api_?key|access_?key|token|private_?key)"
    r"[\w-]{0,20}\s{0,5}[:=]\s{0,5}([a-z0-9+/=-]{24,200})\s{0,20}(?:#.{0,200})?$"
)
"""As .env files and YAML write them: the value is the rest of the line."""
PLACEHOLDER = re.compile(
    r"(?i)example|placeholder|changeme|change-me|your[-_]|dummy|xxxx|\*\*\*|<[^>]*>|\$\{|\{\{|test|fake|sample|redacted"
)


async def run(change: Change, _: RunProgram) -> list[Finding] | None:
    """One finding a line, at the first rule that fits."""
    if not change.files:
        return None
    return [
        _finding(file.path, line.new or 0, kind)
        for file in change.files
        for line in new_lines(file)
        if (kind := kind_of(line.text))
    ]


@cache
def _one_look() -> Any:
    """All patterns as one automaton: what it does not find in a line, none of them does."""
    options = re2.Options()
    options.max_mem = 64 * 1024 * 1024
    options.log_errors = False
    every = re2.Set.SearchSet(options)  # type: ignore[no-untyped-call]
    for pattern in (*(pattern for _, pattern in RULES), ASSIGNED, UNQUOTED):
        every.Add(pattern.pattern)
    every.Compile()
    return every


def kind_of(text: str) -> str | None:
    """Names the credential that a line holds, or None."""
    text = text[:MAX_LINE]
    if not _one_look().Match(text.encode("utf-8", "replace").decode()):
        return None
    for kind, pattern in RULES:
        if (match := pattern.search(text)) and not _documented(match.group()):
            return kind
    match = ASSIGNED.search(text)
    if match and not PLACEHOLDER.search(match.group(1)) and entropy(match.group(1)) >= 3.5:
        return "hard-coded credential"
    bare = UNQUOTED.match(text.rstrip("\r"))
    if bare and not PLACEHOLDER.search(bare.group(1)) and _random(bare.group(1)):
        return "hard-coded credential"
    return None


def _random(value: str) -> bool:
    """No name and no number: digits among letters throughout, as generators make them."""
    turns = len(re.findall(r"(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])", value))
    return turns >= 5 and entropy(value) >= 3.0  # hexadecimal digits give less than letters


def found_in(text: str) -> str | None:
    """Names the first credential that a whole text holds, however long its lines; None: there is none."""
    for line in text.splitlines():
        for at in range(0, max(1, len(line)), MAX_LINE // 2):
            if kind := kind_of(line[at:]):
                return kind
    return None


def _documented(value: str) -> bool:
    """Values that vendors print in their manuals (AWS ends its own in EXAMPLE)."""
    return "EXAMPLE" in value.upper() or "://user:password@" in value or "xxxxxxxx" in value.lower()


def entropy(text: str) -> float:
    """Shannon's, in bits a character; words are under 3.5, random letters and digits over."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def _finding(path: str, line: int, kind: str) -> Finding:
    article = "an" if kind[0] in "AaOo" else "a"
    return Finding(
        path=path,
        severity="critical",
        category="secret",
        title=f"{kind[0].upper()}{kind[1:]} in the source",
        body=f"This line holds what looks like {article} {kind}. "
        "Revoke it: it stays in the history even when the line goes.",
        source="secrets",
        line=line,
    )
