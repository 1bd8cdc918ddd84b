"""A model's second look moves what it names to the front, and nothing else."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.agents.rerank import OUTLINE_CHARS, RerankAnswer, rerank
from bot.core.inference import Completion, Prompt
from bot.core.knowledge import Outline

FILES = [Outline(f"src/f{n}.py", (f"def f{n}(a)",)) for n in range(40)]


def saying(value: Any, asked: list[Prompt[Any]] | None = None, **more: Any) -> Any:
    async def infer(prompt: Prompt[Any], /) -> Completion[Any]:
        if asked is not None:
            asked.append(prompt)
        return Completion(value=value, model="m", **more) if value else Completion(failure="invalid")

    return infer


async def test_what_is_named_comes_first_and_the_rest_stays_in_order() -> None:
    asked: list[Prompt[Any]] = []
    done = await rerank("tea", FILES, saying(RerankAnswer(thought="", files=[3, 1, 3, 99, 0, -1]), asked))
    assert done.order == (2, 0, *(n for n in range(40) if n not in (0, 2)))
    assert (done.failure, len(done.usage)) == ("", 1)
    assert len(asked[0].passages) == 30
    assert asked[0].passages[0].text == "src/f0.py\ndef f0(a)"


async def test_R10_without_a_usable_answer_the_order_stays() -> None:
    done = await rerank("tea", FILES, saying(None))
    assert done.order == tuple(range(40))
    assert done.failure


@given(st.lists(st.integers(-5, 50)), st.integers(0, 40))
async def test_every_file_is_there_once_whatever_a_model_says(named: list[int], count: int) -> None:
    done = await rerank("tea", FILES[:count], saying(RerankAnswer(thought="", files=named)))
    assert sorted(done.order) == list(range(count))


async def test_a_large_file_takes_no_more_room_than_others() -> None:
    asked: list[Prompt[Any]] = []
    large = Outline("large.py", tuple(f"def method_{n}(self)" for n in range(500)))
    await rerank("tea", [large, *FILES[:1]], saying(RerankAnswer(thought="", files=[]), asked))
    assert len(asked[0].passages[0].text) <= OUTLINE_CHARS
