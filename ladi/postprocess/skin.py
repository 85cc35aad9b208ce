"""Newly painted skin takes the person's own tone.

Where an old sleeve was, the network paints arms that may be too pale, or have the garment's colour. The
person's tone is known from face and neck. Painted pixels that look like skin, lie on an arm or the
shoulders, and are no garment, are scaled channel by channel until their middle is that of the real skin, or
as near as the limits allow; their shading stays. It finds no skin in photos, labels do, and it changes no
garment.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.postprocess.grey import LUMA
from ladi.postprocess.joined import joined
from ladi.postprocess.skin_tones import LIGHT, lit_part, tone_of_arms
from ladi.preprocess.labels import label_table
from ladi.types import KEYPOINT_NAMES, LabelScheme

_SHOWN = ("face", "head", "neck", "vitonhd_neck")
"""Not the arms: a worn sleeve is too often taken for one."""
_ARMS = (
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_shoulder", "left_shoulder"),
)
_REACH = 0.065
"""Half an arm's width, of the picture's height, with a margin for joints that lie a little beside it."""
_REDDISH = (0.015, 0.05)
"""Red above luma, on [0,1]: from the first on a colour may be skin, from the second it counts fully."""
_MARGIN = 5
"""Pixels of a square, by which the garment is widened."""
_ENOUGH = 40
"""Pixels at a height of 256 below which nothing is known of a tone."""
_DARKER, _BRIGHTER = 0.35, 0.65
"""Skin that is so much darker than its middle is hair or eyes, so much brighter glare."""
_COLLAR, _SLEEVE = 3, 1
"""Pixels at a height of 256 by which skin, and an arm's, is drawn in where it touches what was worn."""
_CHAIN = 6.0
"""Half as wide, in pixels at a height of 256, as what lies between skin and skin on a neck at most."""
_LOCAL, _CALM = 10.0, 0.1
"""Pixels at a height of 256 over which a tone is local, and the weight of the middle tone beside it."""
_SHADED = 0.2
"""How little known skin counts that is in the shade, or glares."""
_UNDER_CHIN = ((0, 6, 12, 16, 20), (0.74, 0.76, 0.82, 0.91, 0.98))
"""Pixels below a face at a height of 256, and how light skin is there, of the face's light. In the middle of
49 labelled street photos the shade below the chin is 0.62, and half lie within 0.17 of it; one without
sinews and folds looks darker than it is, so that the lighter half was taken."""
SHADED_SKIN = np.array([0.87, 1.04, 1.35])
"""Powers of its shade that red, green and blue are darkened by, of 40 of those: light within skin is red."""
_JAW, _NECK_WIDE = 0.6, 1.2
"""Above this share of a face's pixels, and farther from its middle than so many of its widths, is no neck."""
_NECK_REACH = 25.0
"""Pixels at a height of 256 over which a painted neck becomes as it is measured in the middle."""
_FINE, _SHADES = 2.0, (0.85, 1.15)
"""Deviation over which painted light is evened out, and its limits."""
_ROUND, _ROUND_REACH, _ROUND_LIGHT = 0.24, 3.5, 1.03
"""How much darker a limb is at its outline, within how many pixels at a height of 256; how light inside."""
_PALE, _FAINT = (0.62, 0.85), 0.75
"""Brightness from which on arms are pale, and wholly; and the power of their light and shade then: fair skin
throws back so much light that a full one looks dirty, and its gleam burnt."""
_ONE_SIDED = 0.12
"""By how much of its brightness a face lit from one side changes within a standard deviation of its width."""
_LEAST, _MOST = 0.2, 1.15
"""Limits of the scale. Towards the dark much is put right; what is darker than the face is mostly shade, and
would glow."""


def match_skin(
    generated: np.ndarray,
    photo: np.ndarray,
    labels: np.ndarray,
    painted: np.ndarray,
    keypoints: np.ndarray,
    garment: np.ndarray,
    *,
    scheme: LabelScheme = "lip",
) -> np.ndarray:
    """The correction to add to a generated picture.

    Args:
        generated: (H,W,3) in [-1,1].
        photo: (H,W,3) in [-1,1].
        labels: (H,W) of the photo.
        painted: (H,W) bool, what is not kept from the photo.
        keypoints: (18,3) in pixels of these pictures.
        garment: (H,W) in [0,1], where the new garment lies; nothing changes there.
        scheme: of the labels.

    Returns:
        (H,W,3) float32; zero everywhere where too little skin is seen, in the photo or painted.
    """
    nothing = np.zeros_like(generated, dtype=np.float32)
    enough = _ENOUGH * (generated.shape[0] / 256) ** 2
    table = label_table(scheme)
    shown = np.isin(labels, [table[name] for name in _SHOWN if name in table])
    real = (np.clip(photo, -1, 1) + 1) / 2
    known = shown & ~painted & (reddish(real) > 0)
    picture = (np.clip(generated, -1, 1) + 1) / 2
    weight = reddish(picture) * near_arms(keypoints, labels.shape) * painted
    # Beside the garment its colour runs into the skin's, and a shade of cloth would turn into skin.
    weight = weight * (1 - ndimage.maximum_filter(np.clip(garment, 0, 1), _MARGIN))
    if known.sum() < enough or (weight > 0.5).sum() < enough:
        return nothing
    tone, own = np.median(real[known], axis=0), np.median(picture[weight > 0.5], axis=0)
    scale = np.clip(tone / np.maximum(own, 0.05), _LEAST, _MOST)
    soft = ndimage.gaussian_filter(weight, generated.shape[0] / 256)[..., None]
    return (2 * soft * picture * (scale - 1)).astype(np.float32)


def surely_bare(bare: np.ndarray, arms: np.ndarray, worn: np.ndarray) -> np.ndarray:
    """What of the photo's skin is no bracelet and no collar's edge: (H,W) bool.

    Args:
        bare: (H,W) bool, what is labelled skin.
        arms: (H,W) bool, what of it is arms: of a slim one little would be left.
        worn: (H,W) bool, what is taken away.
    """
    if not worn.any():
        return bare
    to_cloth = ndimage.distance_transform_edt(~worn) * 256 / len(worn)
    return np.asarray(bare & (to_cloth > np.where(arms, _SLEEVE, _COLLAR)))


def with_chains(alike: np.ndarray, neck: np.ndarray) -> np.ndarray:
    """What looks like skin, and what of a neck lies within it: chains, tattoos, the shade of sinews.

    Args:
        alike: (H,W) bool, where the photo has about the skin's colour.
        neck: (H,W) bool.
    """
    if not (alike & neck).any():
        return alike
    reach = _CHAIN * len(neck) / 256
    near = ndimage.distance_transform_edt(~(alike & neck)) <= reach
    return np.asarray(alike | (neck & (ndimage.distance_transform_edt(near) > reach)))


def toned_skin(
    painted: np.ndarray,
    told: np.ndarray,
    share: np.ndarray,
    photo: np.ndarray,
    known: np.ndarray,
    roundness: np.ndarray | None = None,
    arms: np.ndarray | None = None,
    face: np.ndarray | None = None,
    body: np.ndarray | None = None,
    seams: np.ndarray | None = None,
) -> np.ndarray:
    """Painted skin in the colour of the real skin nearest to it, in the painted light.

    Args:
        painted: (H,W,3) in [-1,1].
        told: (H,W) in [0,1], where skin is painted; elsewhere painted light is not skin's.
        share: (H,W) in [0,1], where skin is to be.
        photo: (H,W,3) in [-1,1].
        known: (H,W) bool, the photo's skin that stays.
        roundness: (H,W), the light on arms, about 1; 0 beside them, where the painted light is taken.
        arms: (H,W) bool, what of the known skin is hands and arms.
        face: (H,W) bool, below which a neck lies in its shade.
        body: (H,W) bool, the person, beside whom skin turns away from the light; itself unless given.
        seams: (H,W) bool, the photo's skin that is painted all the same; it tells the tone as well.

    Returns:
        (H,W,3) in [-1,1]; what was painted where too little skin is known or painted.
    """
    scale = len(share) / 256
    enough = _ENOUGH * scale**2
    real = (np.clip(photo, -1, 1) + 1) / 2
    known = (known if seams is None else known | seams) & (reddish(real) > 0)
    sure = ndimage.binary_erosion(told > 0.9, iterations=max(1, round(scale)))
    if known.sum() < enough:
        return painted
    luma = real @ LUMA
    middle = np.median(luma[known])
    known = known & (luma > (1 - _DARKER) * middle) & (luma < (1 + _BRIGHTER) * middle)
    if known.sum() < enough:
        return painted
    lit = lit_part(luma, known)
    tone = real[lit].mean(axis=0)
    if roundness is not None and arms is not None:
        tone = np.where(roundness[..., None] > 0, tone_of_arms(real, luma, known, arms, face, enough), tone)
    weight = np.where(lit, 1.0, np.where(known, _SHADED, 0.0)).astype(np.float32)
    near = ndimage.gaussian_filter(weight, _LOCAL * scale)
    colours = np.dstack([ndimage.gaussian_filter(real[..., i] * weight, _LOCAL * scale) for i in range(3)])
    colours = (colours + _CALM * tone) / (near + _CALM)[..., None]
    if roundness is not None and arms is not None:
        # What is near an arm may be a hand's shaded edge; where they meet, ``joined`` tells.
        colours = np.where(roundness[..., None] > 0, tone, colours)
    own = ((np.clip(painted, -1, 1) + 1) / 2) @ LUMA
    inside = sure.astype(np.float32)
    level = np.median(own[sure]) if sure.any() else 0.5
    amount = ndimage.gaussian_filter(inside, _FINE * scale)
    light = ndimage.gaussian_filter(own * inside, _FINE * scale) / np.maximum(amount, 1e-3)
    light = np.where(amount > 1e-2, light, level)
    shade = np.clip((light + 0.05) / (level + 0.05), *_SHADES)
    # Limbs are round: towards their outline they turn away from the light.
    own = (share > 0.5) | known
    depth = ndimage.distance_transform_edt(own if body is None else own | body) / scale
    shade = shade * (_ROUND_LIGHT - _ROUND * np.exp(-((depth / _ROUND_REACH) ** 2)))
    if face is not None and face.any():
        below = _below_face(face)
        # In the light that the face has, and not in that which is nearest.
        seen = luma[known & face]
        light = np.quantile(seen, LIGHT) if seen.size >= enough else tone @ LUMA
        level = light / np.maximum(colours @ LUMA, 0.05)
        shade = np.where(below > 0, shade * below * level, shade)
    if roundness is not None:
        pale = np.clip((colours @ LUMA - _PALE[0]) / (_PALE[1] - _PALE[0]), 0, 1)
        shade = np.where(roundness > 0, roundness ** (1 - (1 - _FAINT) * pale), shade)
    shade = ndimage.gaussian_filter(shade, 0.5 * _FINE * scale)[..., None]
    toned = colours * shade**SHADED_SKIN
    known = known if seams is None else known & ~seams
    if roundness is not None and arms is not None:
        # A pixel here and there may be told as something else.
        bare = ndimage.binary_closing(share > 0.5, iterations=max(1, round(_FINE * scale)))
        bare = ndimage.binary_fill_holes(bare | known) & ~known
        limbs = bare & (roundness > 0)
        toned = toned * joined(toned, real, known & arms, limbs)
        if face is not None:
            toned = toned * joined(toned, real, known & ~arms & ~face, bare & ~limbs, reach=_NECK_REACH)
    return (np.clip(toned, 0, 1) * 2 - 1).astype(np.float32)


def _below_face(face: np.ndarray) -> np.ndarray:
    """How light skin is in the shade of a face (H,W) bool, of the face's light: (H,W); 0 beside and above."""
    rows, columns = np.nonzero(face)
    scale = len(face) / 256
    away = ndimage.distance_transform_edt(~face) / scale
    down, along = np.mgrid[: face.shape[0], : face.shape[1]]
    under = down > np.quantile(rows, _JAW)
    under &= np.abs(along - columns.mean()) < _NECK_WIDE * (columns.max() - columns.min())
    return np.where(under, np.interp(away, *_UNDER_CHIN), 0)


def side_of_light(photo: np.ndarray, face: np.ndarray) -> float:
    """From which side a face is lit: -1 = from the left, 1 = from the right, 0 = from the front or unknown.

    Args:
        photo: (H,W,3) in [-1,1].
        face: (H,W) bool.
    """
    if face.sum() < _ENOUGH * (len(face) / 256) ** 2:
        return 0.0
    luma = ((np.clip(photo[face], -1, 1) + 1) / 2) @ LUMA
    low, high = np.quantile(luma, (0.2, 0.95))  # neither eyes and beard nor glare
    columns = np.nonzero(face)[1][(luma >= low) & (luma <= high)].astype(np.float64)
    luma = luma[(luma >= low) & (luma <= high)]
    if luma.size < 2 or columns.std() < 1:
        return 0.0
    slope = np.polyfit((columns - columns.mean()) / columns.std(), luma / luma.mean(), 1)[0]
    return float(np.clip(slope / _ONE_SIDED, -1, 1))


def reddish(picture: np.ndarray) -> np.ndarray:
    """How much each colour may be skin, of any tone: (H,W,3) in [0,1] → (H,W) in [0,1].

    Skin of every tone is redder than its brightness, and less blue; how much so grows with brightness, so the
    dark is measured more finely.
    """
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    low, high = _REDDISH
    strength = np.clip(((red - luma) / np.sqrt(np.maximum(luma, 0.05)) - low) / (high - low), 0, 1)
    return strength * (red >= green) * (green >= blue - 0.04)


def near_arms(keypoints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H,W) in [0,1]: 1 on the arms and the shoulders' line, fading to 0 half as far again from them."""
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    nearest = np.full(size, np.inf, np.float32)
    for first, second in _ARMS:
        start, end = (
            keypoints[KEYPOINT_NAMES.index(name), :2].astype(np.float32) for name in (first, second)
        )
        if not start.any() or not end.any():
            continue
        along = end - start
        length = max(float(along @ along), 1e-6)
        share = np.clip(((columns - start[0]) * along[0] + (rows - start[1]) * along[1]) / length, 0, 1)
        beside = np.hypot(columns - start[0] - share * along[0], rows - start[1] - share * along[1])
        nearest = np.minimum(nearest, beside)
    reach = _REACH * size[0]
    return np.clip((1.5 * reach - nearest) / (0.5 * reach), 0, 1)
