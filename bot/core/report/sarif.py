"""SARIF 2.1.0, for code scanning and editors.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import re
from typing import Any
from urllib.parse import quote

from bot.core.findings import Finding, fingerprint
from bot.core.report.plain import every
from bot.core.review_result import Judgement
from bot.core.settings import CHECKS, Severity
from bot.core.skip_rules import NOT_ASKED

REVIEWING = "https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests"
"""Where to read on about what a model finds."""
_PAGE = re.compile(r"https://[\w./#-]{1,200}")
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: dict[Severity, str] = {"critical": "error", "major": "error", "minor": "warning", "nit": "note"}
RANKS: dict[Severity, float] = {"critical": 95.0, "major": 75.0, "minor": 40.0, "nit": 10.0}


def as_sarif(judged: Judgement, version: str) -> dict[str, Any]:
    """One run of the tool `Hob` in that version; what was not read is told as notifications."""
    found = every(judged)
    firsts: dict[str, Finding] = {}
    for finding in found:
        firsts.setdefault(_rule(finding), finding)
    rules = list(firsts)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Hob",
                        "semanticVersion": version,
                        "rules": [_descriptor(rule, first) for rule, first in firsts.items()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(judged)],
                "results": [_result(finding, rules) for finding in found],
            }
        ],
    }


def _rule(finding: Finding) -> str:
    category = "-".join(finding.category.split()) or "remark"
    return f"{finding.source}/{category}"


def _descriptor(rule: str, first: Finding) -> dict[str, Any]:
    """A rule as its first finding tells of it."""
    check = CHECKS.get(first.source)
    what = check.about.partition(". ")[0].rstrip(".") if check else "A remark of a model"
    page = _PAGE.search(first.body) if check else None
    return {
        "id": rule,
        "name": rule,
        "shortDescription": {"text": f"{what}: {first.category}."},
        "helpUri": page[0] if page else check.page if check else REVIEWING,
    }


def _invocation(judged: Judgement) -> dict[str, Any]:
    coverage = judged.coverage
    notes = [f"{file.path}: not read: {file.why}" for file in coverage.unread if file.why != NOT_ASKED]
    notes += [NOT_ASKED] * any(file.why == NOT_ASKED for file in coverage.unread)
    notes += [f"{name} could not run: {why}" for name, why in judged.facts.checks_not_run]
    if coverage.failure:
        notes.insert(0, f"no model read more: {coverage.failure}")
    return {
        "executionSuccessful": not coverage.failure,
        "toolExecutionNotifications": [
            {"level": "warning" if coverage.failure else "note", "message": {"text": note}} for note in notes
        ],
    }


def _result(finding: Finding, rules: list[str]) -> dict[str, Any]:
    rule = _rule(finding)
    text = f"{finding.title}\n\n{finding.body}".strip() or rule
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": rules.index(rule),
        "level": LEVELS[finding.severity],
        "rank": RANKS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": _place(finding)}],
        "partialFingerprints": {"hob/v1": fingerprint(finding)},
    }
    if finding.replacement is not None and finding.line is not None:
        result["fixes"] = [_fix(finding)]
    return result


def _place(finding: Finding) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(finding)}
    if finding.line is not None:
        place["region"] = _region(finding)
    return place


def _artifact(finding: Finding) -> dict[str, Any]:
    path = finding.path.encode("utf-8", "surrogatepass")
    return {"uri": quote(path), "uriBaseId": "%SRCROOT%"}


def _region(finding: Finding) -> dict[str, Any]:
    return {"startLine": finding.start_line or finding.line, "endLine": finding.line}


def _fix(finding: Finding) -> dict[str, Any]:
    """Whole lines are taken away up to the first column of the next, so the new text ends its own."""
    end = (finding.line or 0) + 1
    start = finding.start_line or finding.line
    deleted = {"startLine": start, "startColumn": 1, "endLine": end, "endColumn": 1}
    change = {"deletedRegion": deleted, "insertedContent": {"text": f"{finding.replacement}\n"}}
    return {
        "description": {"text": "as Hob suggests"},
        "artifactChanges": [{"artifactLocation": _artifact(finding), "replacements": [change]}],
    }
