"""The last stage of a try-on: from the network's pictures back into the photo.

```
painted + layers ─► what stays of the photo ─► match light, skin, cloth ─► put together, larger ─► paste
```

Where the decoder itself told the layers, they are laid out and put together from what is known best
(``layout.py``, ``compose.py``); other models' pictures are taken as they were painted (``layers.py``).

Each step can be left out by a setting; without pasting back, the network's pictures are returned as they are.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage

from ladi.postprocess.arm_seams import with_seams
from ladi.postprocess.chin_rim import rim_of_chin
from ladi.postprocess.cloth import match_cloth
from ladi.postprocess.cloth_source import cloth_source
from ladi.postprocess.compose import compose
from ladi.postprocess.drawn_hands import footprint
from ladi.postprocess.elbows import with_elbows
from ladi.postprocess.front_rim import rim_of_front
from ladi.postprocess.grey import grey_outside, is_grey
from ladi.postprocess.hair_rim import rim_of_hair
from ladi.postprocess.kept import NARROW, WIDE, below_hem, keep, to_the_bottom
from ladi.postprocess.layers import Canvas, LayeredPicture, canvas_size, recompose, shapes
from ladi.postprocess.layout import Layout, goes_on, lay_out
from ladi.postprocess.light import match_light
from ladi.postprocess.paste import paste_back
from ladi.postprocess.skin import match_skin
from ladi.preprocess.boxes import Box, box_of
from ladi.preprocess.frame import to_pixels
from ladi.preprocess.labels import UPPER_CLOTHING, label_table, named
from ladi.preprocess.limbs import Limbs
from ladi.settings import Settings
from ladi.types import LAYERS, Category, Conditions, Garment, Layer, PersonParts

_GARMENT = LAYERS.index("garment")
_AROUND = 4
"""Pixels around the mask that are put together too, beside what pasting needs of its neighbours: four of the
photo's."""
_ARMS, _HAND_RIM = ("left_arm", "right_arm"), 3
"""Pixels at a height of 256 by which a hand that stays was drawn in for the mask, with one more: what it ends
in is told by the photo (``front_rim.py``)."""
_SLEEVE_WIDTH = 0.16
"""Half an old sleeve's width, of the distance between the shoulders."""
_GONE: dict[Category, str] = {
    "upper_body": "upper_clothes",
    "lower_body": "pants",
    "dresses": "upper_clothes",
}
"""The label of what a mask drawn by hand covers: something that the new garment takes the place of."""


def finish(
    generated: torch.Tensor,
    layers: torch.Tensor | None,
    person: PersonParts,
    garment: Garment,
    conditions: Conditions,
    settings: Settings,
    *,
    told: bool = False,
) -> tuple[np.ndarray, ...]:
    """Brings generated pictures to what a user sees.

    Args:
        generated: (B,3,H,W) in [-1,1].
        layers: (B,K,H,W) probabilities of what the pictures show; only needed where they are pasted back.
        person: who was dressed.
        garment: in what.
        conditions: of both, one row.
        settings: ``paste_back``, ``fine_detail``, ``keep_unchanged``, ``feather`` and the switches count.
        told: the decoder itself told the layers: its pictures are put together from them (``compose.py``).

    Returns:
        One (H',W',3) uint8 per picture, at the photo's own size where pasted back, else at the model's.
    """
    if not settings.paste_back:
        return tuple(to_pixels(picture) for picture in generated)
    if layers is None:
        raise ValueError("pictures can only be pasted back with the layers that they show")
    results = []
    for picture, shown in zip(generated, layers, strict=True):
        made = _put_together(picture[None], shown[None], person, garment, conditions, settings, told=told)
        part = made.layered.whole()
        if is_grey(person.photo.pixels):
            part = grey_outside(part[0], made.layered.shares[0, _GARMENT].numpy())[None]
        large = np.zeros((*made.canvas.size, 3), np.uint8)
        large[made.canvas.window] = to_pixels(part)
        results.append(
            paste_back(
                person.photo,
                large,
                made.painted,
                person.frame,
                feather=settings.feather,
                same=made.same,
            )
        )
    return tuple(results)


def cut_outs(
    generated: torch.Tensor,
    layers: torch.Tensor,
    person: PersonParts,
    garment: Garment,
    conditions: Conditions,
    settings: Settings,
    *,
    told: bool = False,
) -> dict[Layer, np.ndarray]:
    """The first result's layers by themselves, as programs for pictures open them; arguments as ``finish``'s.

    Returns:
        (H',W',4) uint8 RGBA for each layer that shows anywhere, of the model's window, at the photo's size or
        near it.
    """
    made = _put_together(
        generated[:1], layers[:1], person, garment, conditions, settings, told=told, whole=True
    )
    return made.layered.cut_outs()


class _Finished(NamedTuple):
    layered: LayeredPicture
    """The canvas's part."""
    canvas: Canvas
    """At the photo's size or near it."""
    painted: np.ndarray
    """(H,W) bool at the model's size, what is pasted of it."""
    same: np.ndarray
    """(H,W) bool, where it shows the same as the photo."""


def _put_together(
    picture: torch.Tensor,
    probabilities: torch.Tensor,
    person: PersonParts,
    garment: Garment,
    conditions: Conditions,
    settings: Settings,
    *,
    told: bool,
    whole: bool = False,
) -> _Finished:
    """One picture (1,3,H,W) and its layers (1,K,H,W), at the photo's size or near it.

    Of a picture that is put together from what the decoder told, only what is around the mask, unless the
    whole is asked for.
    """
    # diffusers' neighbours, which this needs, take seconds to import.
    from ladi.diffusion.warping import continued, sample_garment, sample_matte
    from ladi.postprocess.detail import WORTH_IT, detail_of

    mask = person.mask[0, 0].numpy() > 0
    painted, same, lit = mask, np.zeros_like(mask), picture
    matte = grid = outline = None
    if settings.switches.warped_garment and conditions.warp_grid is not None:
        grid = conditions.warp_grid.float().cpu()
        matte = sample_matte(garment.matte.float(), grid)  # [1,1,H,W]
        outline = matte[0, 0].numpy()
    told = told and settings.keep_unchanged
    if told:
        person = with_elbows(person)
    shown = probabilities[0].numpy()
    if told and person.by_hand:
        # Who paints over something wants it gone: nothing of it is the photo's to keep.
        gone = label_table(person.scheme)[_GONE[person.category]]
        person = replace(person, labels=np.where(mask, np.uint8(gone), person.labels))
    stays = np.zeros_like(mask)
    if outline is not None and goes_on(person) and not person.by_hand:
        stays = below_hem(mask, person.labels, outline, person.scheme)
        # A forearm that hangs lower than the hem is a forearm all the same.
        limbs = Limbs(person.keypoints, person.labels > 0)
        stays &= ~limbs.near_arms(stays, _SLEEVE_WIDTH * limbs.width)
        # And an empty sleeve beside it is no coat.
        stays = to_the_bottom(stays)
    layout = lay_out(shown, person, garment, outline, stays) if told else Layout(shown, stays)
    if told and person.bare is not None and not person.by_hand:
        # A forearm that no sleeve covers is the photo's own, and so is the edge of a hand that stays.
        edge = _edge_of_hands(mask, person)
        mask = mask & ~(person.bare & (edge | (layout.shown.argmax(0) != _GARMENT)))
        person = replace(person, mask=torch.from_numpy(mask)[None, None].to(person.mask))
        painted, same = mask, np.zeros_like(mask)
    if told and not person.by_hand:
        person, layout = with_seams(person, layout)
        mask = person.mask[0, 0].numpy() > 0
        painted, same = mask, np.zeros_like(mask)
    source = None
    if grid is not None and outline is not None:
        source = cloth_source(grid, outline, layout, person, garment)
    layers = torch.from_numpy(layout.shown)[None]
    if settings.keep_unchanged:
        photo, plain = _channels_last(person.image[0]), _channels_last(picture[0])
        kept = keep(
            mask,
            person.labels,
            photo,
            plain,
            shapes(layers, person.frame.size)[0].numpy() if told else shown,
            outline,
            stays,
            scheme=person.scheme,
            rims=WIDE if told else NARROW,
        )
        tone = match_light(plain, photo, mask & ~kept.painted, shown[_GARMENT])
        tone += match_skin(
            plain + tone,
            photo,
            person.labels,
            kept.painted,
            person.keypoints,
            shown[_GARMENT],
            scheme=person.scheme,
        )
        lit = picture + torch.from_numpy(tone).movedim(-1, 0)[None]
        painted, same = mask if person.by_hand else kept.painted, kept.same
    drawn = footprint(layout.hands, (mask.shape[0], mask.shape[1]))
    if told:
        drawn |= rim_of_hair(person.labels, mask, person.scheme)
        drawn |= rim_of_front(person.labels, mask, person.scheme)
        drawn |= rim_of_chin(person, layout.shown)
    if person.by_hand:
        # Whoever draws the area to repaint wants nothing beside it changed.
        drawn &= mask
    painted, same = painted | drawn, same & ~drawn
    size, fine = canvas_size(person.frame, least=2 if told else 1), None
    if matte is not None and grid is not None:
        share = probabilities[:, _GARMENT, None] * matte * person.mask
        cloth = continued(garment.image, garment.matte.float())
        lit = lit + match_cloth(lit, sample_garment(cloth, grid), share)
        if not told and settings.fine_detail and garment.fine is not None and person.frame.scale <= WORTH_IT:
            fine = {_GARMENT: detail_of(lit, person, garment, conditions, size)}
    small = (mask.shape[0], mask.shape[1])
    part = Box(0, 0, *small)
    if told:
        around = None if whole else box_of(mask | drawn)
        if around is not None:
            part = around.grown(_AROUND + math.ceil(4 * max(1, person.frame.scale)), small)
        layered = compose(
            lit, probabilities, layout, person, garment, source, size, part=part, fine=settings.fine_detail
        )
    else:
        layered = recompose(lit, probabilities, size, fine)
    return _Finished(layered, Canvas(size, part, small), painted, same)


def _edge_of_hands(mask: np.ndarray, person: PersonParts) -> np.ndarray:
    """Where hands that stay were drawn in for a mask, because they touch what is taken away: (H,W) bool."""
    around = max(1, round(_HAND_RIM * len(mask) / 256))
    hands, worn = (named(person.labels, person.scheme, names) for names in (_ARMS, UPPER_CLOTHING))
    near = [ndimage.binary_dilation(region, iterations=around) for region in (hands & ~mask, worn)]
    return np.asarray(near[0] & near[1])


def _channels_last(picture: torch.Tensor) -> np.ndarray:
    """(3,H,W) → (H,W,3)."""
    return picture.float().cpu().movedim(0, -1).numpy()
