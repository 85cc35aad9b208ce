"""What garments lie on, cut from photos' corners."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ladi.training.samples import floors as floors_module
from ladi.training.samples.floors import SIDE, build_floors, corners_of, draw_floor
from ladi.training.stages.matting import matting_batch


def _photo(colour: tuple[int, int, int], size: tuple[int, int] = (300, 400)) -> Image.Image:
    """A garment, white, in the middle of a floor of one colour."""
    photo = Image.new("RGB", size, colour)
    photo.paste((255, 255, 255), (size[0] // 3, size[1] // 3, size[0] * 2 // 3, size[1] * 2 // 3))
    return photo


def test_corners_show_the_floor_alone() -> None:
    corners = list(corners_of(_photo((200, 30, 40))))
    assert len(corners) == 8 and all(corner.shape == (SIDE, SIDE, 3) for corner in corners)
    assert all((corner == (200, 30, 40)).all() for corner in corners)


def test_floors_are_cut_once_without_what_is_left_out(tmp_path: Path) -> None:
    """Prevents: judging by garments whose floors were trained on."""
    photos = tmp_path / "photos"
    photos.mkdir()
    _photo((200, 30, 40)).save(photos / "red.png")
    _photo((20, 30, 200)).save(photos / "blue.png")
    (photos / "notes.txt").write_text("no picture")
    floors = build_floors(photos, tmp_path / "work", frozenset({"red.png"}))
    assert floors.shape == (8, SIDE, SIDE, 3) and (floors == (20, 30, 200)).all()
    (photos / "blue.png").unlink()
    assert len(build_floors(photos, tmp_path / "work")) == 8


def test_a_floor_is_tiled_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents: a network that tells floors by the edges of their tiles."""
    monkeypatch.setattr(floors_module, "DRAWN_SHARE", 0.0)
    monkeypatch.setattr(floors_module, "relight", lambda picture, rng: picture)
    rows = np.linspace(0, 255, SIDE).astype(np.uint8)
    slope = np.broadcast_to(rows[:, None, None], (1, SIDE, SIDE, 3))
    rng = np.random.default_rng(3)
    for _ in range(5):
        floor = draw_floor(slope, (256, 192), rng).astype(int)
        assert floor.shape == (256, 192, 3) and floor.std() > 10
        assert max(np.abs(np.diff(floor, axis=axis)).max() for axis in (0, 1)) < 10


def test_a_garment_lies_on_its_floor() -> None:
    """Prevents: mattes that are bent or mirrored otherwise than their pictures."""
    garment = np.full((4, 256, 192, 3), 255, np.uint8)
    garment[:, 60:200, 40:150] = (250, 20, 20)
    mask = np.zeros((4, 256, 192), np.uint8)
    mask[:, 60:200, 40:150] = 1
    green = np.broadcast_to(np.array([10, 200, 30], np.uint8), (1, SIDE, SIDE, 3))
    batch = matting_batch(
        {"garment": garment, "garment_mask": mask}, np.arange(4), np.random.default_rng(5), green
    )
    inside, outside = batch["matte"][:, 0] > 0.99, batch["matte"][:, 0] < 0.01
    redness = batch["image"][:, 0] - batch["image"][:, 1]
    assert (redness[inside] > 0).float().mean() > 0.97
    assert inside.float().mean() > 0.2 and (redness[outside] > 0.3).float().mean() < 0.2
