"""The table of the light on bare arms: measured from labelled photos, written as code."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ladi.postprocess.arm_light_table import TABLES
from ladi.preprocess.labels import label_table
from ladi.training.arm_light import COLUMNS, ROWS, laid_out, main

SIZE = (256, 192)
JOINTS = {"left": ((125, 80), (129, 130), (131, 180)), "right": ((67, 80), (63, 130), (61, 180))}


def painted(slope: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Somebody whose arms become lighter towards their outer edges: picture, labels and joints."""
    picture, labels = np.full((*SIZE, 3), 90, np.uint8), np.zeros(SIZE, np.uint8)
    points = np.zeros((18, 3))
    points[1] = (96, 80, 1)
    for side, first, sign in (("left", 5, 1), ("right", 2, -1)):
        points[first : first + 3, :2] = JOINTS[side]
        points[first : first + 3, 2] = 1
        for row in range(84, 178):
            middle = np.interp(row, *np.array(JOINTS[side], float)[:, ::-1].T)
            columns = np.arange(round(middle) - 7, round(middle) + 8)
            picture[row, columns] = (130 * (1 + slope * sign * (columns - middle) / 7))[:, None]
            labels[row, columns] = label_table("lip")[f"{side}_arm"]
    return picture, labels, points


def member(shard: tarfile.TarFile, name: str, data: bytes) -> None:
    told = tarfile.TarInfo(name)
    told.size = len(data)
    shard.addfile(told, io.BytesIO(data))


def as_png(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Twenty people, lit from inside to outside."""
    with tarfile.open(tmp_path / "train-00.tar", "w") as shard:
        for number, slope in enumerate(np.linspace(-0.2, 0.4, 20)):
            picture, labels, points = painted(float(slope))
            for field, data in (
                ("image.jpg", as_png(picture)),
                ("cloth.jpg", as_png(picture)),
                ("cloth-mask.png", as_png((labels > 0).astype(np.uint8) * 255)),
                ("parse.png", as_png(labels)),
                ("pose.json", json.dumps(points.tolist()).encode()),
            ):
                member(shard, f"{number:03d}.{field}", data)
    return tmp_path


def test_an_arm_is_laid_out_from_its_inner_to_its_outer_edge() -> None:
    for side, outward in (("left", 1.0), ("right", -1.0)):
        picture, labels, _ = painted(0.3)
        light = laid_out(
            picture / 255, labels == label_table("lip")[f"{side}_arm"], np.array(JOINTS[side], float), outward
        )
        assert light.shape == (ROWS, COLUMNS)
        seen = light[2:18]
        assert np.isfinite(seen).all() and (np.diff(seen.mean(0)) > 0).all()
        assert np.exp(seen[:, -1] - seen[:, 0]).mean() == pytest.approx(1.27 / 0.73, rel=0.1)


def test_the_table_goes_from_lit_inside_to_lit_outside(shards: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "table.py"
    assert main(["--data", str(shards), "--out", str(out)]) == 0
    assert json.loads(capsys.readouterr().out) == {"arms": 40}
    written: dict[str, np.ndarray] = {}
    exec(out.read_text(), written)
    tables = written["TABLES"]
    assert tables.shape == TABLES.shape == (3, ROWS, COLUMNS)
    outer = [float(table[6:18, 5:].mean() - table[6:18, :5].mean()) for table in tables]
    assert outer == sorted(outer) and outer[0] < 0 < outer[1]
