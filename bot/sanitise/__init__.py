"""A model's text made safe to post: it can be read, and nothing in it acts.

Worked on the tree of its Markdown, not on its characters: images go, links go unless they lead into this
repository's files, raw HTML goes, mentions, references and other bots' orders stand in code, a suggestion
block can only be made by `suggestion_block`. What is code stays as it is. https://github.github.com/gfm/
"""

import re

from bot.core.text import CUT_NOTICE, REDIRECTING, cut, fence_for, fit_body, strip_invisible, utf8_size
from bot.sanitise.inline import Allowed
from bot.sanitise.tree import fenced, rewritten
from bot.sanitise.words import names_a_bot

MOST_BYTES = 64_000
"""Of a text of ours, in UTF-8: leaves room in GitHub's 65,536 for a mark."""
MOST_SUGGESTED = 16_000
GITHUB = frozenset({"github.com"})

REDIRECTS = f"https://{REDIRECTING}"
_ISSUE = re.compile(r"/issues/[1-9][0-9]{0,8}")
_LONGEST_READ = 200_000
_ROUNDS = 8
_LINE_ENDS = str.maketrans(dict.fromkeys("\v\f\x85\u2028\u2029", " "))
_SURROGATES = re.compile("[\ud800-\udfff]")
_TITLE_MARKS = re.compile(
    r"[`*~<>\[\]|\\]|(?<![^\W_])_+|_+(?![^\W_])|@+(?=\w)|#+(?=\d)|^[#/!.+-]+\s*"
    r"|\bgh-(?=\d)|\b[a-z]+://|\bwww\.",
    re.IGNORECASE,
)
_LONGEST_TITLE_READ = 2_000
_ODD = re.compile("[\r\v\x85\u2028\u2029\ud800-\udfff]")
_COMMENT = re.compile(r"/(?:issues|pull)/([1-9][0-9]{0,9})#(?:issuecomment-|discussion_r)[1-9][0-9]{0,18}")
_FILE = re.compile(
    r"/(?:blob|tree)/(?!(?:.*/)?\.{1,2}(?:[/#]|$))[A-Za-z0-9._~+/-]+(?:#L[0-9]+(?:-L[0-9]+)?)?"
)


def harmless(
    markdown: str,
    *,
    repo: str,
    allowed_hosts: frozenset[str] = GITHUB,
    limit: int = MOST_BYTES,
    number: int = 0,
) -> str:
    """`markdown` without what acts, in at most `limit` bytes; the same for a text that went through already.

    `repo` is `owner/name`: links to its files (blob and tree addresses on `allowed_hosts`, no query) stay
    links, and so do those to comments of the issue or pull request `number`, where the text will stand, and
    those to its issues through the host that makes no backlink (`bot.core.text.issue_link`); any other
    address is shown as code.
    """
    clean = _SURROGATES.sub("\ufffd", strip_invisible(markdown[:_LONGEST_READ])[0]).translate(_LINE_ENDS)
    starts = tuple(f"https://{host}/{repo}" for host in sorted(allowed_hosts))

    def allowed(address: str) -> bool:
        if address.startswith(f"{REDIRECTS}/{repo}/"):
            return _ISSUE.fullmatch(address[len(f"{REDIRECTS}/{repo}") :]) is not None
        return any(address.startswith(start) and _may_link(address[len(start) :], number) for start in starts)

    text = _settled(clean, allowed)
    if len(markdown) > _LONGEST_READ:
        text = _settled(text + CUT_NOTICE, allowed)
    whole, room = text, limit
    while utf8_size(text) > limit:
        text = _settled(fit_body(whole, room), allowed)
        room -= max(0, utf8_size(text) - limit)
    return text


def _may_link(path: str, number: int) -> bool:
    if comment := _COMMENT.fullmatch(path):
        return comment[1] == str(number)
    return _FILE.fullmatch(path) is not None


def _settled(text: str, allowed: Allowed) -> str:
    """Rewritten until nothing changes any more: then it reads back as written, and nothing in it acts. A text
    that does not settle is shown as code."""
    for _ in range(_ROUNDS):
        rewriting = strip_invisible(rewritten(text, allowed))[0]  # an entity may have stood for one
        if rewriting == text:
            return text
        text = rewriting
    return "\n".join(fenced(text))


def plain(text: str, limit: int) -> str:
    """One line of at most `limit` characters with no Markdown in it, nobody mentioned and no issue named: for
    titles. A pull request's title becomes a commit message, and that can close an issue.
    https://docs.github.com/en/issues/tracking-your-work-with-issues/linking-a-pull-request-to-an-issue
    """
    text = _SURROGATES.sub("\ufffd", strip_invisible(text[:_LONGEST_READ])[0])[:_LONGEST_TITLE_READ]
    before = None
    while text != before:  # taking something out may join what is left to the same again
        before, text = text, " ".join(_TITLE_MARKS.sub("", " ".join(text.split())).split())
    return cut(text, limit, end="…")


def suggestion_block(replacement: str) -> str | None:
    """New text for the commented lines as a block that a person can commit; None for one not to be offered.

    Refused: characters that a reviewer does not see, lone carriage returns and other odd line ends, what
    another bot would obey, more than `MOST_SUGGESTED` bytes. Empty text takes the lines away; "\\n" is one
    blank line.
    https://docs.github.com/en/pull-requests/collaborating-with-pull-requests
    """
    text = replacement.replace("\r\n", "\n")
    if _ODD.search(text) or strip_invisible(text)[1] or names_a_bot(text) or utf8_size(text) > MOST_SUGGESTED:
        return None
    mark = fence_for(text)
    return f"{mark}suggestion\n{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{mark}"
