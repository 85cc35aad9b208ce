"""From a garment's picture to everything that the networks are told of it, in the order of the steps.

It finds, judges and fits by ``preprocess/``'s functions, and takes the model's ways from the shelf.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from ladi.preprocess.category import guess_category
from ladi.preprocess.checks import check_garment, raise_errors
from ladi.preprocess.cleaner import GarmentCleaner
from ladi.preprocess.garment import fine_factor, fit_cut_out
from ladi.preprocess.pose import PoseDetector
from ladi.types import (
    AskedCategory,
    Category,
    Finding,
    Garment,
    Photo,
    Size,
)
from ladi.weights.catalog import garment_background, trained_categories


def cut_garment(
    photo: Photo,
    cleaner: GarmentCleaner,
    pose: PoseDetector,
    *,
    category: AskedCategory,
    clean: str,
    size: Size,
    model: str,
) -> Garment:
    """Remove the background where that is needed, and fit the garment to the model's size.

    Args:
        photo: at any size.
        cleaner: finds the garment in it.
        pose: finds a person in it.
        category: ``auto`` looks at the outline.
        clean: see ``TryOnRequest.clean_garment``.
        size: height and width of the model's picture.
        model: its name.

    Raises:
        GarmentError: there is no garment to be seen.
        SettingError: an unknown way of cleaning.
    """
    cut_out = cleaner.cut_out(photo, clean)
    findings = check_garment(photo, cut_out.matte, person=pose.find(photo.pixels))
    raise_errors(findings)
    chosen, doubts = choose_category(category, photo.pixels, cut_out.matte, model=model)
    fit = partial(
        fit_cut_out,
        photo,
        cut_out,
        category=chosen,
        background=garment_background(model),
        reframe=clean != "keep",
    )
    garment, factor = fit(size=size), fine_factor(photo.size, size)
    guessed = category == "auto" and len(trained_categories(model)) > 1
    fine = fit(size=(factor * size[0], factor * size[1])).image if factor > 1 else None
    return replace(garment, fine=fine, guessed=guessed, findings=(*findings, *doubts))


def choose_category(
    asked: AskedCategory, pixels: np.ndarray, matte: np.ndarray, *, model: str
) -> tuple[Category, tuple[Finding, ...]]:
    """What a garment is taken for, and the doubts about it.

    Args:
        asked: what the request says; anything but ``auto`` is believed.
        pixels: (H,W,3) uint8 RGB, the garment's picture.
        matte: (H,W) float in [0,1].
        model: its name; one that knows tops only takes everything for a top.
    """
    if asked != "auto":
        return asked, ()
    guess, trained = guess_category(pixels, matte), trained_categories(model)
    if len(trained) == 1:
        if not guess.sure or guess.category != "lower_body":
            return trained[0], ()
        doubt = f"This looks like trousers, shorts or a skirt, and the model {model!r} knows tops only."
        return trained[0], (Finding("warning", "garment_not_a_top", doubt),)
    if guess.sure:
        return guess.category, ()
    doubt = "The garment's outline is unclear, so its kind is a guess; choose the category if it is wrong."
    return guess.category, (Finding("warning", "category_unsure", doubt),)
