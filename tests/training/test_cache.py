"""Decoded shards: kept as long as they are of the same shards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from ladi.training.samples.cache import MADE_OF, build_cache
from tests.drawn_shards import write_drawn_shards

SIZE = (64, 48)


def test_other_shards_are_decoded_anew(tmp_path: Path) -> None:
    """Prevents training on the data of before, with what was computed of it, once more was added."""
    few, more = (
        write_drawn_shards(tmp_path / name, train=number, val=1) for name, number in (("a", 2), ("b", 4))
    )
    cache = build_cache(few, tmp_path / "cache", "train", SIZE)
    cache.add("warped", iter([np.zeros((2, 3), np.uint8)]), (3,), "uint8")
    assert len(cache) == 2

    elsewhere = shutil.copytree(few, tmp_path / "moved")
    for same in (few, elsewhere, tmp_path / "cache"):  # the last: where no shards are given
        assert "warped" in build_cache(same, tmp_path / "cache", "train", SIZE)

    anew = build_cache(more, tmp_path / "cache", "train", SIZE)
    assert len(anew) == 4 == len(anew["image"]) and "warped" not in anew
    assert build_cache(more, tmp_path / "cache", "train", (32, 24))["image"].shape[1:3] == (32, 24)


def test_what_was_decoded_before_there_was_a_record_is_believed(tmp_path: Path) -> None:
    """Prevents hours of computing again after an update."""
    data = write_drawn_shards(tmp_path / "data", train=2, val=1)
    build_cache(data, tmp_path / "cache", "train", SIZE)
    (tmp_path / "cache" / "train" / MADE_OF).unlink()
    ids = tmp_path / "cache" / "train" / "ids.json"
    ids.write_text(json.dumps(["one", "two"]))
    assert build_cache(data, tmp_path / "cache", "train", SIZE).ids == ["one", "two"]
