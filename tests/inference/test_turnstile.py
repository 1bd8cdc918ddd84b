"""Who waits goes by urgency, and nobody's place is lost."""

import asyncio

import pytest

from bot.inference.turnstile import Turnstile


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_more_urgent_go_first_and_then_who_came_first() -> None:
    turnstile, order = Turnstile(1), []

    async def visit(name: str, urgency: int) -> None:
        async with turnstile.place(urgency):
            order.append(name)
            await asyncio.sleep(0)

    async with turnstile.place(1):
        visits = [
            asyncio.create_task(visit(name, urgency))
            for name, urgency in (("low", 2), ("review", 1), ("second", 1), ("person", 0))
        ]
        await settle()
        assert order == []
    await asyncio.gather(*visits)
    assert order == ["person", "review", "second", "low"]
    assert turnstile.inside == 0


@pytest.mark.parametrize("places", [1, 3])
async def test_never_more_inside_than_there_are_places(places: int) -> None:
    turnstile, most = Turnstile(places), 0

    async def visit(urgency: int) -> None:
        nonlocal most
        async with turnstile.place(urgency):
            most = max(most, turnstile.inside)
            await asyncio.sleep(0)

    await asyncio.gather(*(visit(number % 3) for number in range(40)))
    assert most == places
    assert turnstile.inside == 0


async def test_who_leaves_the_queue_takes_no_place_along() -> None:
    turnstile = Turnstile(1)

    async def visit() -> None:
        async with turnstile.place(1):
            await asyncio.sleep(0)

    async with turnstile.place(1):
        waiting = [asyncio.create_task(visit()) for _ in range(3)]
        await settle()
        waiting[0].cancel()
        await settle()
    waiting[1].cancel()  # it was handed the place in this very moment
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [
        asyncio.CancelledError,
        asyncio.CancelledError,
        type(None),
    ]
    assert turnstile.inside == 0
