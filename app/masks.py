"""The mask that a visitor sees, corrects and keeps.

The editor shows the photo, at most ``EDITOR_SIDE`` pixels a side, under a layer of colour. What was shown last
is remembered with the page's session under a token that travels with the editor's value, so that a stroke is
told from the automatic mask without listening to every stroke: the layer that comes back under the same token
and differs from what was shown has been edited; one under another token is out of date. Nothing here knows the
page's layout.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image

from app.pictures import mask_layer
from ladi.preprocess.mask import grow_mask
from ladi.preprocess.person import mask_on_photo
from ladi.recall import digest
from ladi.types import MaskError, PersonParts, Photo, Size

EDITOR_SIDE = 768
"""Pixels of the longer side of what the editor shows: enough for a brush, small enough for a phone."""
EDITED_SHARE = 2e-4
"""Share of the pixels that must differ before a mask counts as edited: browsers round at edges."""
COVERED = 60
"""Opacity, of 255, from which a pixel of a layer counts."""


def new_token() -> str:
    """What tells one value of the editor from the next."""
    return secrets.token_hex(8)


@dataclass(frozen=True)
class DrawnMask:
    """What the editor shows of one photo; small and plain, since it stays with the session."""

    photo: bytes
    """The photo's digest."""
    size: Size
    """Of the editor's picture."""
    shown: bytes
    """The mask that the editor shows, one bit a pixel."""
    base: bytes
    """The mask as it was drawn, before the slider was moved on."""
    edited: bool = False
    grow: int = 0
    """Where the slider stands for ``shown``, in model pixels."""
    drawn_at: int = 0
    """Where it stood for ``base``: strokes are made on what was shown."""
    token: str = field(default_factory=new_token)


def automatic(person: PersonParts, grow: int = 0) -> DrawnMask:
    """The record of a mask that was found, not drawn, and that the engine has grown already."""
    size = editor_size(person.photo)
    bits = pack(mask_on_photo(person, size))
    return DrawnMask(digest(person.photo), size, bits, bits, grow=grow, drawn_at=grow)


def editor_size(photo: Photo) -> Size:
    """Height and width at which the editor shows a photo."""
    scale = min(1.0, EDITOR_SIDE / max(photo.size))
    return max(1, round(photo.size[0] * scale)), max(1, round(photo.size[1] * scale))


def pack(mask: np.ndarray) -> bytes:
    """A mask (h,w) bool, one bit a pixel."""
    return np.packbits(mask).tobytes()


def unpack(bits: bytes, size: Size) -> np.ndarray:
    """(h,w) bool."""
    flat = np.unpackbits(np.frombuffer(bits, np.uint8), count=size[0] * size[1])
    return flat.reshape(size).astype(bool)


def editor_value(photo: Photo, drawn: DrawnMask) -> dict[str, Any]:
    """What the editor is given: the photo and a layer of colour over it."""
    height, width = drawn.size
    small = np.asarray(Image.fromarray(photo.pixels).resize((width, height), Image.Resampling.LANCZOS))
    return {"background": small, "layers": [mask_layer(unpack(drawn.shown, drawn.size))], "composite": None}


def read_layers(value: dict[str, Any] | None, size: Size) -> np.ndarray | None:
    """The mask (h,w) bool that an editor gives back: what any layer covers; None where it has no photo.

    Args:
        value: the editor's value as arrays.
        size: what the editor was given; a browser may give back another.
    """
    if not value or value.get("background") is None:
        return None
    mask = np.zeros(size, bool)
    for layer in value.get("layers") or []:
        if layer.ndim == 3 and layer.shape[2] == 4:
            alpha = Image.fromarray(np.ascontiguousarray(layer[..., 3]))
            if alpha.size != (size[1], size[0]):
                alpha = alpha.resize((size[1], size[0]), Image.Resampling.BILINEAR)
            mask |= np.asarray(alpha) > COVERED
    return mask


def note_strokes(drawn: DrawnMask | None, token: str, layers: dict[str, Any] | None) -> DrawnMask | None:
    """The record after a look at the editor: edited, if its mask is no longer what was shown.

    Args:
        drawn: the record so far.
        token: what came with the layers.
        layers: the editor's value as arrays.
    """
    if drawn is None or token != drawn.token:
        return drawn
    mask = read_layers(layers, drawn.size)
    if mask is None:
        return drawn
    shown = unpack(drawn.shown, drawn.size)
    # An editor that is still loading gives back nothing at all, which nobody has drawn yet.
    loading = not drawn.edited and not mask.any()
    if loading or float((mask != shown).mean()) <= EDITED_SHARE:
        return drawn
    bits = pack(mask)
    return replace(drawn, shown=bits, base=bits, edited=True, drawn_at=drawn.grow)


def grown(drawn: DrawnMask, pixels: int, person: PersonParts) -> DrawnMask:
    """An edited mask with the slider at so many model pixels."""
    if pixels == drawn.grow:
        return drawn
    scale = drawn.size[0] / person.photo.size[0] / person.frame.scale
    mask = grow_mask(unpack(drawn.base, drawn.size), round((pixels - drawn.drawn_at) * scale))
    return replace(drawn, shown=pack(mask), grow=pixels, token=new_token())


def mask_for_photo(drawn: DrawnMask | None, photo: Photo) -> np.ndarray | None:
    """An edited mask (H,W) uint8 at its photo's own size; None for the automatic one.

    Raises:
        MaskError: everything was erased.
    """
    if drawn is None or not drawn.edited or drawn.photo != digest(photo):
        return None
    mask = unpack(drawn.shown, drawn.size)
    if not mask.any():
        raise MaskError("The mask is empty: paint over what the garment shall cover, or reset the mask.")
    height, width = photo.size
    return np.asarray(Image.fromarray(mask.astype(np.uint8)).resize((width, height), Image.Resampling.NEAREST))
