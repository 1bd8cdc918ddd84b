"""Whether an issue reports a weakness that strangers could use: rules over its words, in several languages.

Careful in both directions. What is certain is a report whatever a model says of it; what is only suspected is
shown to no host outside the network, and is a report where a model finds so too.
"""

# ruff: noqa: RUF001  letters of other alphabets

import re
from typing import Literal

Suspicion = Literal["", "suspected", "certain"]
LONGEST_TEXT = 70_000
_WEAKNESS = re.compile(
    r"""\b(?:vulnerabilit(?:y|ies)|vulnerable\ to|security\ (?:hole|flaw|bug|issue|weakness|problem|advisory)
    |0-?day|zero-?day|exploit(?:s|ed|able|ation)?
    |remote\ code\ execution|arbitrary\ (?:code|command|file)\ (?:execution|read|write|upload)|code\ injection
    |(?:sql|command|shell|template|html|header|ldap|nosql)\ injection|injection\ attack
    |cross[- ]site\ (?:scripting|request\ forgery)|x(?:ss|xe)|csrf|ssrf|rce|idor|lfi
    |(?:path|directory)\ traversal|zip\ slip|open\ redirect|privilege\ escalation|escalat\w{1,4}\ privileges?
    |(?:auth\w{0,12}|login|permission)\ bypass
    |bypass\w{0,4}\ (?:the\ )?(?:auth\w{0,12}|login|access\ control|permissions?)
    |(?:insecure|unsafe)\ deseriali[sz]ation|prototype\ pollution|buffer\ overflow|use[- ]after[- ]free
    |heap\ overflow|timing\ attack|account\ takeover
    |leak\w{0,4}\ (?:of\ )?(?:credentials|passwords?|tokens?|secrets?|session\w{0,3})
    |sicherheitsl(?:ü|ue)cken?|schwachstellen?|angreifer\w{0,3}
    |faille\w?\ (?:de\ )?s[ée]curit[ée]|vuln[ée]rabilit[ée]s?
    |vulnerabilidad(?:es)?|fallo\ de\ seguridad|agujero\ de\ seguridad
    |vulnerabilidades?|falha\ de\ seguran[çc]a|vulnerabilit[àa]|falla\ di\ sicurezza
    |beveiligingslek(?:ken)?|kwetsbaarheid|podatno(?:ść|ści)|luk[ai]\ w\ zabezpieczeniach
    |güvenlik\ açığı|sårbarhet|säkerhetshål)\b
    |уязвимост|вразливіст|漏洞|脆弱性|취약점|보안\ ?문제|ثغرة|भेद्यता""",
    re.IGNORECASE | re.VERBOSE,
)
_REPORT = re.compile(
    r"""\b(?:proof[- ]of[- ]concept|poc|an?\ attacker|attackers?\ (?:can|could|may|to)
    |malicious\ (?:user|actor|input|payload)|responsible\ disclosure|steps\ to\ (?:exploit|attack)
    |attaquant|atacante|attaccante|aanvaller|angreifer|napastnik|saldırgan|angripare|cvss)\b
    |攻击者|攻撃者|공격자|злоумышленник|зловмисник|مهاجم""",
    re.IGNORECASE | re.VERBOSE,
)
_FOUND = re.compile(
    r"\b(?:i|we)(?: have|'ve)? (?:found|discovered|identified|noticed|want to report)[^.\n]{0,100}"
    r"|\b(?:gefunden|entdeckt|trouv[ée]|encontrad[oa]|encontrei|trovato)\b[^.\n]{0,100}",
    re.IGNORECASE,
)
_KNOWN = re.compile(
    r"""\b(?:cve-\d{4}-\d{4,7}|ghsa(?:-\w{4}){3}|(?:npm|pip|cargo|yarn|pnpm|bundle|composer)[ -]audit
    |dependabot|snyk|trivy|renovate|advisory\ database|upgrade|bump)\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""What is published already, mostly in a dependency."""


def suspicion(title: str, body: str) -> Suspicion:
    """By the words alone."""
    text = f"{title}\n{body[:LONGEST_TEXT]}"
    in_title = bool(_WEAKNESS.search(title))
    weaknesses = {hit[0].casefold() for hit in _WEAKNESS.finditer(text)}
    if not weaknesses:
        return ""
    found = any(_WEAKNESS.search(hit[0]) for hit in _FOUND.finditer(text))
    reported, known = found or bool(_REPORT.search(text)), bool(_KNOWN.search(text))
    if known and not reported:
        return "suspected"
    return "certain" if reported and (in_title or len(weaknesses) > 1) else "suspected"
