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

from dataclasses import replace

import cv2
import numpy as np
import torch
from scipy import ndimage

from ladi.postprocess.continuing import continue_picture
from ladi.postprocess.exemplars import fill_by_exemplars
from ladi.postprocess.laid_cloth import as_tensor, lay_cloth
from ladi.postprocess.layers import LayeredPicture, enlarge, own_colours, shapes
from ladi.postprocess.layout import Layout
from ladi.postprocess.skin import grain_of, toned_skin
from ladi.preprocess.frame import crop_to_frame
from ladi.preprocess.labels import label_table
from ladi.preprocess.limbs import Limbs
from ladi.types import LAYERS, Garment, PersonParts, Size

_WALL, _SKIN, _GARMENT, _OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))
_AWAY = 9
"""Pixels, at a height of 256, from a labelled person or thing at which the photo surely shows wall."""
_RIM, _SKIN_RIM = 2, 1
"""Likewise by which hair, trousers and bags, and skin, are drawn in, to be sure of their colour."""
_COLLAR = 3
"""Likewise by which skin is drawn in where it touches what was worn."""
_MIRROR, _SMOOTHLY = (10.0, 24.0), (0.0, 0.5)
"""As in ``continuing.py``: for walls and things, and for skin."""
_ALIKE = 0.5
"""Largest difference on [-1,1] at which the photo's skin and the toned one are both skin."""
_BARE = ("face", "head", "neck", "vitonhd_neck", "left_arm", "right_arm", "left_leg", "right_leg")
_ARMS = ("left_arm", "right_arm")
_LOWER, _LOWER_SHOWN, _WAIST = ("pants", "skirt"), 120, 0.45
"""What a shorter top uncovers; pixels at a height of 256 that must be seen of it; how far above the hips, in
torsos, it may reach."""
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
    grid: torch.Tensor | None,
    size: Size,
    *,
    fine: bool = True,
) -> LayeredPicture:
    """One picture at a larger size.

    Args:
        lit: (1,3,h,w) in [-1,1], painted, in the photo's tone.
        painted: (1,K,h,w) of ``LAYERS``, what it shows.
        layout: what is to show.
        person: who was dressed.
        garment: in what.
        grid: (1,h,w,2), where each pixel takes its cloth from; None where no garment was warped.
        size: of the result.
        fine: the cloth comes from the larger picture of the garment, if there is one.
    """
    shares = shapes(torch.from_numpy(layout.shown)[None], size)
    photo = crop_to_frame(person.photo.pixels, replace(person.frame, size=size))
    inside = _enlarged(person.mask[0, 0].numpy() > 0, size)
    wanted = (shares[0].numpy() > 0) & inside
    own = [own_colours(lit, painted[:, number : number + 1]) for number in range(len(LAYERS))]
    bare = _bare(own[_SKIN], painted, layout, person)
    alike = (bare - person.image)[0].abs().amax(0).numpy() < _ALIKE
    # No bracelet, and no collar's edge.
    reach = max(1, round(_COLLAR * len(person.labels) / 256))
    cloth = ndimage.binary_dilation(_named(person, _WORN[person.category]), iterations=reach)
    shown_bare = _named(person, _BARE) & alike & ~cloth
    other = (person.labels > 0) & ~_named(person, (*_BARE, *_WORN[person.category]))
    colours = {
        _WALL: as_tensor(_continued(photo, _enlarged(_wall(person.labels), size), wanted[_WALL])),
        _SKIN: _own(
            enlarge(bare, size) + torch.from_numpy(grain_of(photo, _enlarged(shown_bare, size)))[None, None],
            photo,
            shown_bare,
            wanted[_SKIN],
            within=_SKIN_RIM,
            mirror=_SMOOTHLY,
        ),
        _OTHER: _own(
            enlarge(own[_OTHER], size),
            photo,
            other | layout.stays,
            wanted[_OTHER],
            within=_RIM,
            mirror=_MIRROR,
        ),
        _GARMENT: enlarge(own[_GARMENT], size),
    }
    colours[_OTHER] = _uncovered(colours[_OTHER], photo, person, layout, wanted[_OTHER])
    if grid is not None:
        weight = painted[:, _GARMENT : _GARMENT + 1] * person.mask
        picture = garment.fine if fine and garment.fine is not None else garment.image
        colours[_GARMENT] = lay_cloth(
            colours[_GARMENT],
            lit,
            weight,
            picture,
            garment.matte.float(),
            grid,
            wanted[_GARMENT],
            layout.sleeves,
        )
    if layout.relief is not None:
        light = enlarge(torch.from_numpy(layout.relief)[None, None], size)
        colours[_GARMENT] = (colours[_GARMENT] + 1) * light - 1
    return LayeredPicture(colours, shares)


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
    *,
    within: int,
    mirror: tuple[float, float],
) -> torch.Tensor:
    """Colours of what the photo shows too: its own and their continuation near them, painted elsewhere.

    Args:
        painted: (1,3,*size).
        photo: (*size,3) uint8.
        shown: (h,w) bool, where the photo shows it.
        wanted: (*size) bool, where it is to be.
        within: pixels at a height of 256 by which that is drawn in, to be sure of its colour.
        mirror: see ``continuing.py``.
    """
    size = (wanted.shape[0], wanted.shape[1])
    within = max(1, round(within * len(shown) / 256))
    known = ndimage.binary_erosion(shown, iterations=within, border_value=1)
    if not known.any():
        return painted
    near = 4 * within
    reach = ndimage.distance_transform_edt(~known)
    trust = torch.from_numpy(((2 * near - reach) / near).clip(0, 1).astype(np.float32))[None, None]
    trust = enlarge(trust, size).clamp(0, 1)
    own = as_tensor(continue_picture(photo, _enlarged(known, size), wanted, mirror))
    return own * trust + painted * (1 - trust)


def _uncovered(
    colours: torch.Tensor, photo: np.ndarray, person: PersonParts, layout: Layout, wanted: np.ndarray
) -> torch.Tensor:
    """What a shorter top uncovers of trousers or a skirt is as they are below it: (1,3,*size)."""
    known = ndimage.binary_erosion(_named(person, _LOWER), iterations=_RIM)
    enough = _LOWER_SHOWN * (len(known) / 256) ** 2
    if person.category != "upper_body" or known.sum() < enough:
        return colours
    middle = Limbs(person.keypoints, person.labels > 0)
    rows = np.arange(len(known))[:, None]
    worn = _named(person, _WORN["upper_body"]) & ~layout.stays
    covered = worn & (rows > middle.hip_row - _WAIST * middle.torso)
    size = (wanted.shape[0], wanted.shape[1])
    there = _enlarged(covered, size) & wanted
    if not there.any():
        return colours
    own = as_tensor(_continued(photo, _enlarged(known, size), there, cloth=True))
    share = enlarge(torch.from_numpy(covered.astype(np.float32))[None, None], size).clamp(0, 1)
    return own * share + colours * (1 - share)


def _bare(own: torch.Tensor, painted: torch.Tensor, layout: Layout, person: PersonParts) -> torch.Tensor:
    """Painted skin in the person's own tone: (1,3,h,w)."""
    toned = toned_skin(
        own[0].movedim(0, -1).numpy(),
        painted[0, _SKIN].numpy(),
        layout.shown[_SKIN],
        person.image[0].movedim(0, -1).numpy(),
        _named(person, _BARE) & (person.mask[0, 0].numpy() == 0),
        layout.roundness,
        _named(person, _ARMS),
    )
    return torch.from_numpy(toned).movedim(-1, 0)[None]


def _named(person: PersonParts, names: tuple[str, ...]) -> np.ndarray:
    table = label_table(person.scheme)
    return np.isin(person.labels, [table[name] for name in names if name in table])


def _enlarged(region: np.ndarray, size: Size) -> np.ndarray:
    """(h,w) bool at a larger size, its edge smoothed."""
    large = cv2.resize(region.astype(np.float32), (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return large > 0.5
