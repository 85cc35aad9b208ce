"""The table and the network that tell garments: fitted to crops, and written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ladi.models.garment_kind import SIDE, GarmentKind
from ladi.preprocess.kind import KINDS, NAMES
from ladi.training.garment_kind import bent, main, read_crops
from ladi.training.kind_network import measure, squares_of, train, varied, write_network
from tests.preprocess.test_kind import OUTLINES, drawn


def crop(name: str, number: int) -> np.ndarray:
    """A drawn garment in a square, a little different each time."""
    pixels, matte = drawn(name)
    square = np.zeros((256, 256, 4), np.uint8)
    square[:, 28:228] = np.dstack([pixels, (matte * 255).astype(np.uint8)])
    return bent(square[::2, ::2], np.random.default_rng(number))


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """Twelve crops of each drawn garment, as if photographed on floors; tops in a shop too."""
    for where in ("floor", "shop"):
        rows = [
            (name, number)
            for name in OUTLINES
            for number in range(12)
            if where == "floor" or OUTLINES[name][0] == "top"
        ]
        np.save(tmp_path / f"{where}.npy", np.stack([crop(*row) for row in rows]))
        told = [(OUTLINES[name][0], where == "shop", f"{name} {number}") for name, number in rows]
        (tmp_path / f"{where}.json").write_text(json.dumps(told))
    return tmp_path


def test_a_tenth_is_kept_apart_by_source(crops: Path) -> None:
    """Prevents one picture on both sides, and a split that another order of the files changes."""
    fitted, apart = (read_crops(crops, ["floor", "shop"], held_out=held) for held in (False, True))
    assert len(fitted.pictures) + len(apart.pictures) == 96 and 3 <= len(apart.pictures) <= 24
    assert apart.shop.any() and set(KINDS[kind] for kind in fitted.kinds) == set(KINDS) - {"none"}


def test_the_fitted_table_tells_what_it_was_fitted_to(crops: Path, tmp_path: Path, capsys) -> None:
    """Prevents a table in another order than the numbers that it is for, or for another scale."""
    out = tmp_path / "table.py"
    assert main(["--crops", str(crops), "--sets", "floor", "shop", "--out", str(out), "--bends", "1"]) == 0
    written: dict[str, object] = {}
    exec(out.read_text(), written)
    table = written["TABLE"]
    assert isinstance(table, dict) and tuple(table) == NAMES
    assert all(len(row) == len(KINDS) + 1 for row in table.values())
    scores = json.loads(capsys.readouterr().out)
    assert scores["upright"] == 1 and np.mean(list(scores.values())) > 0.9


def test_a_network_learns_what_it_is_shown(crops: Path, tmp_path: Path) -> None:
    """Prevents kinds that are mixed up between sets, and weights that are not written whole."""
    floor, shop = (read_crops(crops, [name], held_out=False) for name in ("floor", "shop"))
    photos, hung = squares_of(floor.pictures, floor.kinds), squares_of(shop.pictures, shop.kinds)
    network = train(photos, photos, hung, steps=(25, 25), seed=0)
    told = measure(network, photos)
    assert told["none"] == "0 of 0" and int(told["trousers"].split()[0]) >= 6
    path = tmp_path / "network.safetensors"
    write_network(network, path)
    again = GarmentKind(len(KINDS)).eval()
    again.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    assert measure(again, photos) == told


def test_training_varies_what_it_shows(crops: Path) -> None:
    """Prevents pictures that leave the range of use, or that stay the same every time."""
    floor = read_crops(crops, ["floor"], held_out=False)
    pictures = squares_of(floor.pictures, floor.kinds).pictures[:8]
    torch.manual_seed(0)
    one, other = varied(pictures), varied(pictures)
    assert one.shape == (8, 4, SIDE, SIDE) and (one != other).any()
    assert one[:, 3].min() >= 0 and one[:, 3].max() <= 1 and one[:, :3].abs().max() <= 1.25
