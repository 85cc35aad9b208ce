"""From a garment's picture to everything that the networks are told of it, in the order of the steps.

It finds, judges and fits by ``preprocess/``'s functions, and takes the model's ways from the shelf.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ladi.preprocess.checks import check_garment, raise_errors
from ladi.preprocess.cleaner import GarmentCleaner
from ladi.preprocess.garment import fine_factor, fit_cut_out
from ladi.preprocess.pose import PoseDetector
from ladi.request import choose_category
from ladi.shelf import garment_background, trained_categories
from ladi.types import AskedCategory, Garment, Photo, Size


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
