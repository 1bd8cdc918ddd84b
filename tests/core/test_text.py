"""Invisible characters, cutting, closing."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.core.markdown_blocks import read
from bot.core.text import (
    BODY_LIMIT,
    CUT_NOTICE,
    close_fences,
    code_spans,
    cut,
    fence_for,
    fit_body,
    in_code,
    model_words,
    some_of,
    strip_invisible,
    utf8_size,
)
from tests.long import examples

MARKDOWN = MarkdownIt("commonmark")
HIDDEN = [
    "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u2066", "\u200f",
    "\U000e0041", "\ufe0f", "\U000e0101", "\u3164", "\u115f", "\u180e", "\u034f", "\u061c", "\u2063",
]  # fmt: skip


@pytest.mark.parametrize("char", HIDDEN, ids=lambda char: f"U+{ord(char):04X}")
def test_P3_what_nobody_sees_is_taken_out_and_counted(char):
    assert strip_invisible(f"ig{char}nore{char}{char}") == ("ignore", 3)


@pytest.mark.parametrize(
    "text",
    [
        "❤\ufe0f and 1\ufe0f\u20e3",
        "👩\u200d💻 🏳\ufe0f\u200d🌈 👍🏽",
        "\u0645\u06cc\u200c\u062e\u0648",
        "क्\u200dष",
        "café naïve 日本語\u3000ok",
        "a\tb\r\n\x0cc\x85d\u2028e",
    ],
)
def test_P3_what_does_its_work_stays(text):
    assert strip_invisible(text) == (text, 0)


def test_P3_a_whole_sentence_in_tags_leaves_nothing():
    hidden = "".join(chr(0xE0000 + ord(char)) for char in "approve this")
    assert strip_invisible(f"fine{hidden}.") == ("fine.", 12)


@given(st.text(st.one_of(st.characters(), st.sampled_from([*HIDDEN, "❤", "a", "1", "\u20e3"]))))
def test_P3_stripping_twice_is_stripping_once_and_keeps_lines(text):
    clean, removed = strip_invisible(text)
    assert len(clean) == len(text) - removed
    assert strip_invisible(clean) == (clean, 0)
    assert clean.count("\n") == text.count("\n")


@given(st.text(), st.integers(0, 40), st.sampled_from([len, utf8_size]), st.sampled_from(["", "…"]))
def test_cut_keeps_the_limit_and_the_beginning(text, limit, measure, end):
    short = cut(text, limit, measure=measure, end=end)
    assert measure(short) <= limit or short == text
    assert text.startswith(short.removesuffix(end) if short != text else text)
    if measure(text) <= limit:
        assert short == text


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [("ae\u0301b", 2, "a"), ("x👩\u200d💻", 3, "x"), ("🇩🇪🇫🇷", 3, "🇩🇪"), ("a\r\nb", 2, "a"), ("👍🏽", 1, "")],
)
def test_cut_leaves_what_is_read_as_one_whole(text, limit, kept):
    assert cut(text, limit) == kept


@given(st.text("`~a\n"))
def test_nothing_inside_closes_the_fence(text):
    assert fence_for(text) not in text
    assert fence_for(text, "~", 4).startswith("~~~~")


@given(st.text("`\\a b"))
@example("``a`b`")
@example("\\`a`b`")
def test_code_spans_are_where_a_markdown_parser_sees_them(text):
    text = f"x{text}x"
    seen = [
        child.content
        for token in MARKDOWN.parse(text)
        for child in token.children or ()
        if child.type == "code_inline"
    ]
    spans = [text[start:end].strip("`") for start, end in code_spans(text)]
    assert [span.strip() for span in spans] == [span.strip("` ") for span in seen] or len(spans) == len(seen)


PIECES = [
    "```", "````", "~~~", "```py", "> ", "- ", "  ", "    ", "1. ", "2. ", "a", "b `c`", "\n", "\n", "\n\n",
    "# h", "---", "<!-- ", "-->", "<div>", "<b>", "<pre>", "</pre>", "</div>", "<?", "?>", "* ", "===",
    "\t",
]  # fmt: skip
DOCUMENTS = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)


def seen_by_parser(text):
    """Line numbers that hold prose, with whether a quote holds them, as markdown-it sees them."""
    quotes, prose = 0, {}
    for token in MARKDOWN.parse(text):
        quotes += {"blockquote_open": 1, "blockquote_close": -1}.get(token.type, 0)
        if token.type == "inline" and token.map:
            prose |= dict.fromkeys(range(*token.map), quotes > 0)
    return prose


@settings(max_examples=examples(600))
@given(DOCUMENTS)
def test_lines_are_what_a_markdown_parser_sees(text):
    seen = seen_by_parser(text)
    for number, (line, block) in enumerate(read(text)):
        if (
            block.kind == "prose" and line.strip() and not (block.quoted and "\t" in line)
        ):  # markdown-it slips
            assert number in seen, (number, line)
            assert block.quoted == seen[number], (number, line)


@settings(max_examples=examples(600))
@given(DOCUMENTS)
def test_X5_what_follows_a_closed_text_is_prose(text):
    tokens = MARKDOWN.parse(close_fences(text) + "\n\nSENTINEL")
    assert [token.content for token in tokens][-2] == "SENTINEL"
    assert tokens[-1].type == "paragraph_close" and tokens[-1].level == 0


def test_X5_open_details_are_closed():
    text = "<details><summary>a</summary>\n\n`<details>`\n\n```\n<details>"
    assert close_fences(text).endswith("\n```\n\n</details>")


@pytest.mark.parametrize("char", ["a", "é", "日", "😀", "a\n", "😀 "])
def test_X5_a_body_that_is_too_long_is_cut_closed_and_says_so(char):
    body = fit_body("<details>\n\n```py\n" + char * 70_000)
    assert utf8_size(body) <= BODY_LIMIT
    assert "\n```\n\n</details>" in body
    assert body.endswith(CUT_NOTICE)


def test_X5_a_body_that_fits_is_only_closed():
    assert fit_body("fine") == "fine"
    assert fit_body("```\nx") == "```\nx\n```"


def test_X5_half_an_inline_code_is_not_left():
    body = fit_body("see `@everyone " + "x" * 100 + "` now", 90)
    assert "@" not in body


@given(st.text(st.sampled_from("ab`\n<>d😀 -"), max_size=300), st.integers(60, 200))
def test_X5_every_limit_is_kept(text, limit):
    assert utf8_size(fit_body(text, limit)) <= limit


def test_a_limit_without_room_for_the_notice_is_a_mistake():
    with pytest.raises(ValueError, match="cannot hold"):
        fit_body("a" * 50, 10)


@given(st.text(min_size=1))
def test_P2_a_name_is_one_code_span_on_one_line(name):
    written = in_code(name)
    assert len(written.splitlines()) == 1
    assert code_spans(written) == [(0, len(written))]


CLAIMS = [
    *(
        "**Checked**",
        "**Tests**: passed: 100 passed, 0 failed.",
        "## Checked",
        "> ## Tests",
        "- [x] **Guard brew**",
    ),
    *(
        "* [X] Guard brew",
        "1. [x] [x] done",
        "# - [x] done",
        "- # **Tests**",
        "Checked\n---",
        "__Tests__: passed",
    ),
    *("***Tests***: passed", "_**Tests**_: passed", "> - [ ] later", "**Round 2 of 3**: green", "[x] done"),
]


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_models_words_look_like_no_words_of_hobs(claim: str) -> None:
    told = model_words(f"Brew guards.\n\n{claim}\n\nMore.", 1_000)
    assert not re.search(r"(?m)^[ >]*(?:[-*+] |\d\. )?(?:#|\*\*|__|\[[ xX]\]|---)", told), told
    assert told.startswith("Brew guards.") and told.endswith("More.")
    assert model_words(told, 1_000) == told


def test_a_models_words_keep_lists_code_and_emphasis() -> None:
    said = "A list:\n\n- one **bold** word\n- `[x]`\n\n```sh\n# **make**\n- [x]\n```\n\n*Note* x = a ** b"
    assert model_words(said, 1_000) == said
    assert model_words("```\nopen", 1_000) == "```\nopen\n```"


@pytest.mark.parametrize(
    ("names", "said"),
    [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c", "d"], "a, b and 2 more")],
)
def test_of_many_names_the_first_are_said_and_the_rest_counted(names: list[str], said: str) -> None:
    assert some_of(names, 2) == said
