"""The evaluation, for real, with a toy model on drawn pairs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ladi.data.shards import read_shards
from ladi.evaluation.run import Variant, ablation, evaluate, pairs, pasted, print_table
from ladi.types import LadiError
from tests.drawn_shards import write_drawn_shards
from tests.toy import toy_pipeline


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    toy_pipeline().save_pretrained(folder)
    return folder


def test_table_has_the_baselines_and_one_row_per_variant(model: Path, tmp_path: Path) -> None:
    data = write_drawn_shards(tmp_path / "shards", train=1, val=2)
    full = Variant("full", steps=1, guidance=1.0)
    rows = evaluate(model, data, tmp_path / "out", full=full)
    assert [row["row"] for row in rows] == ["grey", "warped garment pasted", "full"]
    assert all(0 <= row["masked_error"] <= 1 and row["ssim"] <= 1 for row in rows)
    saved = json.loads((tmp_path / "out" / "table-paired.json").read_text())
    assert saved["protocol"]["steps"] == 1 and saved["protocol"]["pairs"] == 2
    assert len(list((tmp_path / "out" / "paired").glob("*.png"))) == 2
    assert "| full |" in print_table(rows)


def test_unpaired_order_is_pictured_and_never_scored(model: Path, tmp_path: Path) -> None:
    """There is no truth for a garment that was never worn: a score would be a lie."""
    data = write_drawn_shards(tmp_path / "shards", train=1, val=2)
    rows = evaluate(
        model, data, tmp_path / "out", order="unpaired", full=Variant("full", steps=1, guidance=1.0)
    )
    assert rows == []
    names = {path.stem for path in (tmp_path / "out" / "unpaired").glob("*.png")}
    assert names == {"000100_000101", "000101_000100"}


def test_nothing_outside_the_mask_is_scored_differently(tmp_path: Path) -> None:
    samples = list(read_shards(write_drawn_shards(tmp_path), "val"))
    pair = next(pairs(samples, "paired"))
    picture = pasted(pair.inputs["image"] * 0 - 1, pair)
    outside = pair.inputs["mask"][0, 0].numpy() < 0.5
    assert np.allclose(picture[outside], samples[0].image[outside] / 255, atol=1e-6)
    assert not picture[~outside].any()


def test_the_ablation_turns_off_one_part_at_a_time() -> None:
    rows = ablation(Variant("full", steps=20, guidance=2.0))
    parts = ("emasc", "pseudo_words", "warped_garment", "pose", "garment_skips")
    names = ["no EMASC", "no pseudo-words", "no warped garment", "no pose", "no garment skips"]
    assert [row.name for row in rows][1:6] == names
    off = [[not getattr(row.switches, part) for part in parts] for row in rows[1:6]]
    assert off == np.eye(5, dtype=bool).tolist()
    assert {row.guidance for row in rows} == {2.0}


def test_no_pairs_is_an_error(model: Path, tmp_path: Path) -> None:
    data = write_drawn_shards(tmp_path / "shards", train=1, val=1)
    with pytest.raises(LadiError, match="no pairs to evaluate"):
        evaluate(model, data, tmp_path / "out", limit=0)
