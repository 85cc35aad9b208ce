"""A face reaches down to its chin, as the mesh of it tells."""

from __future__ import annotations

import numpy as np

from ladi.preprocess.jaws import label_jaw
from ladi.preprocess.labels import LIP
from ladi.types import Frame

FRAME = Frame(10.0, 20.0, 384.0, 512.0, (256, 192))
SKIN, COAT, SCARF = (210, 160, 130), (20, 30, 60), (150, 20, 20)
ROWS, COLUMNS = np.mgrid[:256, :192]
FACE = ((COLUMNS - 96) / 20) ** 2 + ((ROWS - 60) / 28) ** 2 < 1


def jaw() -> np.ndarray:
    """(21,2) of that face, in the photo's pixels."""
    turn = np.linspace(np.pi, 0, 21)
    points = np.stack([96 + 20 * np.cos(turn), 60 + 28 * np.sin(turn)], axis=1)
    return points / FRAME.scale + (FRAME.left, FRAME.top)


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Labels that end the face at the mouth, and take a cheek for the coat; and the picture."""
    labels, image = np.full((256, 192), LIP["coat"], np.uint8), np.full((256, 192, 3), COAT, np.uint8)
    labels[:60], image[:60] = 0, 128
    labels[FACE], image[FACE] = LIP["face"], SKIN
    labels[FACE & (ROWS > 79)] = LIP["neck"]
    labels[FACE & (ROWS > 60) & (COLUMNS > 110)] = LIP["coat"]
    noise = np.random.default_rng(0).normal(0, 3, image.shape)
    return labels, (image + noise).clip(0, 255).astype(np.uint8)


def test_the_face_is_labelled_down_to_the_chin_and_out_to_the_cheek() -> None:
    """Prevents: a chin painted over, and the jaw's edge cut out beside a collar."""
    labels, image = scene()
    mended = label_jaw(labels, image, jaw(), FRAME, "lip") == LIP["face"]
    assert (mended & FACE).sum() > 0.97 * FACE.sum() and (mended & ~FACE).sum() < 0.02 * FACE.sum()


def test_what_is_worn_before_a_chin_stays() -> None:
    """Prevents: a collar or a sleeve before the face, kept as if it were the face."""
    labels, image = scene()
    collar = ROWS > 82
    labels[collar & FACE], image[collar & FACE] = LIP["coat"], COAT
    mended = label_jaw(labels, image, jaw(), FRAME, "lip")
    assert (mended[collar] == LIP["coat"]).all() and (mended[80:82, 96] == LIP["face"]).all()
    labels[collar & FACE], image[collar & FACE] = LIP["scarf"], SCARF
    assert (label_jaw(labels, image, jaw(), FRAME, "lip")[collar & FACE] == LIP["scarf"]).all()


def test_another_persons_face_is_not_believed() -> None:
    labels, image = scene()
    beside = jaw() + (80, 0)
    assert label_jaw(labels, image, beside, FRAME, "lip") is labels
    assert label_jaw(labels, image, None, FRAME, "lip") is labels
