"""Wall and skin that the photo shows stay the photo's."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.unchanged import drop_unchanged

H, W = 128, 96


@pytest.fixture
def scene() -> dict[str, np.ndarray]:
    """A person in the middle, repainted generously; the network paints the wall a little lighter."""
    labels = np.zeros((H, W), np.uint8)
    labels[30:110, 36:60] = 5
    mask = np.zeros((H, W), bool)
    mask[20:115, 12:84] = True
    photo = np.full((H, W, 3), 0.5, np.float32)
    photo[labels > 0] = -0.5
    generated = np.full((H, W, 3), 0.7, np.float32)
    generated[labels > 0] = (0.8, -0.6, -0.6)
    return {"mask": mask, "labels": labels, "photo": photo, "generated": generated}


def test_the_wall_is_kept_and_the_person_painted(scene) -> None:
    """Prevents: a pale halo in the mask's shape around every result."""
    painted = drop_unchanged(**scene)
    assert painted[scene["labels"] > 0].all()
    assert not painted[60, 14:28].any() and not painted[60, 68:82].any()
    assert not (painted & ~scene["mask"]).any()


def test_a_wider_garment_stays_painted(scene) -> None:
    """Prevents: new sleeves cut off where the old outline ended, even before a wall of their own colour."""
    wide = scene["generated"].copy()
    wide[40:60, 16:80] = (0.8, -0.6, -0.6)
    assert drop_unchanged(**scene | {"generated": wide})[44:56, 16:80].all()
    outline = np.zeros((H, W))
    outline[40:60, 16:80] = 1
    assert drop_unchanged(**scene, outline=outline)[40:60, 16:80].all()


def test_the_outline_keeps_a_rim(scene) -> None:
    """Prevents: the old sleeve's edge showing through where labels end a pixel early."""
    painted = drop_unchanged(**scene)
    assert painted[60, 34:62].all()


def test_nothing_to_drop_leaves_the_mask(scene) -> None:
    dark = scene["generated"] * 0 - 0.9
    np.testing.assert_array_equal(drop_unchanged(**scene | {"generated": dark}), scene["mask"])


def test_bare_arms_are_the_photos_own(scene) -> None:
    """Prevents: arms repainted in other skin though the new sleeves are as short as the old ones."""
    scene["labels"][50:100, 60:68] = 14
    scene["photo"][50:100, 60:68] = (0.3, 0.0, -0.2)
    scene["generated"][50:100, 60:68] = (0.4, 0.2, 0.1)
    assert not drop_unchanged(**scene)[60:95, 66:68].any()
    scene["generated"][50:100, 56:72] = (-0.8, -0.8, -0.6)
    assert drop_unchanged(**scene)[60:90, 61:67].all()
