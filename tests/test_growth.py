"""Whoever may write a comment, a file or a model's answer may write what makes a reader slow: no reader of
such text takes more time than its length asks for.

Each reader is given 60 kB of each shape; its processor time may grow as the text does, from a quarter of it.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from pydantic import BaseModel

from bot.agents.citing import Citing
from bot.checks import reports, secrets, workflows
from bot.core import credentials, markdown_blocks, mentions, text
from bot.core.code_location import location
from bot.core.code_search import Excerpt
from bot.core.commands import parse_commands
from bot.core.diff import parse_git_diff, parse_patch
from bot.core.guidelines import imports, owners, scope
from bot.core.mail import separator
from bot.core.memory import code_words
from bot.core.pr_description import own_words, with_description
from bot.github import hobyml, other_reviewers
from bot.github.payloads import clean
from bot.inference import structured_output
from bot.inference.runners import ollama
from bot.knowledge.parsing import documents, languages, tokens
from bot.knowledge.search.query import query_terms
from bot.patterns import wanted
from bot.prompting.files import block
from bot.sanitise import harmless, plain, suggestion_block
from bot.sanitise.leaks import leaks
from bot.sanitise.words import names_a_bot, orders_a_bot, pieces
from bot.yamlnodes import read as read_yaml
from handlers.triage import listened_to
from tests.long import LONG
from tests.spent import Spent

SIZE = 60_000
SMALL_ENOUGH = 0.03
"""Seconds for a quarter of the text below which its growth cannot hurt anybody."""
GROWTH = 9.0
"""Times as long for four times the text; 16 is what a square would take, and the machine is not quiet."""
SUSPECT = 5.5
"""Times as long for 15 kB as for a quarter of it: less is not tried with 60 kB, but in `make test-long`."""
LONGEST = 20.0
"""A reader that is stopped then is too slow, whatever a quarter took."""


class Told(BaseModel):
    """A model's answer with fields of several kinds."""

    summary: str
    findings: list[dict[str, str]] = []


def lines_of(reader: Callable[[str, list[str]], object]) -> Callable[[str], object]:
    return lambda said: reader(said, said.split("\n"))


def patch_of(said: str) -> str:
    lines = said.split("\n")
    return "\n".join([f"@@ -0,0 +1,{len(lines)} @@", *(f"+{line}" for line in lines)])


def cited(said: str) -> str:
    citing = Citing((Excerpt("a.py", 1, ("x = 1",)),))
    return citing(said) + citing.rest()


SECRET = ("ghs_" + "k3yTh4tN0b0dyKn0ws" * 3,)

READERS: dict[str, Callable[[str], Any]] = {
    "agents.citing": cited,
    "checks.reports": reports.read,
    "checks.secrets": secrets.surest,
    "checks.workflows": lambda said: workflows.judged(".github/workflows/a.yml", said),
    "checks.workflows in a key": lambda said: workflows.judged(
        ".github/workflows/a.yml",
        f"on: push\njobs:\n a:\n  runs-on: x\n  steps:\n  - run: {said[:20_000]!r}\n",
    ),
    "core.markdown_blocks": lambda said: list(markdown_blocks.read(said)),
    "core.commands": lambda said: parse_commands(said, "my-hob", known=frozenset({"review", "fix"})),
    "core.commands after an edit": lambda said: parse_commands(
        said, "my-hob", said[::-1], known=frozenset({"review"})
    ),
    "core.credentials.found": lambda said: [credentials.found(line) for line in said.split("\n")],
    "core.credentials.without": credentials.without,
    "core.pr_description": lambda said: with_description(own_words(said), said),
    "core.diff of git": parse_git_diff,
    "core.diff of git, inside": lambda said: parse_git_diff(
        f"diff --git a/a b/a\n--- a/a\n+++ b/a\n{patch_of(said)}\n"
    ),
    "core.diff.patch": lambda said: parse_patch(patch_of(said)),
    "core.diff.patch of others": parse_patch,
    "core.guidelines.imports": lambda said: imports("CLAUDE.md", said),
    "core.guidelines.owners": lambda said: owners(said, ["src/a.py"], wanted),
    "core.guidelines.scope": lambda said: scope("a.md", said),
    "core.mail": lambda said: separator(list(markdown_blocks.read(said))),
    "core.memory": code_words,
    "core.code_location": location,
    "core.text.close_fences": text.close_fences,
    "core.text.cut": lambda said: text.cut(said, 20_000, measure=text.utf8_size),
    "core.text.fit_body": lambda said: text.fit_body(said, 20_000),
    "core.text.in_code": text.in_code,
    "core.text.strip_invisible": text.strip_invisible,
    "github.hobyml": hobyml.read,
    "github.payloads": clean,
    "github.other_reviewers, TOML": lambda said: other_reviewers.read(".pr_agent.toml", said),
    "github.other_reviewers, YAML": lambda said: other_reviewers.read(".coderabbit.yaml", said),
    "handlers.triage": lambda said: listened_to({"a.yml": f"on: labeled\n{said}"}, ["bug"]),
    "inference.structured_output": lambda said: structured_output.read(Told, "So: {" + said),
    "inference.structured_output.bare": structured_output.bare,
    "inference.structured_output.unthought": structured_output.unthought,
    "inference.runners.ollama": lambda said: ollama._NUMBERS.findall(said),
    "knowledge.search.query": query_terms,
    "documents, AsciiDoc": lines_of(lambda _, lines: documents.sections("AsciiDoc", lines)),
    "documents, Markdown": lines_of(lambda _, lines: documents.sections("Markdown", lines)),
    "documents, reST": lines_of(lambda _, lines: documents.sections("reStructuredText", lines)),
    "knowledge.parsing.languages": lambda said: languages.language_of("a.h", said),
    "core.mentions": lambda said: mentions.mentions(said, "octo/tea"),
    "core.mentions.in_branch": mentions.in_branch,
    "knowledge.parsing.tokens": tokens.indexed,
    "prompting": lambda said: block("fence", said[:2000], said),
    "sanitise": lambda said: harmless(said, repo="octo/tea"),
    "sanitise.leaks": lambda said: leaks(said, SECRET),
    "sanitise.plain": lambda said: plain(said, 200),
    "sanitise.suggestion_block": suggestion_block,
    "sanitise.words": lambda said: list(pieces(said.replace("\n", " "), at_start=True)),
    "sanitise.words in code": lambda said: (orders_a_bot(said), names_a_bot(said)),
    "yamlnodes": read_yaml,
}

UNITS = (
    "a", "0", "f", "A1", "a.", "a/", "../", "a::b ", "- ", "-", "* ", "*", "_ ", "_", "# ", "#", " #",
    "=", "+", "> ", ">", "`", "`a` ", "``` ", "```\n", "~~~\n", "<", "<a ", "<a b='", "<!--", "<?", "</",
    "<think", "<think>", "</think>", "<details>\n", "<blockquote>", '"', "'", "\\", "$", "$$", "$a$ ",
    "[", "]", "[a](", "![", "(", ")", "{", "}", "${{", '{"a":', "&", "@", "@a ", "#1 ", "://", "http://a",
    '<a "', "[a](( ",
    "www.", "a@b.c ", "|", "| a ", "|-", "\n", "\r\n", "\r", "\t", " ", "  \n", "\xa0", "\u200b",
    "\u202e", "é", "1. ", "- a\n", "> a\n", "%20", "; ", "key: value\n", "- - -\n", "a:\n",
    "@@ -1 +1 @@\n", "+a\n", "diff --git a/a b/a\n", "Fixes #1 ", '"a",', "0,", "0.", "-----BEGIN ",
    "eyJ", "password=", 'secret: "', "in ", "at ", 'File "a", line 1\n', "#!/", "On a wrote:\n",
    "From: a\n", "____\n", "---a---\n", "/a\n", "SF:a\n", "DA:1,1\n",
)  # fmt: skip


def shapes(size: int) -> Iterator[tuple[str, str]]:
    for unit in UNITS:
        whole = (unit * (size // len(unit) + 1))[:size]
        yield f"{unit!r} again and again", whole
        if LONG:
            yield f"a{unit!r}…b", f"a{whole[:-2]}b"
    yield "items in items, then blank lines", "- " * 90 + "a\n" + "\n" * (size - 182)
    yield "deep items", "\n".join("  " * depth + "- a" for depth in range(int((size) ** 0.5)))[:size]
    yield "a fence of blank lines", "```\n" + "\n" * (size - 8) + "\n```"


class TooSlow(BaseException):
    pass


def _stop(*_: object) -> None:
    raise TooSlow


def seconds(reader: Callable[[str], Any], said: str) -> float:
    """Of the processor; `LONGEST` where it would take longer."""
    before = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        with Spent() as spent, suppress(Exception):  # how a reader says no to nonsense is tested elsewhere
            reader(said)
    except TooSlow:
        return LONGEST
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return spent.seconds


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", READERS)
def test_a_hostile_text_takes_no_more_time_than_its_length(name: str) -> None:
    reader = READERS[name]
    seconds(reader, "warm")  # what is loaded at the first use
    smallest, small = dict(shapes(SIZE // 16)), dict(shapes(SIZE // 4))
    for shape, said in shapes(SIZE):
        quarter = seconds(reader, small[shape])
        if quarter < SMALL_ENOUGH or (not LONG and quarter < SUSPECT * seconds(reader, smallest[shape])):
            continue
        whole = seconds(reader, said)
        if LONGEST > whole > GROWTH * quarter:  # the machine was busy, or it is so
            quarter = min(seconds(reader, small[shape]) for _ in range(3))
            whole = min(whole, *(seconds(reader, said) for _ in range(3)))
        assert whole < min(GROWTH * quarter + 0.1, LONGEST), (
            f"{name} takes {quarter:.2f} s for {SIZE // 4} and {whole:.2f} s for {SIZE} characters of {shape}"
        )
