"""The two numberings of human-parsing labels, and the way from one to the other.

It does not parse a picture and it does not know which labels a try-on repaints: see ``parsing.py`` and
``mask.py``.
"""

from __future__ import annotations

import numpy as np

from ladi.types import Category, LabelScheme, SettingError, other_side

LIP: dict[str, int] = {
    "background": 0,
    "hat": 1,
    "hair": 2,
    "glove": 3,
    "sunglasses": 4,
    "upper_clothes": 5,
    "dress": 6,
    "coat": 7,
    "socks": 8,
    "pants": 9,
    "vitonhd_neck": 10,
    "scarf": 11,
    "skirt": 12,
    "face": 13,
    "left_arm": 14,
    "right_arm": 15,
    "left_leg": 16,
    "right_leg": 17,
    "left_shoe": 18,
    "right_shoe": 19,
    "neck": 20,
    "bag": 21,
}
"""LIP as VITON-HD's ``image-parse-v3`` and our parser use it. VITON-HD calls the neck 10, our parser 20;
never both. LIP knows no bag; 21 is ours."""

MIRRORED_LIP = np.arange(256, dtype=np.uint8)
"""What each of LIP's numbers is in a mirror, as a table to look it up."""
MIRRORED_LIP[list(LIP.values())] = [LIP.get(other_side(name), number) for name, number in LIP.items()]

DRESS_CODE: dict[str, int] = {
    "background": 0,
    "hat": 1,
    "hair": 2,
    "sunglasses": 3,
    "upper_clothes": 4,
    "skirt": 5,
    "pants": 6,
    "dress": 7,
    "belt": 8,
    "left_shoe": 9,
    "right_shoe": 10,
    "head": 11,
    "left_leg": 12,
    "right_leg": 13,
    "left_arm": 14,
    "right_arm": 15,
    "bag": 16,
    "scarf": 17,
}
"""The label maps of the Dress Code data set. Its head is face and neck."""

# Names that mean something else, or nothing, in the other scheme. A sock lies on a leg and a glove on a hand,
# and the rules treat both sides alike, so one side stands for both.
_TO_DRESS_CODE = {
    "glove": "left_arm",
    "coat": "upper_clothes",
    "socks": "left_leg",
    "face": "head",
    "neck": "head",
    "vitonhd_neck": "head",
}
_TO_LIP = {"belt": "pants", "head": "face"}

UPPER_CLOTHING = ("upper_clothes", "dress", "coat")
"""What is worn on the upper body, in LIP: a new top takes its place."""
GARMENTS = (*UPPER_CLOTHING, "skirt", "pants")
WORN: dict[Category, tuple[str, ...]] = {
    "upper_body": UPPER_CLOTHING,
    "lower_body": ("pants", "skirt"),
    "dresses": ("dress",),
}
"""What a worn garment of each category may be labelled in LIP."""

_SCHEMES: dict[LabelScheme, dict[str, int]] = {"lip": LIP, "dresscode": DRESS_CODE}


def label_table(scheme: LabelScheme) -> dict[str, int]:
    """The names and numbers of one scheme.

    Raises:
        SettingError: The scheme is unknown.
    """
    if scheme not in _SCHEMES:
        raise SettingError(f'The label scheme must be one of {", ".join(_SCHEMES)}, got "{scheme}".')
    return _SCHEMES[scheme]


def named(labels: np.ndarray, scheme: LabelScheme, names: tuple[str, ...]) -> np.ndarray:
    """(H,W) bool: the pixels of some labels; those of names that the scheme lacks are nowhere."""
    table = label_table(scheme)
    return np.isin(labels, [table[name] for name in names if name in table])


def worn_names(category: Category, scheme: LabelScheme) -> tuple[str, ...]:
    """The labels of the garment that the person of a data set's pair wears."""
    # VITON-HD's garments are all of one category; Dress Code's labels tell a top from a dress.
    return ("upper_clothes",) if (category, scheme) == ("upper_body", "dresscode") else WORN[category]


def to_scheme(labels: np.ndarray, from_scheme: LabelScheme, to_scheme: LabelScheme) -> np.ndarray:
    """Translate a label map from one scheme to the other.

    From LIP to Dress Code a coat becomes upper-clothes, face and neck the head, socks a leg, a glove an arm.
    From Dress Code to LIP the head becomes the face and a belt pants. A number that the scheme does not know
    becomes background.

    Args:
        labels: (H,W) integers.
        from_scheme: The scheme of ``labels``.
        to_scheme: The wanted scheme.

    Returns:
        (H,W) uint8, a new array.

    Raises:
        SettingError: A scheme is unknown.
    """
    source, target = label_table(from_scheme), label_table(to_scheme)
    if source is target:
        return labels.astype(np.uint8)
    renamed = _TO_DRESS_CODE if to_scheme == "dresscode" else _TO_LIP
    lookup = np.zeros(256, np.uint8)
    for name, number in source.items():
        lookup[number] = target[renamed.get(name, name)]
    return lookup[labels.astype(np.uint8)]
