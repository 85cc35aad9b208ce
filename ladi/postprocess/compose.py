"""A result put together in layers at the photo's size, each from where it is known best (not in the paper).

A small network knows what shows where, and how the light falls; what walls, hands and cloth look like is
known better from the photo and from the garment's picture. So each layer's colours come from there:

```
wall, other ─► the photo, continued beneath what was removed ─┐
garment     ─► the full-size warp, continued to its outline, ─┼─► weighted by the layers' shapes
               in the painted light                           │
skin        ─► painted, continued and enlarged ───────────────┘
```

Which pixels of the photo stay is ``kept.py``'s, and pasting ``paste.py``'s.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import torch
from scipy import ndimage

from ladi.postprocess.arm_seams import arms_that_stay
from ladi.postprocess.chin_rim import ChinRim, find_chin, with_chin
from ladi.postprocess.cloth_source import ClothSource
from ladi.postprocess.continuing import continue_picture
from ladi.postprocess.drawn_hands import with_hands
from ladi.postprocess.exemplars import fill_by_exemplars
from ladi.postprocess.front_rim import find_front_rims, front_colours, with_front
from ladi.postprocess.grain import grain_of
from ladi.postprocess.hair_rim import find_rim, rim_colours, rimmed
from ladi.postprocess.laid_cloth import lay_cloth
from ladi.postprocess.layers import Canvas, LayeredPicture, as_tensor, own_colours, shapes
from ladi.postprocess.layout import Layout
from ladi.postprocess.skin import surely_bare, toned_skin, with_chains
from ladi.postprocess.sleeve_ends import sleeve_regions, with_sleeve_ends
from ladi.preprocess.boxes import Box
from ladi.preprocess.frame import crop_to_frame
from ladi.preprocess.labels import named
from ladi.preprocess.limbs import Limbs
from ladi.preprocess.shades import distance_to, in_lab, shades_of
from ladi.types import LAYERS, Garment, PersonParts, Size

_WALL, _SKIN, _GARMENT, _OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))
_AWAY = 9
"""Pixels, at a height of 256, from a labelled person or thing at which the photo surely shows wall."""
_RIM, _SKIN_RIM = 2, 1
"""Likewise by which hair, trousers and bags, and skin, are drawn in, to be sure of their colour."""
_MIRROR, _SMOOTHLY = (10.0, 24.0), (0.0, 0.5)
"""As in ``continuing.py``: for walls and things, and for skin."""
_ALIKE = 0.5
"""Largest difference on [-1,1] at which the photo's skin and the toned one are both skin."""
_BARE = ("face", "head", "neck", "vitonhd_neck", "left_arm", "right_arm", "left_leg", "right_leg")
_ARMS, _FACES, _NECKS = ("left_arm", "right_arm"), ("face", "head"), ("neck", "vitonhd_neck")
_LOWER, _LOWER_SHOWN, _WAIST = ("pants", "skirt"), 120, 0.45
"""What a shorter top uncovers; pixels at a height of 256 that must be seen of it; how far above the hips, in
torsos, it may reach."""
_SHADES_FROM, _SHADE, _STRANGE, _PLAIN = 4000, 0.1, 40.0, 0.95
"""Pixels of cloth that its shades are taken from at most; share of it that a shade has at least; how far from
all of them (in CIELAB of 8 bit) a colour is none of it; share of cloth that has them, unless it is print."""
_WORN = {
    "upper_body": ("upper_clothes", "dress", "coat"),
    "lower_body": ("pants", "skirt", "dress"),
    "dresses": ("upper_clothes", "dress", "coat", "pants", "skirt"),
}
"""What a new garment takes the place of, and of which nothing may come back."""


def compose(
    lit: torch.Tensor,
    painted: torch.Tensor,
    layout: Layout,
    person: PersonParts,
    garment: Garment,
    source: ClothSource | None,
    size: Size,
    *,
    part: Box | None = None,
    fine: bool = True,
) -> LayeredPicture:
    """One picture at a larger size, or a part of one.

    Args:
        lit: (1,3,h,w) in [-1,1], painted, in the photo's tone.
        painted: (1,K,h,w) of ``LAYERS``, what it shows.
        layout: what is to show.
        person: who was dressed.
        garment: in what.
        source: where in its picture cloth is taken from; None where no garment was warped.
        size: of the whole result.
        part: of the picture, at the model's size; all of it unless given. Around what is repainted nothing
            else is different.
        fine: the cloth comes from the larger picture of the garment, if there is one.
    """
    small = (person.frame.size[0], person.frame.size[1])
    canvas = Canvas(size, part or Box(0, 0, *small), small)
    shares = shapes(torch.from_numpy(layout.shown)[None], size, canvas.part)
    photo = crop_to_frame(person.photo.pixels, replace(person.frame, size=size))
    inside = _enlarged(person.mask[0, 0].numpy() > 0, size)[canvas.window]
    shares = with_sleeve_ends(shares, layout.ends, sleeve_regions(person, inside, canvas), canvas)
    fronts = find_front_rims(person, layout.shown, photo, canvas)
    for front in fronts:
        inside = inside | front.zone[canvas.window]
    shares = with_front(shares, fronts, canvas)
    rim = find_rim(person, layout.shown, canvas)
    if rim is not None:
        shares, inside = rimmed(shares, rim, canvas), inside | rim.zone[canvas.window]
    chin = find_chin(person, layout.shown, canvas)
    if chin is not None:
        inside = inside | chin.zone[canvas.window]
    wanted = [canvas.whole(share) for share in (shares[0].numpy() > 0) & inside]
    own = [own_colours(lit, painted[:, number : number + 1]) for number in range(len(LAYERS))]

    def cloth() -> torch.Tensor:
        colours = canvas.enlarge(own[_GARMENT])
        if source is not None:
            weight = painted[:, _GARMENT : _GARMENT + 1] * person.mask
            told = (garment, source, wanted[_GARMENT], canvas)
            colours = lay_cloth(colours, lit, weight, *told, fine=fine, sleeves=layout.sleeves)
        if layout.relief is not None:
            light = canvas.enlarge(torch.from_numpy(layout.relief)[None, None])
            colours = (colours + 1).mul_(light).sub_(1)
        return colours

    # None of them waits for another, and each takes about as long as the rest.
    with ThreadPoolExecutor(3) as workers:
        wall = workers.submit(_continued, photo, _enlarged(_wall(person.labels), size), wanted[_WALL])
        garments = workers.submit(cloth)
        others = workers.submit(_other_colours, own[_OTHER], photo, person, layout, wanted[_OTHER], canvas)
        skin = _skin_colours(own[_SKIN], painted, photo, person, layout, wanted[_SKIN], canvas, chin)
        colours = {
            _WALL: as_tensor(wall.result()[canvas.window]),
            _SKIN: skin,
            _GARMENT: garments.result(),
            _OTHER: others.result(),
        }
    front_colours(colours, as_tensor(photo[canvas.window]), fronts, canvas)
    if rim is not None:
        colours[_OTHER] = rim_colours(colours[_OTHER], photo, rim, canvas)
    return LayeredPicture(colours, with_hands(colours, shares, photo, layout.hands, inside, canvas))


def _skin_colours(
    own: torch.Tensor,
    painted: torch.Tensor,
    photo: np.ndarray,
    person: PersonParts,
    layout: Layout,
    wanted: np.ndarray,
    canvas: Canvas,
    chin: ChinRim | None,
) -> torch.Tensor:
    """Painted skin in the person's own tone, and the photo's own near it: (1,3,h',w')."""
    bare = _bare(own, painted, layout, person)
    alike = with_chains((bare - person.image)[0].abs().amax(0).numpy() < _ALIKE, _named(person, _NECKS))
    worn = _named(person, _WORN[person.category])
    shown = surely_bare(_named(person, _BARE) & alike, _named(person, _ARMS), worn)
    grain = torch.from_numpy(grain_of(photo, _enlarged(shown, canvas.size))[canvas.window])
    skin = canvas.enlarge(bare) + grain
    colours = _own(skin, photo, shown, wanted, canvas, _SKIN_RIM, _SMOOTHLY)
    if chin is not None:
        colours = with_chin(colours, skin, photo, chin, canvas)
    if layout.faded is not None:
        share = canvas.enlarge(torch.from_numpy(layout.faded)[None, None]).clamp_(0, 1)
        colours = torch.lerp(colours, as_tensor(photo[canvas.window]), share)
    return colours


def _other_colours(
    own: torch.Tensor,
    photo: np.ndarray,
    person: PersonParts,
    layout: Layout,
    wanted: np.ndarray,
    canvas: Canvas,
) -> torch.Tensor:
    """Hair, things and other clothes, and what of these a shorter top uncovers: (1,3,h',w')."""
    shown = (person.labels > 0) & ~_named(person, (*_BARE, *_WORN[person.category]))
    colours = _own(canvas.enlarge(own), photo, shown | layout.stays, wanted, canvas, _RIM, _MIRROR)
    return _uncovered(colours, photo, person, layout, wanted, canvas)


def _wall(labels: np.ndarray) -> np.ndarray:
    """(h,w) bool, where the photo surely shows wall."""
    away = max(1, round(_AWAY * len(labels) / 256))
    return np.asarray(ndimage.distance_transform_edt(labels == 0) > away)


def _continued(
    photo: np.ndarray, known: np.ndarray, wanted: np.ndarray, *, cloth: bool = False
) -> np.ndarray:
    """A wall or trousers with what was hidden of them: (*size,3) uint8; as ``continue_picture``."""
    filled, done = fill_by_exemplars(photo, known, wanted, one_colour=cloth)
    return continue_picture(filled, known | done, wanted, _MIRROR)


def _own(
    painted: torch.Tensor,
    photo: np.ndarray,
    shown: np.ndarray,
    wanted: np.ndarray,
    canvas: Canvas,
    within: int,
    mirror: tuple[float, float],
) -> torch.Tensor:
    """Colours of what the photo shows too: its own and their continuation near them, painted elsewhere.

    Args:
        painted: (1,3,h',w'), the canvas's part.
        photo: (*size,3) uint8.
        shown: (h,w) bool, where the photo shows it.
        wanted: (*size) bool, where it is to be.
        canvas: size and part.
        within: pixels at a height of 256 by which that is drawn in, to be sure of its colour.
        mirror: see ``continuing.py``.
    """
    within = max(1, round(within * len(shown) / 256))
    known = ndimage.binary_erosion(shown, iterations=within, border_value=1)
    if not known.any():
        return painted
    near = 4 * within
    reach = ndimage.distance_transform_edt(~known)
    trust = torch.from_numpy(((2 * near - reach) / near).clip(0, 1).astype(np.float32))[None, None]
    trust = canvas.enlarge(trust).clamp_(0, 1)
    wanted = wanted & canvas.whole(trust[0, 0].numpy() > 0)
    own = continue_picture(photo, _enlarged(known, canvas.size), wanted, mirror)
    return torch.lerp(painted, as_tensor(own[canvas.window]), trust)


def _uncovered(
    colours: torch.Tensor,
    photo: np.ndarray,
    person: PersonParts,
    layout: Layout,
    wanted: np.ndarray,
    canvas: Canvas,
) -> torch.Tensor:
    """What a shorter top uncovers of trousers or a skirt is as they are below it: (1,3,h',w')."""
    known = ndimage.binary_erosion(_named(person, _LOWER), iterations=_RIM)
    enough = _LOWER_SHOWN * (len(known) / 256) ** 2
    if person.category != "upper_body" or known.sum() < enough:
        return colours
    middle = Limbs(person.keypoints, person.labels > 0)
    rows = np.arange(len(known))[:, None]
    worn = _named(person, _WORN["upper_body"]) & ~layout.stays
    covered = worn & (rows > middle.hip_row - _WAIST * middle.torso)
    there = _enlarged(covered, canvas.size) & wanted
    if not there.any():
        return colours
    known = _of_its_shades(photo, _enlarged(known, canvas.size))
    own = _continued(photo, known, there, cloth=True)
    share = canvas.enlarge(torch.from_numpy(covered.astype(np.float32))[None, None]).clamp_(0, 1)
    return torch.lerp(colours, as_tensor(own[canvas.window]), share)


def _of_its_shades(photo: np.ndarray, cloth: np.ndarray) -> np.ndarray:
    """What of cloth has the cloth's common colours: (H,W,3) uint8 and (H,W) bool → (H,W) bool.

    A slit of wall between two legs, or a chain on them, would be continued with them. Prints are left whole.
    """
    colours = in_lab(photo[cloth][None])[0]
    shades = shades_of(colours[:: max(1, len(colours) // _SHADES_FROM)], least=_SHADE)
    result = cloth.copy()
    result[cloth] = distance_to(colours, shades) < _STRANGE
    return result if result.sum() > _PLAIN * cloth.sum() else cloth


def _bare(own: torch.Tensor, painted: torch.Tensor, layout: Layout, person: PersonParts) -> torch.Tensor:
    """Painted skin in the person's own tone: (1,3,h,w)."""
    arms, bare = _named(person, _ARMS), _named(person, _BARE)
    seen = arms_that_stay(arms, _named(person, _WORN[person.category]), layout.shown.argmax(0) == _SKIN)
    toned = toned_skin(
        own[0].movedim(0, -1).numpy(),
        painted[0, _SKIN].numpy(),
        layout.shown[_SKIN],
        person.image[0].movedim(0, -1).numpy(),
        bare & ((person.mask[0, 0].numpy() == 0) | seen),
        layout.roundness,
        arms if layout.seams is None else arms | layout.seams,
        _named(person, _FACES),
        layout.shown[_WALL] < 0.5,
        layout.seams,
    )
    return torch.from_numpy(toned).movedim(-1, 0)[None]


def _named(person: PersonParts, names: tuple[str, ...]) -> np.ndarray:
    return named(person.labels, person.scheme, names)


def _enlarged(region: np.ndarray, size: Size) -> np.ndarray:
    """(h,w) bool at a larger size, its edge smoothed."""
    large = cv2.resize(region.astype(np.float32), (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return large > 0.5
