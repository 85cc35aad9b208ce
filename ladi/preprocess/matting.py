"""Ask the matting network which pixels of a picture are garment, in the window that suits it.

What becomes of its answers is ``cleaner.py``'s.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from ladi.preprocess.boxes import box_of
from ladi.preprocess.frame import crop_to_frame, to_tensor
from ladi.types import Frame, Size

if TYPE_CHECKING:
    from ladi.models.matting import GarmentMatting

# The network's answer is stretched so that its confident parts become wholly garment or wholly background.
_STRETCH = 0.1
# The second look shows the garment with some surroundings, and is taken where it makes the garment a quarter
# larger at least.
_CLOSE_SHARE = 0.8
_WORTH_A_SECOND_LOOK = 0.8


def predict_matte(matting: GarmentMatting, picture: Image.Image) -> Image.Image:
    """The matting network's answer as a grey picture of the same size, 255 = garment.

    Where the garment takes only a part of the picture, the network looks at that part once more, closer.
    """
    pixels = np.asarray(picture.convert("RGB"))
    size = (picture.height, picture.width)
    whole = whole_picture(size, matting.size)
    matte = _look(matting, pixels, whole)
    close = frame_around(matte, matting.size, share=_CLOSE_SHARE)
    if close is not None and close.height < _WORTH_A_SECOND_LOOK * whole.height:
        matte = _look(matting, pixels, close)
    return Image.fromarray(np.rint(matte * 255).astype(np.uint8))


def predict_in_mirror(
    matting: GarmentMatting, pixels: np.ndarray, answer: np.ndarray | None = None
) -> np.ndarray:
    """The mean of the network's answers to a picture and its mirror image.

    Args:
        matting: the network.
        pixels: (H,W,3) uint8.
        answer: (H,W) float32 in [0,1], to the picture itself, where that is known.

    Returns:
        (H,W) in [0,1].
    """
    answer = _answer(matting, pixels) if answer is None else answer
    return (answer + _answer(matting, pixels[:, ::-1])[:, ::-1]) / 2


def predict_turned(matting: GarmentMatting, pixels: np.ndarray) -> np.ndarray:
    """The mean of its answers to the picture on either side and upside down, turned back: (H,W) in [0,1]."""
    answers = [np.rot90(_answer(matting, np.rot90(pixels, turn)), -turn) for turn in (1, 2, 3)]
    return np.mean(answers, axis=0)


def _answer(matting: GarmentMatting, view: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(view))
    return np.asarray(predict_matte(matting, picture), np.float32) / 255


def _look(matting: GarmentMatting, pixels: np.ndarray, frame: Frame) -> np.ndarray:
    """The network's matte (H,W) float32 of what lies in one window; zero outside it."""
    weight = next(matting.parameters())
    with torch.inference_mode():
        shown = to_tensor(crop_to_frame(pixels, frame)).to(device=weight.device, dtype=weight.dtype)
        answer = matting(shown).sigmoid()[0, 0].float().cpu().numpy()
    answer = np.clip((answer - _STRETCH) / (1 - 2 * _STRETCH), 0, 1)
    height, width = pixels.shape[:2]
    left, top = max(0, math.floor(frame.left)), max(0, math.floor(frame.top))
    right = min(width, math.ceil(frame.left + frame.width))
    bottom = min(height, math.ceil(frame.top + frame.height))
    corners = (
        np.array([left - frame.left, top - frame.top, right - frame.left, bottom - frame.top]) * frame.scale
    )
    box = tuple(np.clip(corners, 0, [frame.size[1], frame.size[0]] * 2).tolist())
    matte = np.zeros((height, width), np.float32)
    enlarged = Image.fromarray(answer).resize((right - left, bottom - top), Image.Resampling.BICUBIC, box=box)
    matte[top:bottom, left:right] = np.clip(np.asarray(enlarged), 0, 1)
    return matte


def whole_picture(photo_size: Size, size: Size) -> Frame:
    """The smallest window of the model's proportions that holds the whole picture, centred."""
    height = max(photo_size[0], photo_size[1] * size[0] / size[1])
    width = height * size[1] / size[0]
    return Frame((photo_size[1] - width) / 2, (photo_size[0] - height) / 2, width, height, size)


def frame_around(matte: np.ndarray, size: Size, *, share: float, threshold: float = 0.5) -> Frame | None:
    """The window in which the garment takes a share of the height or width; nothing where there is none.

    Args:
        matte: (H,W) float in [0,1].
        size: The model's height and width, for the window's proportions.
        share: Of the window, taken by the garment's box on the side that fits more tightly.
        threshold: From which value a pixel counts as garment.
    """
    box = box_of(matte > threshold)
    if box is None:
        return None
    height = max(box.height, box.width * size[0] / size[1]) / share
    width = height * size[1] / size[0]
    return Frame((box.left + box.right - width) / 2, (box.top + box.bottom - height) / 2, width, height, size)
