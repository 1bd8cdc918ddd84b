"""Whether a point was made before: by Hob in earlier reviews, by others on the same lines."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.core.diff import FileDiff, HunkLine
from bot.core.facts import OthersRemark, PullRequestFacts
from bot.core.findings import Finding, fingerprint, plain, telling
from bot.core.memory import Memory, dismissed_by
from bot.core.occurrence import Code, once

SHORTEST = 12
"""Characters of a line that is a point's own: shorter ones stand everywhere."""


class Known:
    """What tells a review's findings from equal ones, and from those of earlier reviews."""

    def __init__(self, facts: PullRequestFacts, checked: Iterable[Finding]) -> None:
        self._facts = facts
        self._files = {file.path: file for file in facts.files}
        self._codes: dict[str, Code | None] = {}
        hidden = sorted(
            (one for one in checked if one.content and not one.quote), key=lambda one: one.line or 0
        )
        self._first: dict[str, str] = {}
        for one in hidden:
            self._first.setdefault(fingerprint(plain(one)), one.content)

    def placed(self, finding: Finding) -> Finding:
        """With what tells it from equal ones in its file."""
        code = self._code(finding.path)
        return code.placed(finding) if code else finding

    def names(self, finding: Finding) -> frozenset[str]:
        """Every fingerprint under which this point may have been said before: with a line less or more of the
        code, under the file's old name, or by Hob 0.1.0, which told equal places not apart."""
        file, code = self._files.get(finding.path), self._code(finding.path)
        variants = [finding]
        if finding.source == "model" and file is not None and finding.line is not None:
            for span in _spans(file, finding.start_line or finding.line, finding.line):
                quote = "\n".join(line.text for line in span)
                one = replace(finding, quote=quote, start_line=span[0].new, line=span[-1].new)
                variants.append(code.placed(one) if code else one)
        found = set(map(fingerprint, variants)) | set(filter(None, map(self.old, variants)))
        found |= {once(one) for one in variants if code is None or code.is_only(one)}
        if file is not None and file.old_path:
            moved = [replace(one, path=file.old_path) for one in variants]
            found |= set(map(fingerprint, moved))
            found |= {
                fingerprint(plain(new)) for new, one in zip(moved, variants, strict=True) if self.old(one)
            }
        return frozenset(found)

    def old(self, finding: Finding) -> str:
        """The name that Hob 0.1.0 gave; empty where that means another place that stands above."""
        name, code = fingerprint(plain(finding)), self._code(finding.path)
        if finding.content and not finding.quote:
            return name if self._first.get(name) == finding.content and not finding.ordinal else ""
        return name if code is None or code.is_first(finding) else ""

    def dismissed(self, finding: Finding) -> Memory | None:
        """What people remembered that keeps the finding from being shown."""
        code = self._code(finding.path)
        return dismissed_by(
            self._facts.memory,
            finding,
            self._facts.number,
            old=self.old(finding),
            stands=lambda words: code is not None and code.holds_elsewhere(words, finding),
        )

    def _code(self, path: str) -> Code | None:
        """None where the file's text is not known."""
        if path not in self._codes:
            text = self._facts.texts.get(path)
            made = None if text is None else Code(text, self._facts.tools.symbols(path, text))
            self._codes[path] = made
        return self._codes[path]


def _spans(file: FileDiff, start: int, end: int) -> Iterable[Sequence[HunkLine]]:
    """Runs of at most five lines that share a telling line with start..end."""
    for hunk in file.hunks or ():
        side = hunk.new_side
        inside = [n for n, line in enumerate(side) if line.new is not None and start <= line.new <= end]
        for index in inside:
            if len("".join(side[index].text.split())) < SHORTEST:
                continue
            for first in range(max(0, index - 4), index + 1):
                for last in range(index, min(len(side), first + 5)):
                    yield side[first : last + 1]


def said_by_others(finding: Finding, threads: Iterable[OthersRemark]) -> bool:
    """Whether somebody has made this point on these lines. What a check proved only CI can have said
    before, and a critical one nobody: whoever may comment, or has the change's own CI annotate it, could hide
    it so."""
    proved = finding.source != "model"
    if finding.line is None or finding.severity == "critical":
        return False
    return any(
        remark.path == finding.path
        and remark.line is not None
        and (finding.start_line or finding.line) <= remark.line
        and (remark.start_line or remark.line) <= finding.line
        and (not proved or remark.kind == "annotation")
        and _alike(finding, remark.words)
        for remark in threads
    )


def _alike(finding: Finding, words: str) -> bool:
    """Half of the title's words, or three of all."""
    others = telling(words)
    title = telling(finding.title)
    return 2 * len(title & others) >= max(1, len(title)) or len(telling(finding.body) & others) >= 3
