"""From a garment's picture to the garment at the model's size, on the background that it was trained with.

A garment that was cut out is centred at the scale of the training pictures; a shop's picture stays as
photographed. It is found by ``cleaner.py``, judged by ``checks.py`` and named by ``kind.py``; what a
model knows and was trained on is told, not looked up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import torch

from ladi.preprocess.background import look_at_background, matte_by_colour, own_colours
from ladi.preprocess.category import choose_category
from ladi.preprocess.checks import check_cut_out, check_garment
from ladi.preprocess.cleaner import CutOut, GarmentCleaner
from ladi.preprocess.cut_outs import sort_parts
from ladi.preprocess.findings import finding, overruled, raise_errors
from ladi.preprocess.frame import crop_to_frame, to_tensor
from ladi.preprocess.kind import judge
from ladi.preprocess.large import scale_frame, shrink, shrink_factor, shrink_photo
from ladi.preprocess.matting import frame_around, whole_picture
from ladi.preprocess.pose import PoseDetector
from ladi.preprocess.spill import without_spill
from ladi.preprocess.spread import with_sleeves_down
from ladi.preprocess.turning import turn_photo
from ladi.types import AskedCategory, Background, Category, Finding, Frame, Garment, Photo, Size

BACKGROUNDS: dict[Background, tuple[int, int, int]] = {"light": (246, 246, 246), "white": (255, 255, 255)}
"""VITON-HD's garments lie on about 246, those of Dress Code and VITON on white."""

# In VITON's 1,806 pictures looked at, the garment's larger side takes 0.93–0.97 of the frame, the middle one
# 0.948, and it is centred to within a hundredth of the width.
_SHARE_OF_FRAME = 0.948
# A kept picture whose garment takes less than this of the frame is cropped to it; the smallest of VITON take
# 0.89.
_SMALL_IN_FRAME = 0.75
# Matte from which on a pixel of a kept picture counts as garment, where it is cropped to it.
_TRACE = 0.1
# Times the model's size up to which a garment's fine picture is worth its time.
_FINEST = 4
# No higher than this, whatever the model's size: cutting out takes twice the height, in floats.
_FINEST_HEIGHT = 2048
# The networks' mattes are up to about this share of the height too large or too small.
_UNSURE_RIM = 0.006
# Rows that are mixed at a time.
_STRIP = 64


def cut_garment(
    photo: Photo,
    cleaner: GarmentCleaner,
    detector: PoseDetector,
    *,
    category: AskedCategory,
    clean: str,
    size: Size,
    trained: Sequence[Category],
    background: Background,
    use_anyway: bool = False,
    turn: bool = False,
) -> Garment:
    """Remove the background where that is needed, and fit the garment to the model's size.

    Args:
        photo: at any size.
        cleaner: finds the garment in it.
        detector: finds a person in it, which it should not show.
        category: ``auto`` goes by the picture, see ``choose_category``.
        clean: see ``TryOnRequest.clean_garment``.
        size: height and width of the model's picture.
        trained: the categories that the model knows.
        background: what the garments of its training lay on.
        use_anyway: nothing that is found to be wrong with the garment stops it; all of it is a warning.
        turn: a garment that seems to lie on its side or upside down is turned first.

    Raises:
        GarmentError: there is no garment to be seen, or one that the model cannot paint.
        SettingError: an unknown way of cleaning.
    """
    photo, _ = shrink_photo(photo)
    cut_out, beside = _sorted_out(photo, cleaner.cut_out(photo, clean), keep=clean == "keep")
    # The kind is read off the settled outline, which is right more often. What is wrong with the picture is
    # judged by the matte before that: settling takes away the haze by which much of it is seen.
    settled = cleaner.settle(cut_out, photo.pixels)
    chosen, doubts = choose_category(category, judge(photo.pixels, settled.matte), trained=trained)
    degrees = next((one.turn for one in doubts if one.turn), 0)
    if turn and degrees:
        upright = cut_garment(
            turn_photo(photo, degrees),
            cleaner,
            detector,
            category=category,
            clean=clean,
            size=size,
            trained=trained,
            background=background,
            use_anyway=use_anyway,
        )
        told = finding("garment_was_turned", turn=degrees)
        return replace(upright, findings=(told, *upright.findings))
    findings = (
        *check_cut_out(photo, cut_out.matte, cut_out.cleaned_by),
        *check_garment(photo, cut_out.matte, person=detector.find(photo.pixels)),
        *doubts,
        *beside,
    )
    if use_anyway:
        findings = overruled(findings)
    raise_errors(findings)
    down = None
    if chosen == "upper_body" and settled.cleaned_by != "kept":
        down = with_sleeves_down(photo.pixels, settled.matte)
    if down is not None:
        photo = replace(photo, pixels=down.pixels, alpha=None)
        settled = replace(settled, matte=down.matte, answer=None)
    if settled.cleaned_by == "embedded":
        photo = replace(photo, pixels=without_spill(photo.pixels, settled.matte))
    fit = partial(
        fit_cut_out,
        photo,
        settled,
        category=chosen,
        background=background,
        reframe=clean != "keep",
    )
    garment, factor = fit(size=size), fine_factor(photo.size, size)
    guessed = category == "auto" and len(trained) > 1
    fine = fit(size=(factor * size[0], factor * size[1])).image if factor > 1 else None
    sleeve = 1.0 if down is not None and down.both else None
    findings = tuple(dict.fromkeys(findings))
    return replace(garment, fine=fine, guessed=guessed, sleeve=sleeve, findings=findings)


def _sorted_out(photo: Photo, cut_out: CutOut, *, keep: bool) -> tuple[CutOut, tuple[Finding, ...]]:
    """The cut-out without what lies beside the garment, and what is to be said of that.

    Args:
        photo: the picture.
        cut_out: of all of it.
        keep: the picture is to be used as it is.
    """
    background = look_at_background(photo.pixels)
    by_colour = background.plain and cut_out.cleaned_by != "alpha"
    matte, code = sort_parts(cut_out.matte, matte_by_colour(photo.pixels, background) if by_colour else None)
    if not code or (keep and matte is not cut_out.matte):
        return cut_out, ()
    # A picture whose background is kept would keep what lies on it.
    kept = cut_out.cleaned_by if matte is cut_out.matte or cut_out.cleaned_by != "kept" else "embedded"
    return replace(cut_out, matte=matte, cleaned_by=kept), (finding(code),)


def fit_cut_out(
    photo: Photo,
    cut_out: CutOut,
    *,
    size: Size,
    category: Category,
    background: Background = "light",
    reframe: bool = True,
) -> Garment:
    """Bring a garment to the model's size, undistorted.

    A garment that was cut out is put on the model's background, centred at the scale of the training
    pictures. A kept picture keeps its own near-white background and is taken whole, unless the garment is
    small in it.

    Args:
        photo: The garment's picture.
        cut_out: The garment in it.
        size: The model's height and width.
        category: What the garment is.
        background: The one that the model was trained with.
        reframe: False takes the picture whole in any case.
    """
    colour = BACKGROUNDS[background]
    whole = whole_picture(photo.size, size)
    if cut_out.cleaned_by == "kept":
        own = look_at_background(photo.pixels)
        colour = own.colour if own.near_white else colour
        close = frame_around(cut_out.matte, size, share=_SHARE_OF_FRAME, threshold=_TRACE)
        small = close is not None and close.height * _SHARE_OF_FRAME < _SMALL_IN_FRAME * whole.height
        frame = close if reframe and close is not None and small else whole
        image = _window(photo.pixels, frame, colour)
        matte = _window(cut_out.matte, frame, 0)
    else:
        close = frame_around(cut_out.matte, size, share=_SHARE_OF_FRAME)
        frame = close if reframe and close is not None else whole
        if cut_out.cleaned_by == "alpha":
            image, matte = _on_colour(photo.pixels, cut_out.matte, frame, colour)
        else:
            image, matte = _cut(photo.pixels, cut_out.matte, frame, colour)
    return Garment(
        image=to_tensor(image),
        matte=torch.from_numpy(np.clip(matte, 0, 1))[None, None],
        category=category,
        cleaned_by=cut_out.cleaned_by,
    )


def fine_factor(photo: Size, size: Size) -> int:
    """How many times the model's ``size`` a garment's picture can fill with detail of its own; 1 for none."""
    return max(1, min(_FINEST, _FINEST_HEIGHT // size[0], photo[0] // size[0], photo[1] // size[1]))


def _window(pixels: np.ndarray, frame: Frame, fill: int | tuple[int, int, int]) -> np.ndarray:
    """The window at the model's size, with ``fill`` where it reaches outside the picture."""
    factor = shrink_factor(max(frame.height, pixels.shape[0]) * max(frame.width, pixels.shape[1]))
    if factor > 1:
        pixels, frame = shrink(pixels, factor), scale_frame(frame, 1 / factor)
    height, width = pixels.shape[:2]
    before = (max(0, -math.floor(frame.top)), max(0, -math.floor(frame.left)))
    after = (
        max(0, math.ceil(frame.top + frame.height) - height),
        max(0, math.ceil(frame.left + frame.width) - width),
    )
    canvas = np.empty(
        (height + before[0] + after[0], width + before[1] + after[1], *pixels.shape[2:]), pixels.dtype
    )
    canvas[:] = fill
    canvas[before[0] : before[0] + height, before[1] : before[1] + width] = pixels
    return crop_to_frame(canvas, replace(frame, left=frame.left + before[1], top=frame.top + before[0]))


def _on_colour(
    pixels: np.ndarray, matte: np.ndarray, frame: Frame, colour: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """A transparent file's window, moved from the white that its decoder put it on to another colour."""
    image, alpha = _window(pixels, frame, 255), _window(matte, frame, 0)
    darker = (1 - alpha)[:, :, None] * (255 - np.array(colour, np.float32))
    return np.clip(np.rint(image - darker), 0, 255).astype(np.uint8), alpha


def _cut(
    pixels: np.ndarray, matte: np.ndarray, frame: Frame, colour: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The garment's window on a plain colour, without the old background's colours at its edge."""
    # At twice the size, so that the edge's own colours come from fine pixels.
    double = replace(frame, size=(2 * frame.size[0], 2 * frame.size[1]))
    alpha = _window(matte, double, 0)
    rim = round(_UNSURE_RIM * double.size[0])
    garment = own_colours(crop_to_frame(pixels, double), alpha, rim=rim)
    image = np.empty((*frame.size, 3), np.float32)
    # In strips, which are small enough for the processor's cache.
    for start in range(0, frame.size[0], _STRIP):
        small, large = slice(start, start + _STRIP), slice(2 * start, 2 * (start + _STRIP))
        share = alpha[large, :, None]
        mixed = garment[large] * share + np.array(colour, np.float32) * (1 - share)
        image[small] = cv2.resize(mixed, (frame.size[1], len(image[small])), interpolation=cv2.INTER_AREA)
    shape = (frame.size[0], 2, frame.size[1], 2)
    return np.rint(image).astype(np.uint8), alpha.reshape(shape).mean(axis=(1, 3))
