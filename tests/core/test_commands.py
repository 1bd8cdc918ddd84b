"""Where in a comment a command stands, as a person would see the comment on GitHub."""

# ruff: noqa: RUF001

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.core.commands import MOST_COMMANDS, Command, as_comment, parse_commands
from tests.spent import Spent

KNOWN = frozenset({"review", "ask", "help", "fix", "catch-up"})
MARKDOWN = MarkdownIt("commonmark")


def parse(body, previous=None, slug="hob-bot"):
    return parse_commands(body, slug, previous, known=KNOWN)


REVIEW = (Command("review"),)


@pytest.mark.parametrize(
    ("body", "commands"),
    [
        ("@hob-bot review", REVIEW),
        ("@Hob-Bot REVIEW", REVIEW),
        ("@hob-bot[bot] review", REVIEW),
        ("/hob review", REVIEW),
        ("   /hob review  ", REVIEW),
        ("@hob-bot: review.", REVIEW),
        ("@hob-bot review full", (Command("review", "full"),)),
        ("/hob fix  2 please", (Command("fix", "2 please"),)),
        ("/hob catch-up", (Command("catch-up"),)),
        ("thanks\r\n@hob-bot review\r\n", REVIEW),
        ("- a\n- b\n@hob-bot review", REVIEW),
        ("@hob-bot why is this slow?", (Command("ask", "why is this slow?"),)),
        ("@hob-bot ask why?\n\n```\ncode\n```", (Command("ask", "why?\n\n```\ncode\n```"),)),
        ("@hob-bot\nwhat now?", (Command("ask", "what now?"),)),
        ("@hob-bot", (Command("help"),)),
        ("/hob frobnicate now", (Command("frobnicate", "now"),)),
        (
            "/hob review\n@hob-bot ask a\nb\n/hob fix 1\nc",
            (Command("review"), Command("ask", "a\nb"), Command("fix", "1")),
        ),
        ("> quoted\n\n@hob-bot review", REVIEW),
        ("```\ncode\n```\n@hob-bot review", REVIEW),
        ("`code` and <!-- done -->\n@hob-bot review", REVIEW),
        ("see `<!--` there\n\n@hob-bot review", REVIEW),
        ("<details>\n<summary>more</summary>\n\n@hob-bot review\n\n</details>", REVIEW),
    ],
)
def test_commands_as_people_write_them(body, commands):
    assert parse(body) == commands


@pytest.mark.parametrize(
    "body",
    [
        "please @hob-bot review",
        "@hob-botreview",
        "@hob-bot-two review",
        "@hob review",
        "/hobby review",
        "/hob/review",
        "https://x/hob review",
        "- @hob-bot review",
        "# @hob-bot review",
        "**@hob-bot review**",
        "    @hob-bot review",
        "\t@hob-bot review",
        "@h\u200bob-bot review",
        "@hob-bot\u200b review",
        "@hob\u2010bot review",
        "\u200b@hob-bot review",
        "\u2028@hob-bot review",
        "x\u2028@hob-bot review",
        "\uff20hob-bot review",
        "/h\u043eb review",
    ],
)
def test_what_is_no_command(body):
    assert parse(body) == ()


@pytest.mark.parametrize(
    "body",
    [
        "> @hob-bot review",
        ">@hob-bot review",
        "> a\n@hob-bot review",
        "- > a\n  @hob-bot review",
        "```\n@hob-bot review\n```",
        "````\n```\n@hob-bot review\n````",
        "~~~\n@hob-bot review\n~~~",
        "```\n@hob-bot review",
        "- ```\n  @hob-bot review\n  ```",
        "- a\n\n  ```\n  x\n\n  @hob-bot review\n  ```",
        "1. ~~~~\n   ~~~\n   @hob-bot review\n   ~~~~",
        "`a\n@hob-bot review\n`",
        "``a `\n@hob-bot review\nb``",
        "<!--\n@hob-bot review\n-->",
        "<!-- a\n\n@hob-bot review",
        "a <!-- b\n@hob-bot review\n-->",
        "- <!--\n\n  @hob-bot review\n  -->",
        "<?\n@hob-bot review\n?>",
        "<![CDATA[\n@hob-bot review\n]]>",
        "<pre>\n@hob-bot review\n</pre>",
        "a <code>\n@hob-bot review\n</code>",
        "<blockquote>\n\n@hob-bot review\n\n</blockquote>",
        "<script>\n@hob-bot review\n</script>",
        "a <b title='\n@hob-bot review\n'>",
        "![a\n@hob-bot review\n](x)",
        '[a](b "\n@hob-bot review\n")',
        '[a]: b "\n@hob-bot review\n"',
    ],
)
def test_A7_no_command_in_quotes_code_or_what_nobody_sees(body):
    assert parse(body) == ()


def test_a_look_alike_of_a_name_is_no_name():
    assert parse("/hob revi\u0435w") == (Command("ask", "revi\u0435w"),)
    assert parse("@hob-bot as\u212a x") == (Command("ask", "as\u212a x"),)
    assert parse("@hob-bot re\u200bview") == (Command("ask", "re\u200bview"),)


def test_A2_an_edit_gives_only_what_it_added():
    assert parse("@hob-bot review\nmore", "@hob-bot review") == ()
    assert parse("@hob-bot review\n/hob fix 1", "@hob-bot review") == (Command("fix", "1"),)
    assert parse("@hob-bot review", "@hob-bot help") == REVIEW
    assert parse("/hob review\n\n/hob review", "/hob review") == REVIEW
    assert parse("@hob-bot why?\n\nmore words", "@hob-bot why?") == ()
    assert parse("@hob-bot why not?", "@hob-bot why?") == (Command("ask", "why not?"),)
    assert parse("@hob-bot review", "> @hob-bot review") == REVIEW


def test_only_so_many_commands_of_a_comment_count():
    many = "\n".join(f"/hob fix {number}" for number in range(20))
    assert len(parse(many)) == MOST_COMMANDS


@given(st.text(), st.none() | st.text(), st.text())
def test_no_text_is_too_odd(body, previous, slug):
    parse_commands(body, slug, previous, known=KNOWN)
    parse_commands(f"@{slug} {body}", slug, previous, known=KNOWN)


PIECES = [
    "@hob-bot review", "/hob review", "@hob-bot review", "\n", "\n", "\n", "\n\n", " ", "  ", "    ", "\t",
    "> ", "- ", "1. ", "2. ", "```", "~~~", "````", "`", "``", "<!--", "-->", "<pre>", "</pre>", "<code>",
    "</code>", "<blockquote>", "</blockquote>", "<b title='", "'>", "<?", "?>", "![", "](x)", "[a]: ", "\"",
    "# ", "---\n", "text", "\\", "<details>", "<div>", "</div>", "(", ")", "\r\n",
]  # fmt: skip


def seen_lines(body):
    """The beginnings of the prose lines that a reader sees outside of quotes and code, by markdown-it."""
    quotes = code = 0
    for token in MARKDOWN.parse(body):
        quotes += {"blockquote_open": 1, "blockquote_close": -1}.get(token.type, 0)
        if token.type == "html_block":
            code += len(re.findall(r"<(?:code|blockquote)", token.content)) - len(
                re.findall(r"</(?:code|blockquote)", token.content)
            )
            continue
        if token.type != "inline" or quotes:
            continue
        line = ""
        for child in token.children:
            if child.type in ("softbreak", "hardbreak"):
                yield line
                line = ""
            elif child.type == "html_inline":
                code += child.content.startswith(("<code", "<blockquote")) - child.content.startswith(
                    ("</code", "</blockquote")
                )
                line += "\0"
            elif child.type == "text" and code <= 0:
                line += child.content
            else:
                line += "\0"
        yield line


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_A7_every_command_is_a_line_that_a_reader_sees(body):
    numbers = iter(range(99))
    body = re.sub("review", lambda _: f"review x{next(numbers)}", body)
    seen = [line for line in seen_lines(body) if re.match(r"(?:@hob-bot|/hob)(?![\w/-])", line.lstrip())]
    for command in parse_commands(body, "hob-bot", known=frozenset({"review"})):
        if command.name == "review":
            number = re.match(r"x\d+", command.argument).group()
            assert any(f"review {number}" in line for line in seen), (command, body)


@pytest.mark.parametrize(
    "text",
    ["<!--" * 16_000, "`" * 60_000, "<a '" * 16_000, "> " * 30_000, "![" * 30_000, "- " * 30_000,
     "``a`" * 15_000, "-\t" * 30_000, "1. " * 20_000, "> - " * 15_000, "- " * 500 + "x\n" + "\n" * 60_000,
     "\n".join("  " * min(depth, 400) + "- x" for depth in range(500)), "$" * 60_000, "$a " * 20_000,
     "<code>" * 9_000, "a\n" * 30_000, "<a\n" * 20_000, "](\n" * 20_000, "[\n" * 30_000, "From:\n" * 10_000],
    ids=lambda text: text[:5],
)  # fmt: skip
def test_hostile_comments_are_not_slow(text):
    """In processor time, so that a busy machine changes nothing."""
    with Spent() as spent:
        parse(text)
    assert spent.seconds < 2


def test_A7_what_is_nested_deeper_than_GitHub_draws_gives_no_command():
    assert parse("- " * 101 + "> a\n@hob-bot review") == ()
    assert parse("- " * 99 + "a\n\n@hob-bot review") == REVIEW


@pytest.mark.parametrize("blank", ["\u00a0", "\t", "\u3000", "\u2003", "\u202f", " \u00a0 ", "\u00a0\u00a0"])
def test_any_blank_after_the_mention_is_one(blank):
    for name in ("@hob-bot", "@HOB-Bot", "/hob", "/HOB"):
        assert parse(f"{name}{blank}Review") == REVIEW
        assert parse(f"{name}{blank}fix{blank}2 please") == (Command("fix", "2 please"),)
    assert parse(f"{blank.strip(chr(9))}@hob-bot review") == REVIEW


@pytest.mark.parametrize("said", ["@hob-bot：review", "@hob-bot，review。", "@hob-bot: Review!"])
def test_a_comma_or_colon_of_the_keyboard_at_hand_is_one(said):
    assert parse(said) == REVIEW


@pytest.mark.parametrize(
    "body",
    [
        "$$\n@hob-bot review\n$$",
        "$$ a\n@hob-bot review\nb $$",
        "so $$a\n@hob-bot review\n$$ it is",
        "$$\na\n\n@hob-bot review\n\n$$",
        "let $a\n@hob-bot review\nb$ be",
        "let $`a\n@hob-bot review\nb`$ be",
        "```math\n@hob-bot review\n```",
    ],
)
def test_A7_a_formula_is_code(body):
    assert parse(body) == ()


@pytest.mark.parametrize(
    "body",
    [
        "it costs $5\n@hob-bot review",
        "from $5\n@hob-bot review\nto $6",
        "$HOME\n@hob-bot review\nand $PATH",
        "a \\$$ b\n@hob-bot review\n$$",
        "`$$`\n@hob-bot review\n`$$`",
        "$$\n@hob-bot review",
        "$$ x $$\n@hob-bot review\n$$ y $$",
    ],
)
def test_dollars_are_no_formula(body):
    assert parse(body) == REVIEW


def test_A7_an_attribute_that_spells_a_closing_tag_ends_no_quote():
    body = "<blockquote><b title='</blockquote>'>\n@hob-bot review"
    assert parse_commands(f"@hob-bot help {body}", "hob-bot", known=frozenset({"review", "help"})) == (
        Command("help", "<blockquote><b title='</blockquote>'>"),
    )


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("@hob-app why 2", Command("why", "2")),
        ("@hob-app why #2", Command("why", "#2")),
        ("@hob-app why", Command("why")),
        ("@hob-app why is this cached?", Command("ask", "why is this cached?")),
        ("/hob why is this cached?", Command("why", "is this cached?")),
    ],
)
def test_a_question_that_begins_like_a_command_is_a_question(body: str, command: Command) -> None:
    assert parse_commands(body, "hob-app", known=frozenset({"why", "ask"})) == (command,)


NAMES = frozenset({"ask", "tests", "docs", "plan", "review", "undo", "triage", "help", "remember", "fix"})
NAMES |= {"summary", "changelog", "dismiss", "standup"}


@pytest.mark.parametrize(
    "said",
    [
        "tests are failing on main",
        "Tests in CI are red again, any idea?",
        "tests fail since Monday",
        "docs are wrong about the kettle",
        "docs say the opposite",
        "plan B is better",
        "review isn\u2019t done yet",
        "undo was a mistake",
        "triage should leave these alone",
        "changelog has no entry for it",
        "help me understand this line",
        "summary looks off to me",
        "Tests sind kaputt",
        "docs sont faux",
        "tests fallan desde ayer",
    ],
)
def test_a_sentence_that_begins_with_a_commands_name_is_a_question_and_no_order(said: str) -> None:
    name, _, rest = said.partition(" ")
    assert parse_commands(f"@hob-app {said}", "hob-app", known=NAMES) == (Command("ask", said),)
    assert parse_commands(f"/hob {said}", "hob-app", known=NAMES) == (Command(name.lower(), rest),)
    assert as_comment("hob-app", said) == f"/hob {said}"


@pytest.mark.parametrize(
    "said",
    [
        "tests",
        "tests please",
        "tests for what is new",
        "tests: they are missing for the pot",
        "docs: say that it is hot",
        "plan the work that is left",
        "plan in small steps, the last one was too coarse",
        "review again? it is ready",
        "review full",
        "review focus on errors that are swallowed",
        "review this please, the build is green",
        "undo",
        "undo that is wrong",
        "help review",
        "remember Tests are run with pytest",
        "dismiss 2 this is fine",
        "fix 2 the name is wrong",
        "fix the typo",
        "standup since 3 days",
    ],
)
def test_an_order_stays_one_whatever_is_said_after_it(said: str) -> None:
    (command,) = parse_commands(f"@hob-app {said}", "hob-app", known=NAMES)
    assert f"{command.name} {command.argument}".strip() == said.replace(":", "", 1)


BLANKS = ["\u00a0", "\u2003", "\u202f", "\u3000", "\t", " \u00a0 "]


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("called", ["@hob-bot", "@HOB-Bot", "/hob", "/HOB"])
def test_any_blank_may_stand_after_the_name_in_any_case(called, blank):
    assert parse(f"{called}{blank}Review") == REVIEW


# What mail programs set above the mail that they answer, where they set no `>` before its lines.
ABOVE = [
    "-----Original Message-----\nFrom: Eve <eve@x.example>\nSent: Monday\nTo: Ann",
    "-------- Ursprüngliche Nachricht --------",
    "---------- Forwarded message ---------",
    "----- Mensaje original -----",
    "________________________________\nFrom: Eve <eve@x.example>\nSent: Monday, 1 December 2025 10:00",
    "________________________________\nVon: Eve\nGesendet: Montag",
    "From: Eve\nDate: Monday\nSubject: Re: tea",
    "*From:* Eve\n*Sent:* Monday",
    "发件人: Eve\n发送时间: 2025",
    "On Mon, Dec 1, 2025 at 10:00 AM Eve <eve@x.example> wrote:",
    "On Mon, Dec 1, 2025 at 10:00 AM Eve\n<eve@x.example> wrote:",
    "On Mon, Dec 1, 2025 at 10:00\u202fAM Eve ***@***.***>\nwrote:",
    "Am 01.12.2025 um 10:00 schrieb Eve:",
    "Le lun. 1 déc. 2025 à 10:00, Eve <eve@x.example> a écrit :",
    "El lun, 1 dic 2025 a las 10:00, Eve (<eve@x.example>) escribió:",
    "Den mån 1 dec. 2025 kl 10:00 skrev Eve <eve@x.example>:",
    "W dniu 1.12.2025 o 10:00, Eve napisał(a):",
    "пн, 1 дек. 2025 \N{CYRILLIC SMALL LETTER GHE}. в 10:00, Eve <eve@x.example> пишет:",
    "Eve <eve@x.example> 于2025年12月1日周一 10:00写道\N{FULLWIDTH COLON}",
    "2025年12月1日(月) 10:00 Eve <eve@x.example> のメール:",
    "Reply to this email directly, view it on GitHub, or unsubscribe.",
    "\u2014\nReply to this email directly",
    "You are receiving this because you were mentioned.",
    "Begin forwarded message:",
    "Sent from my iPhone",
    "Get Outlook for iOS<https://aka.ms/x>",
]


@pytest.mark.parametrize("above", ABOVE)
@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n\nHi Ann,\n\n"])
def test_A7_what_an_answering_mail_quotes_without_a_mark_gives_no_command(above, gap):
    quoted = f"{above}{gap}@hob-bot review\n"
    assert parse(f"Thanks, I'll look.\n\n{quoted}") == ()
    assert parse(f"@hob-bot fix 2\n\n{quoted}") == (Command("fix", "2"),)
    assert parse(quoted) == ()


@pytest.mark.parametrize(
    "above",
    [
        "Ann wrote about it at length.",
        "As said before:",
        "It was 10:00 when I saw this:",
        "See also: from here on",
        "From: is a header",
        "To: everybody",
        "---",
    ],
)
def test_prose_is_no_mail(above):
    assert parse(f"{above}\n\n@hob-bot review") == REVIEW


@pytest.mark.parametrize(
    "body",
    [
        "$$\n@hob-bot review\n$$",
        "$$ x\n@hob-bot review\ny $$",
        "a $x +\n@hob-bot review + y$ b",
        "$`a\n@hob-bot review`$",
    ],
)
def test_A7_a_formula_gives_no_command(body):
    assert parse(body) == ()


@pytest.mark.parametrize("body", ["it costs $5\n@hob-bot review\nor $6", "$$ alone\n@hob-bot review"])
def test_a_price_is_no_formula(body):
    assert parse(body) == REVIEW


@pytest.mark.parametrize("mark", ["- ", "> ", "1. ", "* > "])
def test_A7_what_nests_deeper_than_anybody_writes_gives_no_command(mark):
    assert parse(mark * 150 + "@hob-bot review") == ()
    assert parse(mark * 150 + "x\n\n\n@hob-bot review") == REVIEW
