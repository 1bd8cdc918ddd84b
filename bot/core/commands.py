"""`@hob review …`, parsed: where in a comment a command may stand, and what it says.

A command begins a line (up to three blanks before it) of prose: not of a block quote or what goes on with it,
nor of code (fenced, indented, inline over several lines), HTML comments, raw HTML, link titles, image texts.
What `<details>` folds away is prose like any other once a blank line has ended the tag's own block: people
see it. It is `@slug name argument` or `/hob name argument`; a mention there with other text is a question,
and so is a sentence that only begins with a command's name (`@slug tests are failing`). Formulas are
code; what a mailer appended below an answer is quotation (`bot.core.mail`).
https://github.github.com/gfm/
"""

# ruff: noqa: RUF001  commas and colons as keyboards of the East have them

import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.core.mail import separator
from bot.core.markdown_blocks import Block, read
from bot.core.text import code_spans

MOST_COMMANDS = 5
"""In one comment; the rest is not read."""
MOST_TO_HOB = 300
"""Characters of a comment that may be nothing but a command."""
MOST_CHARS = 65_536


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a comment. `name` is as written after the mention, lower case; `ask` for a bare mention
    with other text; `argument` is the rest of the line (for `ask`: of the comment up to the next command)."""

    name: str
    argument: str = ""
    free: bool = field(default=False, compare=False)
    """Whether nobody named it: text after a mention, which is `ask` where it means nothing else."""


WORD = re.compile(r"[a-z][a-z-]{0,30}")
_BLANKS = " \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""What a reader sees as a blank; keyboards and mailers write most of these unasked."""
_AS_SPACES = {ord(blank): " " for blank in "\t\u00a0\u1680\u202f\u205f\u3000"} | dict.fromkeys(
    range(0x2000, 0x200B), " "
)
QUESTION_WORDS = frozenset({"why"})
"""Commands that questions begin with too: after a mention they are one only alone or before a number."""
_ORDERS = frozenset(
    {"remember", "forget", "dismiss", "explain", "describe", "implement", "simplify", "resolve"}
)
"""Commands that are no nouns: they are no subject of what they begin."""
_SUBJECT, _HELP = 6, 2
"""Words of a subject and its verb; words that help is asked about."""
_VERBS = frozenset(
    """
    is are was were isn't aren't wasn't weren't has have had hasn't haven't hadn't does doesn't did
    didn't do don't can can't cannot could couldn't will won't would wouldn't should shouldn't may might
    must needs seems seemed looks looked fails failed failing passes passed passing breaks broke broken
    works worked says said takes took hangs crashes crashed went got became still ist sind war waren hat
    haben wird werden kann können soll sollte läuft laufen schlägt schlagen fehlt fehlen est sont était
    étaient ont échoue échouent es está están son fue falla fallan são estão falha falham è sono zijn
    werkt faalt falen są
    """.split()  # noqa: SIM905  a list of these takes 100 lines
)
"""Before one of them stands a subject."""
_PLURAL = frozenset({"fail", "pass", "break", "work", "look", "seem", "need", "say", "take", "hang", "crash"})
"""The same where the command is a word in the plural (`tests fail`)."""
_CLAUSE = frozenset(
    """
    that what which who whose whether why how where when if because so since as to focus i you we they
    he she it wie dass ob wenn weil ich du wir sie que qui quoi si je tu nous qué quién cómo yo - \u2013
    \u2014
    """.split()  # noqa: SIM905
)
"""What comes after them is another clause."""

# Inside a paragraph, what is not seen as its text: HTML comments and tags with their attributes, image texts,
# link titles and definitions. The lengths keep a hostile text from being read again and again.
_COMMENTS = (("<!--", "-->"), ("<?", "?>"), ("<!", ">"))
_UNSEEN = re.compile(
    r"""</?[A-Za-z](?:[^<>"']|"[^"]{0,1000}"|'[^']{0,1000}'){0,1000}>
    |!\[[^\]]{0,1000}\]
    |\]\([^()]{0,1000}\)
    |\A\ {0,3}\[[^\]]{1,1000}\]:.*""",
    re.VERBOSE | re.DOTALL,
)
_TAG = re.compile(r"""</?[A-Za-z](?:[^<>"']|"[^"]{0,1000}"|'[^']{0,1000}'){0,1000}>""")
_UNSAID = re.compile(rf"{_TAG.pattern}|!\[[^\]]{{0,1000}}\](?:\([^()]{{0,1000}}\))?")
_MARKS = re.compile(r"[`<$\[\]]")
_DOLLARS = re.compile(r"(?<!\\)(\\*+)(\$++)")
_QUOTING = re.compile(
    r"<(?P<end>/?)(?P<name>blockquote|q|code|pre|samp|kbd|tt|template|script|style|textarea)(?=[\s/>])",
    re.IGNORECASE,
)


def parse_commands(
    body: str, slug: str, previous: str | None = None, *, known: frozenset[str] = frozenset()
) -> tuple[Command, ...]:
    """The commands of a comment in their order, each once; after an edit (`previous`) only those it added.

    `known`: the words that are commands. Any other word after `/hob` stands as it is, for help to answer;
    after a mention it begins a question. At most `MOST_COMMANDS` of a comment count. Never raises.
    """
    said = _said(body, slug, known)
    if previous is not None:
        before = Counter(map(_essence, _said(previous, slug, known)))
        said = [command for command in said if not _take(before, _essence(command))]
    return tuple(dict.fromkeys(said))


def only_to_hob(body: str, slug: str) -> bool:
    """Whether a short comment says nothing but what Hob is asked for."""
    return len(body) < MOST_TO_HOB and body.lstrip()[:1] in ("@", "/") and bool(parse_commands(body, slug))


def _essence(command: Command) -> Command:
    """What makes a command a new one; of a question its first line: an edit below it does not ask again."""
    return Command(command.name, command.argument.partition("\n")[0].strip())


def _take(before: Counter[Command], command: Command) -> bool:
    """Whether the command stood there before the edit, as often as it is asked for."""
    before[command] -= 1
    return before[command] >= 0


def _said(body: str, slug: str, known: frozenset[str]) -> list[Command]:
    # ASCII: ignoring case must not make a Kelvin sign a k
    mention = re.compile(
        rf"[{_BLANKS[:1]}{_BLANKS[2:]}]{{0,3}}(?:@{re.escape(slug)}(?:\[bot\])?|(/hob))"
        rf"(?=[\s,:，：{_BLANKS}]|$)[,:，：]?[{_BLANKS}]*(.*)",
        re.IGNORECASE | re.ASCII | re.DOTALL,
    )
    lines = _lines(body[:MOST_CHARS])
    begun = [
        (place, found)
        for place, (line, prose) in enumerate(lines)
        if prose and (slug or "/hob" in line.lower()) and (found := mention.fullmatch(line))
    ][:MOST_COMMANDS]
    ends = [*(place for place, _ in begun[1:]), len(lines)]
    return [
        _command(
            found[2].translate(_AS_SPACES).strip(),
            bool(found[1]),
            [line for line, _ in lines[place + 1 : end]],
            known,
        )
        for (place, found), end in zip(begun, ends, strict=False)
    ]


def _command(said: str, slash: bool, after: list[str], known: frozenset[str]) -> Command:
    word, rest = (*said.split(None, 1), "", "")[:2]
    named = word.rstrip(".,:;!。，：；！")
    name = named.lower() if named.isascii() else ""
    orders = slash or (named != word and name not in QUESTION_WORDS)
    if name in known and name != "ask" and (orders or not _is_prose(name, rest.strip())):
        return Command(name, rest.strip())
    if slash and name != "ask" and (not named or WORD.fullmatch(name)):
        return Command(name or "help", rest.strip())
    text = "\n".join([rest if name == "ask" else said, *after]).strip()
    return Command("ask", text, free=name != "ask") if text or name == "ask" else Command("help")


def command_in(text: str, name: re.Pattern[str], *, orders: bool = False) -> Command | None:
    """The command that the first line of a text would be, if its first word were one; None where that word is
    no such name, or begins a sentence (`orders`: a sentence is no matter)."""
    said = text.partition("\n")[0].strip()
    word = said.split(None, 1)[0].rstrip(".,:;!。，：；！").lower() if said else ""
    if not word.isascii() or not name.fullmatch(word):
        return None
    found = _command(said, orders, [], frozenset({word}))
    return found if found.name == word else None


def _is_prose(name: str, rest: str) -> bool:
    """Whether a name and what follows it are a sentence to Hob and no order: `tests are failing`."""
    if re.match(r"#?\d|$", rest, re.ASCII):
        return False
    words = rest.casefold().replace("\u2019", "'").split(None, _SUBJECT)[:_SUBJECT]
    if name in QUESTION_WORDS or (name == "help" and len(words) > _HELP):
        return True
    verbs = _VERBS | _PLURAL if name.endswith("s") else _VERBS
    for word in words if name not in _ORDERS else ():
        plain = word.strip('.,:;!?()"`*_')
        if plain in verbs:
            return True
        if plain in _CLAUSE or word[-1] in ".,:;!?":
            return False
    return False


def as_comment(slug: str, line: str) -> str:
    """A command as a person is to write it: `@slug line`, or where that would read as a sentence `/hob
    line`."""
    name = line.partition(" ")[0]
    said = parse_commands(f"@{slug} {line}", slug, known=frozenset({name}))
    return f"@{slug} {line}" if [one.name for one in said] == [name] else f"/hob {line}"


def prose_of(text: str) -> str:
    """What its author says in it and readers see: no quotation, code block, heading or raw HTML, nothing that
    a mailer appended."""
    said = "\n".join(line for line, prose in _lines(text[:MOST_CHARS]) if prose)
    parts = said.split("<!--")
    kept = [parts[0], *(part.partition("-->")[2] for part in parts[1:])]
    return _UNSAID.sub(" ", "".join(kept))


def _lines(body: str) -> list[tuple[str, bool]]:
    """The comment's lines, each with whether it is prose in which a command may stand."""
    result: list[tuple[str, bool]] = []
    paragraph: list[str] = []
    is_open: Counter[str] = Counter()  # elements that quote, written as HTML: they go on over blank lines
    lines = list(read(body))
    lines = lines[: separator(lines)]
    formulas = _formulas(lines)
    for number, (line, block) in enumerate([*lines, ("", Block("blank", quoted=False))]):
        prose = block.kind == "prose" and not block.quoted
        if paragraph and not (prose and block.continues):
            seen = _seen(paragraph, is_open)
            first = number - len(paragraph)
            result += [
                (line, seen and place not in formulas)
                for place, (line, seen) in enumerate(zip(paragraph, seen, strict=True), first)
            ]
            paragraph = []
        if prose:
            paragraph.append(line)
            continue
        if block.kind not in ("code", "blank"):
            _seen([line], is_open)  # for the elements that it leaves open
        result.append((line, False))
    return result[:-1]


def _formulas(lines: list[tuple[str, Block]]) -> set[int]:
    """The lines of formulas between two lines of `$$` alone, whatever is between."""
    marks = [
        number
        for number, (line, block) in enumerate(lines)
        if block.kind == "prose" and not block.quoted and line.strip() == "$$"
    ]
    return {
        number for start, end in zip(marks[::2], marks[1::2], strict=False) for number in range(start, end)
    }


def _seen(paragraph: list[str], is_open: Counter[str]) -> list[bool]:
    """For each line of a paragraph whether its beginning is seen as text."""
    text = "\n".join(paragraph)
    if not is_open.total() and not _MARKS.search(text):
        return [True] * len(paragraph)
    codes = code_spans(text)
    outside = list(text)
    for start, end in codes:
        outside[start:end] = " " * (end - start)
    hidden = sorted([*_quoting("".join(outside), is_open), *codes, *_unseen(text), *_math("".join(outside))])
    result, place, until = [], 0, -1
    for line in paragraph:
        while hidden and hidden[0][0] < place:
            until = max(until, hidden.pop(0)[1])
        result.append(place >= until)
        place += len(line) + 1
    return result


def _math(text: str) -> Iterator[tuple[int, int]]:
    """The formulas in a paragraph: `$$…$$`, and `$…$` with no blank inside its ends, nor a letter or digit
    around them. https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/writing-mathematical-expressions
    """
    runs = [
        (run.start(2) + len(run[1]) % 2, run.end())
        for run in _DOLLARS.finditer(text)
        if run.end() > run.start(2) + len(run[1]) % 2
    ]
    double = [run for run in runs if run[1] - run[0] > 1]
    for (start, _), (_, end) in zip(double[::2], double[1::2], strict=False):
        yield start, end
    begun = -1
    for start, end in runs:
        before, after = text[start - 1 : start], text[end : end + 1]
        if end - start > 1:
            begun = -1
        elif begun >= 0 and not before.isspace() and not after.isalnum():
            yield begun, end
            begun = -1
        elif begun < 0 and after and not after.isspace() and not before.isalnum():
            begun = start


def _quoting(text: str, is_open: Counter[str]) -> Iterator[tuple[int, int]]:
    """The stretches of `text` inside elements that quote; counts in `is_open` those that it leaves open."""
    begun = -1 if is_open.total() else None
    attributes = [found.span() for found in _TAG.finditer(text)]
    for tag in _QUOTING.finditer(text):
        name = tag["name"].lower()
        around = bisect(attributes, (tag.start(), 0)) - 1
        if tag["end"] and around >= 0 and tag.start() < attributes[around][1]:
            continue  # an attribute's text: it ends nothing
        if not tag["end"]:
            begun = tag.start() if begun is None else begun
            is_open[name] += 1
        elif is_open[name]:
            is_open[name] -= 1
            if begun is not None and not is_open.total():
                yield begun, tag.start()
                begun = None
    if begun is not None:
        yield begun, len(text) + 1


def _unseen(text: str) -> Iterator[tuple[int, int]]:
    """The stretches of a paragraph that a reader does not see as its text."""
    if "\n" not in text:
        return
    for opening, closing in _COMMENTS:
        start = text.find(opening)
        while start >= 0 and (end := text.find(closing, start + len(opening))) >= 0:
            yield start, end + len(closing)
            start = text.find(opening, end)
    for found in _UNSEEN.finditer(text):
        if "\n" in found.group():
            yield found.span()
