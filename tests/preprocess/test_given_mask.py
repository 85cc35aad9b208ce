"""Masks as editors and programs write them, and what is not one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ladi.preprocess.checks import check_mask
from ladi.preprocess.given_mask import read_mask
from ladi.preprocess.labels import LIP
from ladi.types import MaskError

SIZE = (96, 72)
BOX = np.zeros(SIZE, bool)
BOX[30:60, 20:50] = True


def written(picture: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def layer() -> Image.Image:
    """Black strokes on transparency: an editor's layer."""
    return Image.fromarray(np.dstack([np.zeros((*SIZE, 3), np.uint8), BOX * np.uint8(255)]))


def palette() -> Image.Image:
    picture = Image.fromarray(BOX.astype(np.uint8), "P")
    picture.putpalette([0, 0, 0, 255, 255, 255])
    return picture


@pytest.mark.parametrize(
    "mask",
    [
        layer(),
        layer().convert("LA"),
        Image.fromarray(BOX * np.uint8(255)),
        Image.fromarray(BOX.astype(np.uint8)),
        Image.fromarray(BOX),
        palette(),
        Image.fromarray(np.where(BOX[..., None], np.uint8((255, 40, 40)), np.uint8(0))),
        Image.fromarray(np.repeat(np.repeat(BOX * np.uint8(255), 2, 0), 2, 1)),
    ],
    ids=["layer", "grey layer", "white", "0 and 1", "1 bit", "palette", "red strokes", "twice the size"],
)
def test_each_way_of_writing_a_mask_is_understood(mask: Image.Image) -> None:
    """Prevents a mask that silently means everything, or nothing."""
    assert (read_mask(written(mask), SIZE) > 0).tolist() == BOX.tolist()


def test_a_jpeg_is_a_mask_too() -> None:
    """Prevents refusing a mask for the noise of its compression."""
    read = read_mask(written(Image.fromarray(BOX * np.uint8(255)), "JPEG"), SIZE)
    assert (read != BOX).mean() < 0.01


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (Image.fromarray(np.where(BOX, np.uint8(128), np.uint8(240))), "a picture, not a mask"),
        (Image.linear_gradient("L").resize((72, 96)), "a picture, not a mask"),
        (Image.new("L", (72, 96)), "The mask is empty"),
        (Image.new("RGBA", (72, 96)), "The mask is empty"),
        (Image.new("L", (96, 72), 255), "proportions .* are not the photo's"),
    ],
    ids=["agnostic", "photo", "black", "transparent", "turned"],
)
def test_what_is_no_mask_is_refused(mask: Image.Image, sentence: str) -> None:
    """Prevents repainting nearly all of a photo because its picture was taken for its mask."""
    with pytest.raises(MaskError, match=sentence):
        read_mask(written(mask), SIZE)


def test_a_mask_over_the_face_or_nearly_everything_is_told() -> None:
    """Prevents an inverted mask from painting a stranger's face without a word."""
    labels = np.zeros(SIZE, np.uint8)
    labels[5:20, 30:45] = LIP["face"]
    assert check_mask(BOX, BOX, labels, "lip", BOX) == ()
    everything = np.ones_like(BOX)
    codes = [finding.code for finding in check_mask(everything, everything, labels, "lip", BOX)]
    assert codes == ["mask_on_face", "mask_large"]
    small = labels == LIP["face"]
    assert [finding.code for finding in check_mask(small, small, labels, "lip", BOX)] == ["mask_on_face"]


@pytest.mark.parametrize("near", [False, True], ids=["a wall around", "nothing but the person"])
def test_a_mask_that_is_inverted_is_told_as_such(near: bool) -> None:
    """Prevents the wall from being repainted where a program writes its masks the other way round."""
    labels = np.full(SIZE, LIP["pants"] if near else 0, np.uint8)
    labels[5:20, 30:45] = LIP["face"]
    labels[BOX] = LIP["upper_clothes"]
    worn = BOX.copy()
    worn[30:34] = False
    for mask in (~BOX, ~worn) if near else (~BOX, ~worn, labels == 0):
        [told] = check_mask(mask, mask, labels, "lip", BOX)
        assert (told.level, told.code) == ("warning", "mask_inverted")
        assert told.message.endswith("choose “Invert masks” (--invert-mask).")
    legs = np.zeros_like(BOX)
    legs[62:90, 20:50] = True
    assert not check_mask(legs, legs, labels, "lip", BOX)
