"""In which order a batch's rows are worked on, so that what is prepared once is used while it is near.

Results, their names and the manifest keep the table's order; this is about the work alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def order_of_work(pairs: Sequence[tuple[Hashable, Hashable]], nearby: int) -> list[int]:
    """The rows, grouped.

    Of people and garments, those of which there are more come one after the other, each with all it meets; of
    the others no more than ``nearby`` are in play at a time. So each of the many is prepared once for every
    ``nearby`` of the few, and each of the few once in all, where that many are remembered.

    Args:
        pairs: what identifies the person and the garment of each row.
        nearby: how many of the fewer kind are remembered.

    Returns:
        Every row's index, once.
    """
    seen: tuple[dict[Hashable, int], dict[Hashable, int]] = ({}, {})
    for pair in pairs:
        for known, one in zip(seen, pair, strict=True):
            known.setdefault(one, len(known))
    many, few = (0, 1) if len(seen[0]) > len(seen[1]) else (1, 0)

    def place(index: int) -> tuple[int, int, int]:
        pair = pairs[index]
        return seen[few][pair[few]] // max(nearby, 1), seen[many][pair[many]], index

    return sorted(range(len(pairs)), key=place)


def cut_in_groups(
    order: Sequence[int], pairs: Sequence[tuple[Hashable, Hashable]], most: int
) -> list[list[int]]:
    """An order in groups of at most ``most`` consecutive rows, each of which shares a picture with the next.

    Args:
        order: from ``order_of_work``.
        pairs: as there.
        most: rows of a group.
    """
    groups: list[list[int]] = []
    for index in order:
        last = groups[-1] if groups else []
        shares = bool(last) and any(
            one == other for one, other in zip(pairs[last[-1]], pairs[index], strict=True)
        )
        if last and len(last) < most and shares:
            last.append(index)
        else:
            groups.append([index])
    return groups
