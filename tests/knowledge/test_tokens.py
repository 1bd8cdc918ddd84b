"""Tokens are the same for a document and a query; a query's names and files are told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.parsing.syntax import errors, still_parses
from bot.knowledge.parsing.tokens import indexed, tokens
from bot.knowledge.search.query import QueriedPlace, query_terms


def test_identifiers_meet_however_they_are_written() -> None:
    assert tokens("getUserNames") == tokens("get_user_names") == ["getusernames", "get", "user", "nam"]
    assert tokens("HTTPServer parseHTML5") == ["httpserver", "http", "server", "parsehtml5", "pars", "html"]
    assert tokens("bot/core/text.py max-count") == ["bot", "cor", "text", "py", "max", "count"]
    assert set(tokens("parse parses parsed parsing")) == {"pars"}
    assert tokens("deliveries") == tokens("delivery") and tokens("stopped") == tokens("stops")


def test_other_scripts() -> None:
    assert tokens("Straße NAÏVE naïve") == ["strass", "naïve", "naïve"]
    assert tokens("cafe\u0301") == tokens("café")
    assert tokens("日本語 привет हिन्दी") == ["日本", "本語", "привет", "हिन्दी"]
    assert tokens("foo日本x") == tokens("foo日本x")


@given(st.text(), st.text())
def test_a_part_of_a_document_finds_its_tokens(one: str, other: str) -> None:
    assert indexed(f"{one}\n{other}").split() == tokens(one) + tokens(other)


@given(st.text())
def test_tokens_have_no_punctuation_that_an_index_splits_at(text: str) -> None:
    for token in tokens(text):
        assert all(not char.isascii() or char.isalnum() for char in token)
        assert not any(char.isspace() for char in token)


@given(st.text())
def test_a_query_never_fails(text: str) -> None:
    assert set(query_terms(text).terms) <= set(tokens(text))


def test_a_query_names_files_lines_and_functions() -> None:
    asked = query_terms(
        'It fails:\n  File "bot/store/inbox.py", line 42, in put_many\n    at com.foo.Bar.baz(Bar.java:7)'
    )
    assert asked.places == (QueriedPlace("bot/store/inbox.py", 42), QueriedPlace("Bar.java", 7))
    assert asked.names == ("put_many", "com.foo.Bar.baz")
    asked = query_terms("Why does `Inbox.put` lose what foo::bar() wrote to src/lib/core?")
    assert asked.names == ("Inbox.put", "foo.bar") and asked.places == (QueriedPlace("src/lib/core"),)
    assert "why" not in asked.terms and "inbox" in asked.terms
    assert query_terms("the").terms == ("the",)


@pytest.mark.parametrize(
    ("path", "good", "bad"),
    [
        ("a.py", "def f():\n    pass\n", "def f(:\n    pass\n"),
        ("a.go", "package a\nfunc f() {}\n", "package a\nfunc f( {}\n"),
        ("a.ts", "const a: number = 1;\n", "const a: = = 1;\n"),
    ],
)
def test_what_still_parses(path: str, good: str, bad: str) -> None:
    assert errors(path, good) == 0
    assert errors(path, bad)
    assert still_parses(path, good, bad) is False
    assert still_parses(path, bad, good) is still_parses(path, bad, bad) is True
    assert still_parses("a.unknown", good, bad) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("why does `docs/My notes.md:12` say so?", QueriedPlace("docs/My notes.md", 12)),
        ('File "C:\\x y\\app.py", line 9, in brew', QueriedPlace("C:/x y/app.py", 9)),
        ('see "app/[id]/page.tsx" please', QueriedPlace("app/[id]/page.tsx")),
        ("'app/(green tea)/a b.py'#L7", QueriedPlace("app/(green tea)/a b.py", 7)),
    ],
)
def test_a_path_with_blanks_or_brackets_is_read_where_it_is_set_as_code(
    text: str, place: QueriedPlace
) -> None:
    assert place in query_terms(text).places


def test_an_apostrophe_begins_no_path() -> None:
    assert query_terms("it's in app.py:3 and it's fine").places == (QueriedPlace("app.py", 3),)
