"""Plain text that GitHub or another bot would act on, put into code spans.

GitHub finds mentions, references and bare addresses in the rendered text after Markdown is done: a backslash
or an entity before `@` or `#` changes nothing, and what stands in code is left alone
(https://github.com/github/cmark-gfm/issues/181,
https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls).
A bare `www.` is found in the raw text, before code is, and runs on to the next ASCII space or `<`:
through ticks, stars and wide spaces (https://github.com/github/cmark-gfm/blob/master/extensions/autolink.c).
Other bots read the raw text: the ticks break their command in two, or stand between the line's start and it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TRIGGER = re.compile(
    r"""(?P<url>://)
    |(?P<bare>(?<![a-z0-9])(?:www\.|(?:mailto:|xmpp:)(?=\S)))
    |(?P<mention>@(?=[.-]*\w))
    |(?P<number>\#(?=\d))
    |(?P<gh>(?<![a-z0-9])gh-\d+)
    |(?P<sha>(?<![a-z0-9])[0-9a-f]{7,64}(?![a-z0-9]))
    |(?P<bors>(?<![a-z0-9])(?:bors|homu)(?![a-z0-9]))
    |(?P<approve>(?<!\w)r[+=?](?!\w))
    |(?P<jenkins>(?<!\w)(?:ok(?=\W{1,9}to\W{1,9}test\b)|(?:re)?test(?=\W{1,9}this\W{1,9}please\b)
        |add(?=\W{1,9}to\W{1,9}(?:white|allow)list\b)))
    |(?P<math>\$\$+|\$(?=[^$]))
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Programs that take a word after their name for an order, as Atlantis does and those that learned from it.
# https://www.runatlantis.io/docs/using-atlantis.html, https://docs.terrateam.io, https://pre-commit.ci
_ADDRESSED = (
    r"(?:atlantis|terraform|tofu|opentofu|terragrunt|terrateam|digger|spacelift|env0|scalr|pulumi|jenkins|zuul|hubot"
    r"|bugbot|cursor|rultor|prow|azp|codecov|automerge|pre-commit\.ci)"
)
# What other bots take for an order at a line's start: /merge, !retry, .deploy, "ok to test".
_ORDER = re.compile(r"[/!.][^\W\d_][\w./-]*")
_PHRASE = re.compile(
    r"(?:(?:re)?test|build|run)(?=\s+(?:this|tests)\b)|ok(?=\s+to\s+test\b)|add(?=\s+to\s+\w*list\b)"
    r"|(?:recheck|reverify|regate)\b(?![-/.]\w)|(?:retest|rebase|rebuild|automerge|lgtm)(?=[\s.!]*$)|check(?=\s+experimental\b)"
    rf"|please(?=\s+(?:re)?(?:test|build)\b)|{_ADDRESSED}(?=[\s,:]+[\w-])",
    re.IGNORECASE,
)
_ORDER_IN_CODE = re.compile(
    r"^[^\S\n]*(?:[/!.][^\W\d_][\w-]*(?:\s|$)|@[\w-]+(?:\[bot\])?[ \t:,]+\S|(?:bors|homu)\b"
    r"|(?:atlantis|terrateam|digger|bugbot|pre-commit\.ci)[ \t]+[\w-]|(?:recheck|reverify|regate)[^\S\n]*$"
    r"|ok[ \t]+to[ \t]+test\b|(?:re)?test[ \t]+this[ \t]+please\b)",
    re.MULTILINE | re.IGNORECASE,
)
_BOT_IN_CODE = re.compile(
    r"^[^\S\n]*(?:/[^\W\d_][\w-]*[^\S\n]*$|/hob\b|(?:bors|homu)\b|(?:atlantis|terrateam)[ \t]+[\w-]"
    r"|ok[ \t]+to[ \t]+test\b|(?:re)?test[ \t]+this[ \t]+please\b"
    r"|@(?:dependabot|mergify\w*|bors|homu|renovate\w*|rustbot|k8s-ci-robot|hob)\b)",
    re.MULTILINE | re.IGNORECASE,
)
_LEFT = {
    "mention": re.compile(r"[\w.+/-]"),
    "number": re.compile(r"[\w./@-]"),
    "url": re.compile(r"[A-Za-z0-9+.-]"),
}
_RIGHT = {
    "url": re.compile(r"[^\s<>`]*"),
    "bare": re.compile(r"[^\s<>`]*"),
    "mention": re.compile(r"[.-]*\w[\w/.-]*(?:\[bot\])?(?:\#\d+)?"),
    "number": re.compile(r"\d\w*"),
}
_TRAILING = ".,:;!?'\")]*_~-/"


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A stretch of text that is to stand in code, or not."""

    text: str
    code: bool = False


def pieces(text: str, *, at_start: bool) -> Iterator[TextPiece]:
    """`text`, of one line, with what nobody must act on in code; `at_start`: it begins the line."""
    done = _order(text) if at_start else 0
    if done:
        blank = len(text) - len(text.lstrip())
        yield from (TextPiece(text[:blank]), TextPiece(text[blank:done], code=True))
    for found in _TRIGGER.finditer(text):
        if found.start() < done:
            continue
        start, end = _bounds(text, found, done)
        if start == end:
            continue
        yield from (TextPiece(text[done:start]), TextPiece(text[start:end], code=True))
        done = end
    yield TextPiece(text[done:])


def _order(text: str) -> int:
    """Where the first word of an order to another bot ends; 0 for none."""
    start = len(text) - len(text.lstrip())
    found = _ORDER.match(text, start) or _PHRASE.match(text, start)
    return found.end() if found else 0


def _bounds(text: str, found: re.Match[str], done: int) -> tuple[int, int]:
    """The whole word around a trigger, and nothing for a trigger that means nothing."""
    kind = found.lastgroup or ""
    start, end = found.span()
    if left := _LEFT.get(kind):
        while start > done and left.match(text[start - 1]):
            start -= 1
    if kind == "url" and start == found.start():
        return start, start
    if found.group() == "$":
        return start, _formula_end(text, start)
    if right := _RIGHT.get(kind):
        matched = right.match(text, end)
        tail = text[found.end() : matched.end() if matched else end]
        end += len(tail.rstrip(_TRAILING)) if kind != "number" else len(tail)
    return start, end


def _formula_end(text: str, start: int) -> int:
    """The end of `$…$` with a TeX command in it, which GitHub would typeset; `start` where there is none."""
    close = text.find("$", start + 1) + 1
    return close if close and "\\" in text[start:close] else start


def orders_a_bot(code: str) -> bool:
    """Whether a line of a code block would be taken for an order by a bot that reads raw text."""
    return _ORDER_IN_CODE.search(code) is not None


def names_a_bot(code: str) -> bool:
    """The same, for text that must stand as it is: only what is no code in any language."""
    return _BOT_IN_CODE.search(code) is not None


_BRACKETED = re.compile(r"\[((?:[^\[\]\n]{0,60}\bskip\b[^\[\]\n]{0,60})|no[ -]?ci)\]", re.IGNORECASE)
_NO_CHECKS = re.compile(r"\*{3}(NO_CI)\*{3}|\b(skip)-(checks)(?= {0,3}:)", re.IGNORECASE)


def with_checks(text: str) -> str:
    """Without what keeps checks from running where it stands in a commit's message, or in a pull request's
    text, which becomes one. In code it would do so too.
    https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs
    """
    return _NO_CHECKS.sub(_apart, _BRACKETED.sub(r"(\1)", text))


def _apart(found: re.Match[str]) -> str:
    return " ".join(filter(None, found.groups())).replace("_", " ")
