"""What a model wrote can be read on GitHub, and nothing in it acts."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.core.text import CUT_NOTICE, utf8_size
from bot.sanitise import MOST_BYTES, harmless, plain, suggestion_block
from tests.long import examples
from tests.spent import Spent

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OWN = "https://github.com/o/r/blob/main/src/a.py#L3-L9"
ACTS = re.compile(
    r"@[a-z0-9_]|#[0-9]|(?<![a-z0-9])gh-[0-9]|[a-z0-9]://|(?<![a-z0-9])www\.\S|(?<![a-z0-9])mailto:\S|(?<![a-z0-9])bors(?![a-z0-9])",
    re.IGNORECASE,
)
ORDER = re.compile(
    r"^\s*(?:(?:/[a-z][\w-]*|!merge|\.deploy)(?=\s|$)|@?bors r|@dependabot +\w|@mergifyio +\w)",
    re.MULTILINE | re.IGNORECASE,
)


def clean(text: str) -> str:
    return harmless(text, repo="o/r")


def outside_code(text):
    """Every text that GitHub would look at, and every token that acts by itself."""
    for token in MARKDOWN.parse(text):
        yield token
        yield from token.children or ()


def assert_harmless(text: str) -> None:
    for token in outside_code(text):
        assert token.type not in ("html_block", "html_inline", "image"), (token, text)
        if token.type == "text":
            assert not ACTS.search(token.content), (token.content, text)
        if token.type == "link_open":
            assert str(token.attrs["href"]).startswith("https://github.com/o/r/blob/"), text
        if token.type == "fence":
            assert not token.info.startswith(("suggestion", "mermaid", "math"))
    assert not re.search(r"<!-- hob:v1 .*-->\s*\Z", text)


HOSTILE = [
    "@user", "@org/team", "#1", "o/r#1", "GH-1", "fixes #1", "closes: o/r#7", "a@b.example", "u@deadbeef1",
    "https://github.com/o/r/issues/1",
    "https://github.com/o/r/commit/a5c3785ed8d6a35868bc169f07e40e889087fd2e", "www.evil.example/?q=secret",
    "mailto:a@b.example", "http://evil.example?d=1", "//evil.example/x.png",
    "![x](https://evil.example/x.png?d=s)", "![x][r]", "[r]: //evil.example/i.png\n",
    "<img src=//evil.example/i>", "<https://evil.example>", "[text #1 @user](https://evil.example)",
    f"[own]({OWN})", "[r]", "/merge", "bors r+", "@dependabot merge", "@mergifyio queue", "/hob fix",
    "ok to test", "!merge", ".deploy", "<!-- hob:v1 key mac -->", "<!--", "-->", "<b>", "</b>", "<details>",
    "</details>", "<T>", "<script>", "&#64;user", "&commat;user", "\\@user", "\\#1", "@<!-- -->user",
    "#<b></b>1", "&lt;img&gt;", "$\\href{https://e}{x}$", "$$", "\u2028/merge", "\u200b", "\u202e", "\x0b",
    "\x00", "\ud800",
]  # fmt: skip
SHAPES = [
    "\n", "\n\n", " ", "  ", "    ", "\t", "- ", "* ", "+ ", "1. ", "2) ", "> ", "# ", "### ", "---\n",
    "===\n", "***\n", "```\n", "```suggestion\n", "~~~\n", "````py\n", "| ", " |\n", "|---|---|\n", "`",
    "``", "*", "**", "_", "__", "~~", "~", "[", "]", "](", ")", "!", "!\\[", "\\", "<", ">", "&amp;",
    "word", "two words", "a_b", "1", "=", "$", ":", "[^1]", "[^1]: ", "[x] ", "é", "日本", "😀", "(", "|",
    "  \n", "\\\n", "\r\n", "\r", "{", "- [ ] ", "\u00a0",
]  # fmt: skip
DOCUMENTS = st.lists(
    st.sampled_from(HOSTILE) | st.sampled_from(SHAPES) | st.text(max_size=4), max_size=30
).map("".join)


@settings(max_examples=examples(1000), deadline=None)
@given(DOCUMENTS)
def test_X2_X3_X4_nothing_acts_whatever_is_written(text):
    assert_harmless(clean(text))


@settings(max_examples=examples(1000), deadline=None)
@given(DOCUMENTS)
def test_what_went_through_once_goes_through_unchanged(text):
    once = clean(text)
    assert clean(once) == once


@settings(max_examples=examples(1000), deadline=None)
@given(DOCUMENTS)
def test_X4_no_raw_line_orders_another_bot(text):
    assert not ORDER.search(clean(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("thanks @user and @org/team", "thanks `@user` and `@org/team`"),
        ("#1, o/r#2 and GH-3", "`#1`, `o/r#2` and `GH-3`"),
        ("Fixes #4", "Fixes `#4`"),
        ("- see https://github.com/o/r/issues/5.", "- see `https://github.com/o/r/issues/5`."),
        ("| a |\n|---|\n| @x |", "| a |\n| --- |\n| `@x` |"),
        ("[closes #1](https://github.com/o/r/issues/1)", "closes `#1` (`https://github.com/o/r/issues/1`)"),
        ("&#64;user \\@user @<!-- -->user", "`@user` `@user` `@user`"),
        ("**@user**", "**`@user`**"),
        ("in abc1234f", "in `abc1234f`"),
        ("in deadbeef and 1234567, a decade", "in `deadbeef` and `1234567`, a decade"),
        ("x@-evil.example", "`x@-evil.example`"),
        ("ask x@.evil.example or x@--a.b", "ask `x@.evil.example` or `x@--a.b`"),
        ("mail a@b.example", "mail `a@b.example`"),
        ("www.`a b` @user", "`www.a b` `@user`"),  # GitHub reads a bare address on through ticks
        ("www.\u3000`a b` @user", "`www.`\u3000`a b` `@user`"),
        ("www.~~`a b`~~ @user", "`www.`~~`a b`~~ `@user`"),
    ],
)
def test_X3_references_stand_in_code(text, shown):
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![alt](https://e.example/x.png)", "alt"),
        ("![alt][r] b\n\n[r]: //e.example/x.png", "alt b"),
        ('a <img src="//e.example/x"> b', "a  b"),
        ("<https://e.example/?q=1>", "`https://e.example/?q=1`"),
        ("[text](https://e.example/?q=1 'title')", "text (`https://e.example/?q=1`)"),
        ("[text](//e.example)", "text (`//e.example`)"),
        ("[text](javascript:alert(1))", "[text\\](javascript:alert(1))"),
        (f"[here]({OWN})", f"[here]({OWN})"),
        ("[t](https://github.com/o/r/blob/../../x/y)", "t (`https://github.com/o/r/blob/../../x/y`)"),
        ("[t](https://github.com/o/r/blob/main/a?d=1)", "t (`https://github.com/o/r/blob/main/a?d=1`)"),
        ("[t](https://github.com/o/r/pull/1)", "t (`https://github.com/o/r/pull/1`)"),
        (
            "[`#1`](https://redirect.github.com/o/r/issues/1)",
            "[`#1`](https://redirect.github.com/o/r/issues/1)",
        ),
        (
            "[#1](https://redirect.github.com/o/r/issues/1)",
            "[`#1`](https://redirect.github.com/o/r/issues/1)",
        ),
        ("[t](https://redirect.github.com/o/s/issues/1)", "t (`https://redirect.github.com/o/s/issues/1`)"),
        (
            "[t](https://redirect.github.com/o/r/issues/1?a)",
            "t (`https://redirect.github.com/o/r/issues/1?a`)",
        ),
        ("[t](https://redirect.github.com/o/r/settings)", "t (`https://redirect.github.com/o/r/settings`)"),
        ("https://redirect.github.com/o/r/issues/1", "`https://redirect.github.com/o/r/issues/1`"),
        ("[t](https://github.com/o/rr/blob/main/a)", "t (`https://github.com/o/rr/blob/main/a`)"),
    ],
)
def test_X2_images_go_and_foreign_links_are_shown_as_code(text, shown):
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/merge", "`/merge`"),
        ("ok\n/lgtm cancel", "ok\n`/lgtm` cancel"),
        ("bors r+", "`bors` `r+`"),
        ("please @dependabot merge", "please `@dependabot` merge"),
        ("@mergifyio queue", "`@mergifyio` queue"),
        ("/hob fix", "`/hob` fix"),
        ("ok to test", "`ok` to test"),
        ("well, ok to test", "well, `ok` to test"),
        ("now retest this please", "now `retest` this please"),
        ("I add to whitelist", "I `add` to whitelist"),
        ("recheck the gate failed", "`recheck` the gate failed"),
        ("```\n  recheck\n```", "> ```\n>   recheck\n> ```"),
        ("```\nok to test\n```", "> ```\n> ok to test\n> ```"),
        ("atlantis apply", "`atlantis` apply"),
        ("- Terraform apply -auto-approve", "- `Terraform` apply -auto-approve"),
        ("> digger apply\n\nterrateam: unlock", "> `digger` apply\n\n`terrateam`: unlock"),
        ("pre-commit.ci autofix", "`pre-commit.ci` autofix"),
        ("bugbot run", "`bugbot` run"),
        ("please test this", "`please` test this"),
        ("LGTM", "`LGTM`"),
        ("Use Atlantis or Terraform here.", "Use Atlantis or Terraform here."),
        ("```\natlantis apply\n```", "> ```\n> atlantis apply\n> ```"),
        ("```\n/merge\n```", "> ```\n> /merge\n> ```"),
        ("> ```\n> /merge\n> ```", "> ```\n> /merge\n> ```"),
    ],
)
def test_X4_orders_to_other_bots_are_no_orders(text, shown):
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!-- hob:v1 00 11 -->fine", "fine"),
        ("a <!-- x --> b", "a  b"),
        ("<!-- open\n\n/merge", ""),
        ("Use List<String> and <b>bold</b>", "Use List`<String>` and bold"),
        ("<details>\n<summary>More</summary>\n\ntext\n\n</details>", "More\n\ntext"),
        ("a\n\n<script>\nalert(1)\n</script>", "a"),
        ("if a < b && c > d: x <- y", "if a < b && c > d: x <- y"),
    ],
)
def test_raw_html_and_markers_go_and_their_text_stays(text, shown):
    assert clean(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        'Plain words, with a_name, 1.5 * 2... no: "quotes" (brackets) [x] 50% & more.',
        "**bold** and _em_ and ~~gone~~ and `@code #1`",
        "# Title\n\n- one\n- two\n  - three\n\n1. a\n2. b",
        "```py\n@decorator\ndef f(): return '#1'\n```",
        "> quoted\n\nand on",
        "- a\n\n  ```sh\n  ls\n  ```\n\n  more",
        "| a | b |\n| --- | --: |\n| `x` | 1 |",
        "- [ ] open\n- [x] done",
    ],
)
def test_what_is_harmless_already_stays_as_it_is(text):
    assert clean(text) == text.replace("1.5 * 2", "1.5 \\* 2")


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Mn"]), max_size=80).filter(
        lambda text: text.isprintable()
    )
)
def test_code_stays_to_the_letter(code):
    fence = "`" * 90
    shown = clean(f"{fence}\n{code}\n{fence}")
    (token,) = [token for token in MARKDOWN.parse(shown) if token.type == "fence"]
    assert token.content.removesuffix("\n") == harmless_code(code)


def harmless_code(code):
    from bot.core.text import strip_invisible

    return strip_invisible(code)[0]


@pytest.mark.parametrize("nested", ["> " * 25, "- " * 15, "".join(f"{'  ' * n}- a\n" for n in range(14))])
def test_what_nests_too_deep_is_shown_as_code_not_lost(nested):
    text = f"{nested}deep @user"
    assert clean(text) == f"```\n{text}\n```"
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize("entity", ["&#8203;", "&#x202e;", "&ZeroWidthSpace;", "&#xe0041;"])
def test_P3_an_entity_brings_no_unseen_character(entity):
    assert clean(f"a{entity}b") == "ab"


@pytest.mark.parametrize("sign", ["\\", "[", "![", "[a](", "`a", "*a_", "<!--", "&", "> ", "a\n- "])
def test_X5_100_kb_of_one_sign_take_bounded_time(sign):
    with Spent() as spent:
        clean((sign * 100_000)[:100_000])
    assert spent.seconds < 30, "seconds; a square takes minutes"


def test_X7_a_model_cannot_offer_a_suggestion_in_its_prose():
    assert clean("```suggestion\nimport os\n```") == "```text\nimport os\n```"
    assert clean("```suggestion:-0+1\nx\n```").startswith("```text")
    assert clean('```mermaid\nclick A href "https://e.example"\n```').startswith("```text")


@given(st.text())
def test_X7_a_suggestion_cannot_be_broken_out_of(text):
    block = suggestion_block(text)
    if block is None:
        return
    (token,) = MARKDOWN.parse(block)
    assert (token.type, token.info) == ("fence", "suggestion")
    assert token.content.removesuffix("\n") == text.replace("\r\n", "\n").removesuffix("\n")


@pytest.mark.parametrize(
    "text",
    [
        "a\u202eb",
        "a\u200bb",
        "a\rb",
        "a\u2028b",
        "\U000e0041",
        "/merge\n",
        "@dependabot merge",
        "atlantis apply\n",
        "x\n  ok to test\n",
        "x" * 20_000,
        "\ud800",
    ],
)
def test_X7_what_must_not_be_committed_is_not_offered(text):
    assert suggestion_block(text) is None


def test_X7_suggestions_that_hold_fences_blank_lines_and_nothing():
    assert suggestion_block("a\n```\nb\n") == "````suggestion\na\n```\nb\n````"
    assert suggestion_block("") == "```suggestion\n```"
    assert suggestion_block("\n") == "```suggestion\n\n```"
    assert suggestion_block("a\r\nb\r\n") == "```suggestion\na\nb\n```"
    assert suggestion_block("@property\ndef x(self): ...\n") is not None


@pytest.mark.parametrize(
    "text",
    [
        "😀" * 70_000,
        "a" * 70_000,
        "```\n" + "x\n" * 40_000,
        "- @user\n" * 10_000,
        "`@user " + "x" * 70_000 + "`",
        "#1 " * 70_000,
    ],
)
def test_X5_too_long_a_text_is_cut_and_says_so(text):
    shown = clean(text)
    assert utf8_size(shown) <= MOST_BYTES
    assert shown.endswith(CUT_NOTICE.strip())
    assert_harmless(shown)
    assert clean(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "@" * 60_000,
        "$\\" * 30_000,
        "a#" * 30_000,
        "<" * 60_000,
        "> " * 9_000 + "a",
        "`a``" * 20_000,
        "http://" * 9_000,
    ],
    ids=lambda text: text[:4],
)
def test_hostile_texts_are_not_slow(text):
    begun = time.monotonic()
    clean(text)
    assert time.monotonic() - begun < 30


@given(st.text(), st.integers(1, 60))
def test_a_title_is_one_plain_line(text, limit):
    title = plain(text, limit)
    assert len(title) <= limit
    assert len(title.splitlines()) <= 1
    assert not re.search(r"[`*<>\[\]|]|@\w|#\d", title)


def test_a_title_keeps_its_words():
    assert plain("**Fix** `x`\n@user #1 snake_case <b>", 140) == "Fix x user 1 snake_case b"
    assert plain("word " * 30, 12) == "word word w…"


@pytest.mark.parametrize(
    "text",
    [
        "fixes ##1",
        "closes GH-1",
        "fixes gh-gh-1",
        "fixes https://github.com/a/b/issues/1",
        "hthttps://tps://github.com",
        "@@mona",
        "wwwww.w.evil.io",
        "# # #1",
    ],
)
def test_X3_a_title_names_no_issue_nobody_and_no_address(text: str) -> None:
    assert not re.search(r"#\d|\bgh-\d|://|\bwww\.|@\w", plain(text, 140), re.IGNORECASE)


@pytest.mark.parametrize(
    ("path", "stays"),
    [
        ("issues/5#issuecomment-77", True),
        ("pull/5#issuecomment-77", True),
        ("pull/5#discussion_r9", True),
        ("issues/6#issuecomment-77", False),
        ("issues/55#issuecomment-77", False),
        ("issues/5", False),
        ("issues/5#issuecomment-", False),
        ("issues/5?q=1#issuecomment-77", False),
        ("issues/5#issuecomment-77/../../6", False),
        ("issues/05#issuecomment-77", False),
    ],
)
def test_X3_only_comments_of_the_same_conversation_are_linked(path: str, stays: bool) -> None:
    address = f"https://github.com/o/r/{path}"
    told = harmless(f"As [ann]({address}) said.", repo="o/r", number=5)
    assert (f"]({address})" in told) == stays
    assert f"]({address})" not in harmless(f"As [ann]({address}) said.", repo="o/r")
    assert harmless(told, repo="o/r", number=5) == told
