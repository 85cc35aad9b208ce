"""A data set looked over, file by file, before hours are spent on it.

Faults are what training or evaluation would stumble over or be wrong by; warnings are what one should know.
Nothing is mended.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ladi.data.checking.contents import Contents, Issue, list_contents
from ladi.data.checking.inspecting import Look, inspect
from ladi.data.checking.twins import find_duplicates, find_leaks, group
from ladi.data.opening import Layout, find_splits
from ladi.data.sample import DatasetError
from ladi.progress import follow
from ladi.types import SettingError, Size

LOGGER = logging.getLogger(__name__)

FAR_OUTSIDE = 1.2
"""Times the picture's side beyond which joints must be in another size's pixels; detectors guess a little
beyond the edge."""
MOST_THREADS = 8


@dataclass(frozen=True)
class Report:
    """What was found."""

    layout: Layout
    pairs: dict[str, int]
    """How many pairs each split has."""
    files: int
    issues: tuple[Issue, ...]

    @property
    def faults(self) -> list[Issue]:
        """What must be mended."""
        return [issue for issue in self.issues if issue.level == "fault"]

    @property
    def warnings(self) -> list[Issue]:
        """What one should know."""
        return [issue for issue in self.issues if issue.level == "warning"]


def check_dataset(
    root: Path, layout: Layout, splits: Sequence[str] | None = None, *, threads: int | None = None
) -> Report:
    """Look a data set over.

    Args:
        root: its folder.
        layout: as ``recognise_layout`` says.
        splits: which parts; all there are, unless given.
        threads: how many files are looked at at once.

    Raises:
        DatasetError: it has no such split.
        SettingError: the number of threads is none.
    """
    there = find_splits(root, layout)
    if absent := [split for split in splits or () if split not in there]:
        raise DatasetError(f"{root} has no split {', '.join(absent)}: choose from {', '.join(there)}.")
    if threads is not None and threads < 1:
        raise SettingError(f"--threads must be a whole number from 1, got {threads}.")
    listed = [list_contents(root, layout, split) for split in splits or there]
    items = {name: item for contents in listed for name, item in contents.items.items()}
    with ThreadPoolExecutor(threads or min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        looks = {
            look.item.name: look for look in follow(pool.map(inspect, items.values()), len(items), "files")
        }
    issues = [issue for contents in listed for issue in contents.issues]
    issues += [issue for look in looks.values() for issue in look.issues]
    for contents in listed:
        issues += _sizes(contents, looks)
    photos = group([look for look in looks.values() if look.item.role == "photo"])
    garments = group([look for look in looks.values() if look.item.role == "garment"])
    issues += find_duplicates(looks, photos)
    issues += find_leaks(listed, photos, garments)
    pairs = {contents.split: len(contents.pairs) for contents in listed}
    return Report(layout, pairs, len(items), tuple(dict.fromkeys(issues)))


def _sizes(contents: Contents, looks: dict[str, Look]) -> Iterator[Issue]:
    """Pictures of another size than they should have, and joints that lie outside theirs."""
    own = [looks[name] for name in contents.items]
    measured = Counter(look.size for look in own if look.item.role == "photo" and look.size is not None)
    usual: Size | None = measured.most_common(1)[0][0] if measured else None
    for look in own:
        wanted = look.item.size or usual
        if wanted is None:
            continue
        if look.size is not None and look.size != wanted:
            message = f"is {_shown(look.size)} pixels instead of {_shown(wanted)}"
            yield Issue("fault", "wrong size", look.item.name, message)
        beyond = 0.0 if look.reach is None else max(look.reach[0] / wanted[0], look.reach[1] / wanted[1])
        if look.reach is not None and beyond > 1:
            message = f"has joints as far as {_shown(look.reach)}, outside {_shown(wanted)}"
            level: Literal["fault", "warning"] = "fault" if beyond > FAR_OUTSIDE else "warning"
            yield Issue(level, "joints outside", look.item.name, message)


def _shown(size: Size) -> str:
    return f"{size[1]}×{size[0]}"
