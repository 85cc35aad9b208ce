"""The mask that a visitor sees, corrects and keeps.

The editor shows the window of the photo that the model sees, under a layer of colour. What was shown last is
remembered with the page's session under a token that travels with the editor's value, so that a stroke is
told from the automatic mask without listening to every stroke: the layer that comes back under the same token
and differs from what was shown has been edited; one under another token is out of date. Nothing here knows
the page's layout.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image

from app.pictures import mask_layer
from ladi.preprocess.frame import crop_to_frame
from ladi.preprocess.mask import grow_mask
from ladi.preprocess.person import place_mask
from ladi.preprocess.turning import turn_photo, turn_pixels
from ladi.runtime.recall import digest
from ladi.types import Frame, MaskError, PersonParts, Photo, Size

EDITOR: Size = (768, 576)
"""What the editor shows, for every photo: Gradio's editor puts a layer in its place only on a canvas of the
size that it began with. The model's window always has these proportions."""
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
    frame: Frame
    """The window in the photo, at the editor's size."""
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
    mask = Image.fromarray(person.mask[0, 0].numpy().astype(np.uint8))
    bits = pack(np.asarray(mask.resize((EDITOR[1], EDITOR[0]), Image.Resampling.NEAREST)) > 0)
    frame = replace(person.frame, size=EDITOR)
    return DrawnMask(digest(person.photo), frame, bits, bits, grow=grow, drawn_at=grow)


def pack(mask: np.ndarray) -> bytes:
    """A mask of the editor's size, one bit a pixel."""
    return np.packbits(mask).tobytes()


def unpack(bits: bytes) -> np.ndarray:
    """A mask of the editor's size, (h,w) bool."""
    flat = np.unpackbits(np.frombuffer(bits, np.uint8), count=EDITOR[0] * EDITOR[1])
    return flat.reshape(EDITOR).astype(bool)


def editor_value(photo: Photo, drawn: DrawnMask) -> dict[str, Any]:
    """What the editor is given: the window of the photo and a layer of colour over it."""
    window = crop_to_frame(photo.pixels, drawn.frame)
    return {"background": window, "layers": [mask_layer(unpack(drawn.shown))], "composite": None}


def read_layers(value: dict[str, Any] | None) -> np.ndarray | None:
    """The mask (h,w) bool that an editor gives back: what any layer covers; None where it has no photo.

    Args:
        value: the editor's value as arrays; a browser may give back another size.
    """
    if not value or value.get("background") is None:
        return None
    mask = np.zeros(EDITOR, bool)
    for layer in value.get("layers") or []:
        if layer.ndim == 3 and layer.shape[2] == 4:
            alpha = Image.fromarray(np.ascontiguousarray(layer[..., 3]))
            if alpha.size != (EDITOR[1], EDITOR[0]):
                alpha = alpha.resize((EDITOR[1], EDITOR[0]), Image.Resampling.BILINEAR)
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
    mask = read_layers(layers)
    if mask is None:
        return drawn
    # An editor that is still loading gives back nothing at all, which nobody has drawn yet.
    loading = not drawn.edited and not mask.any()
    if loading or float((mask != unpack(drawn.shown)).mean()) <= EDITED_SHARE:
        return drawn
    bits = pack(mask)
    return replace(drawn, shown=bits, base=bits, edited=True, drawn_at=drawn.grow)


def adapted(drawn: DrawnMask, person: PersonParts, grow: int) -> DrawnMask:
    """An edited mask in the window that a person is seen in now, with the slider where it is now.

    Args:
        drawn: of this very photo.
        person: as prepared now; another kind of garment may be seen in another window.
        grow: model pixels.
    """
    frame = replace(person.frame, size=EDITOR)
    if frame != drawn.frame:
        photo = person.photo.size
        shown, base = (
            pack(crop_to_frame(place_mask(unpack(bits), drawn.frame, photo), frame) >= 0.5)
            for bits in (drawn.shown, drawn.base)
        )
        drawn = replace(drawn, frame=frame, shown=shown, base=base, token=new_token())
    if grow != drawn.grow:
        scale = EDITOR[0] / person.frame.size[0]
        mask = grow_mask(unpack(drawn.base), round((grow - drawn.drawn_at) * scale))
        drawn = replace(drawn, shown=pack(mask), grow=grow, token=new_token())
    return drawn


def turned(drawn: DrawnMask, photo: Photo, degrees: int) -> DrawnMask:
    """An edited mask turned to the right with the photo that it was drawn on; its window is all of that."""
    upright = turn_photo(photo, degrees)
    scale = max(side / edge for side, edge in zip(upright.size, EDITOR, strict=True))
    height, width = (edge * scale for edge in EDITOR)
    frame = Frame((upright.size[1] - width) / 2, (upright.size[0] - height) / 2, width, height, EDITOR)
    shown, base = (
        turn_pixels(place_mask(unpack(bits), drawn.frame, photo.size), degrees)
        for bits in (drawn.shown, drawn.base)
    )
    return replace(
        drawn,
        photo=digest(upright),
        frame=frame,
        shown=pack(crop_to_frame(shown, frame) >= 0.5),
        base=pack(crop_to_frame(base, frame) >= 0.5),
        token=new_token(),
    )


def mask_for_photo(drawn: DrawnMask | None, photo: Photo) -> np.ndarray | None:
    """An edited mask (H,W) uint8 at its photo's own size; None for the automatic one.

    Raises:
        MaskError: everything was erased.
    """
    if drawn is None or not drawn.edited or drawn.photo != digest(photo):
        return None
    mask = unpack(drawn.shown)
    if not mask.any():
        raise MaskError(
            "The area to repaint is empty: paint over what the garment should cover, or reset it."
        )
    return place_mask(mask, drawn.frame, photo.size).astype(np.uint8)
