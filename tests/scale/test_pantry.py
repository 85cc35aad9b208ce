"""The pantry by itself: who makes what, who waits, and what goes when there is too much."""

from __future__ import annotations

import asyncio

from ladi.scale.pantry import Pantry


def test_one_makes_and_the_others_wait_for_it() -> None:
    """Prevents ten engines from cutting out the same garment at the same time."""

    async def scene() -> list[list[str]]:
        pantry = Pantry()
        assert await pantry.ask(b"shirt") == []
        others = [asyncio.create_task(pantry.ask(b"shirt")) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in others)
        pantry.keep(b"shirt", ["reference"], 10)
        told = [await task for task in others]
        assert pantry.counts() == (1, 3)
        return told

    assert asyncio.run(scene()) == [["reference"]] * 3


def test_what_cannot_be_made_is_tried_by_the_next() -> None:
    """Prevents engines that wait for ever because the first one failed, or died over it."""

    async def scene() -> None:
        pantry = Pantry(patience=0.05)
        assert await pantry.ask(b"letter") == []
        waiting = asyncio.create_task(pantry.ask(b"letter"))
        await asyncio.sleep(0.01)
        pantry.forget(b"letter")
        assert await waiting == []
        assert await pantry.ask(b"letter") == []  # nothing came of the second either, and it said nothing

    asyncio.run(scene())


def test_there_is_a_bound_in_bytes() -> None:
    """Prevents a catalogue of ten thousand garments from filling the store."""

    async def scene() -> None:
        pantry = Pantry(most=25)
        for name in (b"one", b"two", b"three"):
            assert await pantry.ask(name) == []
            pantry.keep(name, [name], 10)
        assert await pantry.ask(b"one") == []  # gone, as the one that was not asked for longest
        assert await pantry.ask(b"three") == [b"three"]

    asyncio.run(scene())
