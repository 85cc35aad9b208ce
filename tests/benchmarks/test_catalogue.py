"""The benchmark of catalogues compares ways that share the machine's ups and downs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import catalogue
from ladi.batch.pairs import read_table

WAYS = catalogue.WAYS


def test_ways_take_turns_and_each_makes_all_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a ratio of one way in a quiet hour to another one in a busy one, or of unlike rows."""
    made: list[tuple[str, set[str]]] = []

    def fake(way: str, options: argparse.Namespace) -> catalogue.Work:
        def work(rows: Any, out: Path) -> Iterator[str]:
            made.append((way, {f"{row.person.name} {row.garment.name}" for row in rows}))
            return iter([""] * len(rows))

        return work

    monkeypatch.setattr(catalogue, "way_of", fake)
    tables = catalogue.write_catalogue(tmp_path, 5, 2, rounds=2)
    assert [len(read_table(table)) for table in tables] == [6, 4]
    measured = catalogue.measure_in_turns(tables, tmp_path / "out", argparse.Namespace(ways=WAYS))
    warm, first, second = made[:3], made[3:6], made[6:]
    assert [way for way, _ in warm] == [way for way, _ in first] == list(WAYS)
    assert [way for way, _ in second] == [*WAYS[1:], WAYS[0]]
    for turn, count in ((first, 6), (second, 4)):
        assert all(rows == turn[0][1] and len(rows) == count for _, rows in turn)
    assert not first[0][1] & second[0][1]
    assert {way: catalogue.total(rounds).rows for way, rounds in measured.items()} == dict.fromkeys(WAYS, 10)


def test_ratios_are_to_the_first_way_of_the_same_round() -> None:
    """Prevents the busy round of one way from being set against the quiet one of another."""
    quiet, busy = catalogue.Spent(10, 8, 10), catalogue.Spent(40, 8, 10)
    halves = [catalogue.Spent(one.seconds / 2, 4, 10) for one in (quiet, busy)]
    lines = list(catalogue.report({WAYS[0]: [quiet, busy], WAYS[2]: halves}))
    assert lines[0].startswith("one by one: 0.400 rows/s, 1.00 (1.00 to 1.00)")
    assert lines[2:] == [
        "catalogue: 0.800 rows/s, 2.00 (2.00 to 2.00) times the first",
        "  0.400 s of a core each, the first's by 2.00 (2.00 to 2.00)",
    ]
