"""A conversation in few tokens."""

from hypothesis import given
from hypothesis import strategies as st

from bot.core.context_packing import pack_conversation, tokens

TALK = st.lists(st.tuples(st.sampled_from(["ann", "tom"]), st.text(max_size=300)), max_size=30)


@given(TALK, st.integers(60, 2_000))
def test_it_fits_counts_every_message_and_keeps_the_opening(talk: list[tuple[str, str]], budget: int) -> None:
    packed = pack_conversation(talk, budget)
    assert tokens(packed.text) <= budget
    assert 0 <= packed.left_out < max(1, len(talk))
    assert packed.text.startswith(f"{talk[0][0]}:" if talk else "")
    assert not packed.left_out or "left out]" in packed.text


def test_a_short_conversation_is_whole() -> None:
    packed = pack_conversation([("ann", "Why?"), ("my-hob[bot]", "Because."), ("ann", "Sure?\n")], 100)
    assert packed.text == "ann: Why?\n\nmy-hob[bot]: Because.\n\nann: Sure?"
    assert packed.left_out == 0


def test_the_middle_is_left_out_whole_and_said() -> None:
    talk = [("ann", "It burns.")] + [("tom", f"{n} " + "x" * 100) for n in range(20)]
    packed = pack_conversation(talk, 150)
    parts = packed.text.split("\n\n")
    assert parts[0] == "ann: It burns."
    assert parts[1] == f"[{packed.left_out} messages left out]"
    assert parts[2:] == [f"{who}: {what}" for who, what in talk[-(20 - packed.left_out) :]]


def test_what_is_too_long_alone_keeps_its_beginning() -> None:
    packed = pack_conversation([("ann", "a" * 10_000), ("tom", "b" * 10_000)], 200)
    opening, newest = packed.text.split("\n\n")
    assert opening.startswith("ann: aaa") and opening.endswith("[…]")
    assert newest.startswith("tom: bbb") and newest.endswith("[…]")
    assert packed.left_out == 0
