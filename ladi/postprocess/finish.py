"""The last stage of a try-on: from the network's pictures back into the photo.

Models whose decoder says what each pixel shows (``Conditions``' neighbour ``layers``):

```
painted + layers ─► what stays of the photo ─► match light, skin, grey ─► recompose, larger ─► paste
```

Others:

```
painted ─► add fine detail ─► what stays of the photo ─► match light, skin, grey ─► paste
```

Each step can be left out by a setting; without pasting back, the network's pictures are returned as they are.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from ladi.postprocess.grey import grey_outside, is_grey
from ladi.postprocess.kept import keep
from ladi.postprocess.layers import recompose
from ladi.postprocess.light import match_light
from ladi.postprocess.paste import paste_back
from ladi.postprocess.skin import match_skin
from ladi.postprocess.unchanged import agrees, drop_unchanged
from ladi.preprocess.frame import to_pixels
from ladi.settings import Settings
from ladi.types import LAYERS, Conditions, Garment, PersonParts, Size

_LARGEST = 4
"""Times the model's size at which layers are put together; larger photos enlarge the rest of the way."""
_GARMENT = LAYERS.index("garment")


def finish(
    generated: torch.Tensor,
    person: PersonParts,
    garment: Garment,
    conditions: Conditions,
    settings: Settings,
    *,
    layers: torch.Tensor | None = None,
    by_hand: bool = False,
) -> tuple[np.ndarray, ...]:
    """Brings generated pictures to what a user sees.

    Args:
        generated: (B,3,H,W) in [-1,1].
        person: who was dressed.
        garment: in what.
        conditions: of both, one row.
        settings: ``paste_back``, ``fine_detail``, ``keep_unchanged``, ``feather`` and the switches count.
        layers: (B,K,H,W), what the pictures show, from models that tell.
        by_hand: the mask was drawn by hand: all of it is painted, and takes the photo's tone all the same.

    Returns:
        One (H',W',3) uint8 per picture, at the photo's own size where pasted back, else at the model's.
    """
    # diffusers' neighbours, which these need, take seconds to import.
    from ladi.diffusion.conditioning import sample_garment
    from ladi.postprocess.detail import detailed

    if not settings.paste_back:
        return tuple(to_pixels(picture) for picture in generated)
    if layers is not None:
        return tuple(
            _by_layers(picture[None], shown[None], person, garment, conditions, settings, by_hand=by_hand)
            for picture, shown in zip(generated, layers, strict=True)
        )
    shown = generated
    fitted: tuple[np.ndarray, np.ndarray] | None = None
    if settings.switches.warped_garment and conditions.warp_grid is not None:
        grid = conditions.warp_grid.float().cpu()
        outline = sample_garment(garment.matte.float(), grid)[0, 0].numpy()
        fitted = outline, _channels_last(sample_garment(garment.image, grid)[0])
        if settings.fine_detail:
            shown = detailed(generated, person, garment, conditions)
    mask = person.mask[0, 0].numpy() > 0
    photo = _channels_last(person.image[0])
    colourless = is_grey(person.photo.pixels)
    pictures = []
    for small, large in zip(generated, shown, strict=True):
        painted = mask
        if settings.keep_unchanged:
            plain = _channels_last(small)
            worn = None if fitted is None else fitted[0] * agrees(plain, fitted[1])
            new = drop_unchanged(mask, person.labels, photo, plain, worn, scheme=person.scheme)
            painted = mask if by_hand else new
            tone = match_light(plain, photo, mask & ~new, worn)
            if fitted is not None:  # without it, cloth and skin cannot be told apart
                lit = plain + tone
                tone += match_skin(
                    lit, photo, person.labels, painted, person.keypoints, fitted[0], scheme=person.scheme
                )
            shift = torch.from_numpy(tone).movedim(-1, 0)[None]
            large = large + functional.interpolate(shift, large.shape[-2:], mode="bilinear")[0]
        if colourless:
            large = grey_outside(large, None if fitted is None else fitted[0])
        pictures.append(
            paste_back(person.photo, to_pixels(large), painted, person.frame, feather=settings.feather)
        )
    return tuple(pictures)


def _by_layers(
    picture: torch.Tensor,
    probabilities: torch.Tensor,
    person: PersonParts,
    garment: Garment,
    conditions: Conditions,
    settings: Settings,
    *,
    by_hand: bool,
) -> np.ndarray:
    """One picture (1,3,H,W), put together again at the photo's size or near it, and pasted."""
    from ladi.postprocess.detail import WORTH_IT, detail_of

    mask = person.mask[0, 0].numpy() > 0
    photo, plain, shown = (
        _channels_last(person.image[0]),
        _channels_last(picture[0]),
        probabilities[0].numpy(),
    )
    painted, same, lit = mask, np.zeros_like(mask), picture
    if settings.keep_unchanged:
        kept = keep(mask, person.labels, photo, plain, shown, scheme=person.scheme)
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
        painted, same = mask if by_hand else kept.painted, kept.same
    size = _canvas(person)
    fine = None
    if (
        settings.fine_detail
        and settings.switches.warped_garment
        and garment.fine is not None
        and conditions.warp_grid is not None
        and person.frame.scale <= WORTH_IT
    ):
        fine = {_GARMENT: detail_of(picture, person, garment, conditions, size)}
    large, shares = recompose(lit, probabilities, size, fine)
    if is_grey(person.photo.pixels):
        large = grey_outside(large[0], shares[0, _GARMENT].numpy())[None]
    pixels = to_pixels(large)
    return paste_back(person.photo, pixels, painted, person.frame, feather=settings.feather, same=same)


def _canvas(person: PersonParts) -> Size:
    """The whole multiple of the model's size that comes up to the photo's, as far as it is worth it."""
    height, width = person.frame.size
    times = min(_LARGEST, max(1, round(1 / person.frame.scale)))
    return times * height, times * width


def _channels_last(picture: torch.Tensor) -> np.ndarray:
    """(3,H,W) → (H,W,3)."""
    return picture.float().cpu().movedim(0, -1).numpy()
