"""The order of work: what is prepared once is used while it is near."""

from __future__ import annotations

from collections import OrderedDict
from itertools import product

from ladi.batch.order import cut_in_groups, order_of_work

Pair = tuple[str, str]


def preparations(pairs: list[Pair], order: list[int], kept: int) -> tuple[int, int]:
    """How many people and garments are prepared if the last few of each are remembered."""
    made = [0, 0]
    recalled: list[OrderedDict[str, None]] = [OrderedDict(), OrderedDict()]
    for index in order:
        for which, one in enumerate(pairs[index]):
            made[which] += one not in recalled[which]
            recalled[which][one] = None
            recalled[which].move_to_end(one)
            while len(recalled[which]) > kept:
                recalled[which].popitem(last=False)
    return made[0], made[1]


def grid(people: int, garments: int) -> list[Pair]:
    return list(
        product([f"p{number}" for number in range(people)], [f"g{number}" for number in range(garments)])
    )


def test_each_is_prepared_once_where_the_fewer_are_all_remembered() -> None:
    """Prevents a catalogue that prepares every garment again for every person."""
    for people, garments in ((10, 20), (20, 10), (1, 30), (30, 1)):
        pairs = grid(people, garments)
        order = order_of_work(pairs, nearby=16)
        assert sorted(order) == list(range(len(pairs)))
        assert preparations(pairs, order, kept=16) == (people, garments)
    assert preparations(grid(10, 20), list(range(200)), kept=16) == (10, 200)


def test_more_than_can_be_remembered_go_in_strips() -> None:
    """Prevents a cache that is too small by one from being of no use at all."""
    pairs = grid(40, 60)
    assert preparations(pairs, order_of_work(pairs, nearby=10), kept=10) == (40, 60 * 4)


def test_rows_that_share_nothing_stay_as_they_are() -> None:
    """Prevents an order that surprises where there is nothing to gain."""
    pairs = [(f"p{number}", f"g{number}") for number in range(9)]
    assert order_of_work(pairs, nearby=4) == list(range(9))
    assert cut_in_groups(range(9), pairs, most=4) == [[number] for number in range(9)]


def test_groups_are_of_neighbours() -> None:
    """Prevents a worker that is sent rows which have nothing in common."""
    pairs = grid(3, 5)
    groups = cut_in_groups(order_of_work(pairs, nearby=8), pairs, most=3)
    assert [len(group) for group in groups] == [3] * 5
    assert [len({pairs[index][1] for index in group}) for group in groups] == [1] * 5
