"""A description below what people wrote."""

from hypothesis import given
from hypothesis import strategies as st

from bot.core.pr_description import BEGIN, END, own_words, with_description

TEXTS = st.lists(st.sampled_from(["Fixes #1", "\n", " ", BEGIN, END, "words", BEGIN[:9], BEGIN[9:]])).map(
    "".join
)


@given(TEXTS, st.text(alphabet="ab \n"), st.text(alphabet="cd \n"))
def test_what_people_wrote_stays_and_ours_is_replaced(body: str, first: str, second: str) -> None:
    own = own_words(body)
    once = with_description(own, first)
    assert own_words(once) == own
    assert with_description(own_words(once), second) == with_description(own, second)
    assert once.startswith(own)
    assert once.count(BEGIN) == once.count(END) == 1


def test_a_text_without_a_description_is_all_theirs() -> None:
    assert own_words("Fixes #1\n\nSee the docs.") == "Fixes #1\n\nSee the docs."
