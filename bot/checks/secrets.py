"""Credentials on added lines, by the shapes that their issuers document. A finding never repeats the
secret."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from bot.core.diff import FileDiff
from bot.core.findings import Finding

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
PLACEHOLDER = re.compile(
    r"(?i)example|placeholder|changeme|change-me|your[-_]|dummy|xxxx|\*\*\*|<[^>]*>|\$\{|\{\{|test|fake|sample|redacted"
)


def check(files: Sequence[FileDiff]) -> list[Finding]:
    """One finding a line, at the first rule that fits."""
    return [
        _finding(file.path, line.new, kind)
        for file in files
        for hunk in file.hunks or ()
        for line in hunk.lines
        if line.kind == "+" and line.new is not None and (kind := kind_of(line.text))
    ]


def kind_of(text: str) -> str | None:
    """Names the credential that a line holds, or None."""
    text = text[:MAX_LINE]
    for kind, pattern in RULES:
        if (match := pattern.search(text)) and not _documented(match.group()):
            return kind
    match = ASSIGNED.search(text)
    if match and not PLACEHOLDER.search(match.group(1)) and entropy(match.group(1)) >= 3.5:
        return "hard-coded credential"
    return None


def found_in(text: str) -> str | None:
    """Names the first credential that a whole text holds, whatever the length of its lines, or None."""
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
