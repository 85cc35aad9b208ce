"""What tone bare arms have, told by the face and by the hands that are seen."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.postprocess.grey import LUMA
from ladi.preprocess.shades import in_lab

_LIT = (0.5, 0.95)
"""Quantiles of brightness between which known skin gives its tone."""
_PALER = 0.25
"""By how much less colourful than the face arms are: in the middle of 42 labelled street photos 0.3, of 96
shop photos -0.07."""
LIGHT, _LIGHTER, _BRIGHT = 0.8, 1.14, 0.75
"""Of a face's or a hand's brightness, the quantile in whose light arms are, and their tone beside it: in the
middle of 42 labelled street photos half of an arm is brighter than 0.99 of its face's quantile. From the last
brightness on there is only half as much light to come: cameras leave whites their shades."""
_HANDS, _HANDS_LIGHT = 0.73, 1.0
"""How much more arms are like their hands than like the face, and their tone's brightness beside the hands'
quantile: of 276 labelled arms of street photos with hands a fit gives hands 0.70 and the face 0.26 in all
three of CIELAB's axes, and in the middle an arm has 0.88 of its hand's quantile."""
_GLOVE = 0.3
"""Of the face's redness, what bare hands have at least: of the hands in 159 street photos seven in ten have
more than 0.8 and all 0.44, but for grey gloves, a yellow bag and a bag of paper, which have 0.17 at most."""


def lit_part(luma: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Known skin (H,W) bool in the light: the shade of a face, or between fingers, is no tone for arms."""
    low, high = np.quantile(luma[known], _LIT)
    return np.asarray(known & (luma >= low) & (luma <= high))


def tone_of_arms(
    real: np.ndarray,
    luma: np.ndarray,
    known: np.ndarray,
    arms: np.ndarray,
    face: np.ndarray | None,
    enough: float,
) -> np.ndarray:
    """The colour of bare arms, (3,) in [0,1]: paler than the face, and as hands are where these are seen."""
    # A hand's edge has the colour of what it lies on.
    inner = ndimage.binary_erosion(known & arms, iterations=max(1, round(len(known) / 256)))
    # Necks lie in the chin's shade.
    lit = known & face if face is not None and (known & face).sum() >= enough else known & ~arms
    own, hands = (
        real[lit_part(luma, part)].mean(axis=0) if part.sum() >= enough else None for part in (lit, inner)
    )
    if own is None:
        return np.asarray(real[lit_part(luma, known)].mean(axis=0) if hands is None else hands)
    pale = _in_light(own + _PALER * (own @ LUMA - own), luma[lit])
    # Grey hands are gloves, and yellow ones a bag.
    if hands is None or _redness(hands) < _GLOVE * _redness(own):
        return np.asarray(pale)
    return np.asarray(pale + _HANDS * (_in_light(hands, luma[inner], _HANDS_LIGHT) - pale))


def _in_light(tone: np.ndarray, luma: np.ndarray, lighter: float = _LIGHTER) -> np.ndarray:
    """A tone (3,) as it is where the light falls on skin of brightnesses (N,)."""
    level = lighter * float(np.quantile(luma, LIGHT))
    level = min(level, _BRIGHT + (level - _BRIGHT) / 2)
    return np.asarray(tone * level / max(float(tone @ LUMA), 0.05))


def _redness(tone: np.ndarray) -> float:
    """How much redder than green a colour (3,) in [0,1] is: CIELAB's a."""
    return float(in_lab((tone.clip(0, 1) * 255).round().astype(np.uint8)[None, None])[0, 0, 1] - 128)
