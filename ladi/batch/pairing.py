"""People and garments brought together by their files' names, and the names of what comes of them.

One person wears every garment, one garment is worn by everybody, and otherwise those belong together that are
called alike; endings, capitals and the spelling of accents count only where names differ in nothing else.
Nothing is opened here.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from ladi.naming import loosely, spelled
from ladi.settings import settings_table
from ladi.types import PairsError

STEM_BYTES = 100
"""Of each of the two parts of a result's name, at most so many; file systems take 255 in all."""
MOST_NAME_BYTES = 2 * STEM_BYTES + 20
"""Of a result's name as it is given; while it is written it is a little longer."""


@dataclass(frozen=True)
class Row:
    """One person, one garment, and how to bring them together."""

    number: int
    """From 1, as in the table without its header."""
    person: Path
    garment: Path
    names: tuple[str, str]
    """Person and garment as they were written."""
    out: str
    """The name of the result's file."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Settings of this row alone, by the names of ``ladi.records.request_of``."""
    mask: Path | None = None
    """A picture of what is repainted, in place of the automatic mask."""
    problem: str = ""
    """Why this row cannot be run, where that is known already."""


def pair_up(people: Sequence[Path], garments: Sequence[Path]) -> list[Row]:
    """One with all, or by the files' names.

    Args:
        people: the photos, perhaps of other folders each: those that a phone takes are all called alike.
        garments: likewise. Those of one name go with the people of that name in the order given.

    Returns:
        A row for each pair; a name that stands for several files is told with their number.

    Raises:
        PairsError: there are several of both, and their names do not pair up.
    """
    wearing, worn = _told_apart(people), _told_apart(garments)
    if len(people) == 1 or len(garments) == 1:
        pairs = [(person, garment) for person in wearing for garment in worn]
    else:
        pairs = _by_name(wearing, worn)
    rows = [
        Row(number, person, garment, (called, cloth), "")
        for number, ((person, called), (garment, cloth)) in enumerate(pairs, 1)
    ]
    return name_results(rows)


_Named = tuple[Path, str]
"""A file, and what it is called where another has its name too."""
_KEYS: tuple[Callable[[Path], str], ...] = (
    lambda path: spelled(path.name),
    lambda path: spelled(path.stem),
    lambda path: loosely(path.stem),
)
"""By what files are called alike, the strictest first."""


def _told_apart(paths: Sequence[Path]) -> list[_Named]:
    seen: Counter[str] = Counter()
    named = []
    for path in paths:
        seen[path.name] += 1
        named.append((path, f"{path.name} ({seen[path.name]})" if seen[path.name] > 1 else path.name))
    return named


def _by_name(people: Sequence[_Named], garments: Sequence[_Named]) -> list[tuple[_Named, _Named]]:
    """Those that are called alike, first to the letter; see ``pair_up``."""
    pairs: list[tuple[_Named, _Named]] = []
    wearing, worn = people, garments
    for key in _KEYS:
        groups = [_grouped(named, key) for named in (wearing, worn)]
        paired = set()
        for name in sorted(set(groups[0]) & set(groups[1])):
            first, second = groups[0][name], groups[1][name]
            # Which of two belongs to which cannot be told where they differ in their endings or capitals.
            if len(first) == len(second) and (len(first) == 1 or key is _KEYS[0]):
                pairs += zip(first, second, strict=True)
                paired.add(name)
        wearing, worn = ([one for one in named if key(one[0]) not in paired] for named in (wearing, worn))
    if not wearing and not worn:
        return sorted(pairs, key=lambda pair: _KEYS[1](pair[0][0]))
    groups = [_grouped(named, _KEYS[-1]) for named in (people, garments)]
    odd = sorted(set(groups[0]) ^ set(groups[1]))
    alone = "one name stands for several files"
    if odd:
        [(path, _), *_] = (groups[0] | groups[1])[odd[0]]
        alone = f"“{path.stem}” is in one of them only"
    raise PairsError(
        f"The files in people and garments do not pair up by their names ({alone}): name them alike, "
        "leave one file in one of the two, or say in a pairs.csv who wears what."
    )


def _grouped(named: Sequence[_Named], key: Callable[[Path], str]) -> dict[str, list[_Named]]:
    groups = defaultdict(list)
    for path, called in named:
        groups[key(path)].append((path, called))
    return dict(groups)


def name_results(rows: Sequence[Row]) -> list[Row]:
    """Give every row without a name one of its own, made of its pictures' names."""
    taken = {loosely(row.out).removesuffix(".png") for row in rows if row.out}
    most = settings_table()["pictures"].ends[1]

    def is_free(name: str) -> bool:
        """Not another row's, nor that of the further pictures that a row may have, a-2 and so on."""
        further = {f"{name}-{number}" for number in range(2, most + 1)}
        return not taken & {name, re.sub(r"-[2-9]$", "", name), *further}

    named = []
    for row in rows:
        if row.out:
            named.append(replace(row, out=row.out if row.out.lower().endswith(".png") else f"{row.out}.png"))
            continue
        stem = next(stem for stem in _names_for(row) if is_free(loosely(stem)))
        taken.add(loosely(stem))
        named.append(replace(row, out=f"{stem}.png"))
    return named


def _names_for(row: Row) -> Iterator[str]:
    """``person_garment``, ``person_garment_2`` and so on."""
    stems = (path.stem.encode()[:STEM_BYTES].decode(errors="ignore") for path in (row.person, row.garment))
    plain = "_".join(stems)
    yield plain
    yield from (f"{plain}_{again}" for again in count(2))
