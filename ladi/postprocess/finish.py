"""The last stage of a try-on: from the network's pictures back into the photo.

```
generated ─► add fine detail ─► drop what is unchanged from the mask ─► match light, skin, grey ─► paste back
```

Each step can be left out by a setting; without pasting back, the network's pictures are returned as they are.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from ladi.postprocess.grey import grey_outside, is_grey
from ladi.postprocess.light import match_light
from ladi.postprocess.paste import paste_back
from ladi.postprocess.skin import match_skin
from ladi.postprocess.unchanged import agrees, drop_unchanged
from ladi.preprocess.frame import to_pixels
from ladi.settings import Settings
from ladi.types import Conditions, Garment, PersonParts


def finish(
    generated: torch.Tensor,
    person: PersonParts,
    garment: Garment,
    conditions: Conditions,
    settings: Settings,
    *,
    by_hand: bool = False,
) -> tuple[np.ndarray, ...]:
    """Brings generated pictures to what a user sees.

    Args:
        generated: (B,3,H,W) in [-1,1].
        person: who was dressed.
        garment: in what.
        conditions: of both, one row.
        settings: ``paste_back``, ``fine_detail``, ``keep_unchanged``, ``feather`` and the switches count.
        by_hand: the mask was drawn by hand: all of it is painted, and takes the photo's tone all the same.

    Returns:
        One (H',W',3) uint8 per picture, at the photo's own size where pasted back, else at the model's.
    """
    # diffusers' neighbours, which these need, take seconds to import.
    from ladi.diffusion.conditioning import sample_garment
    from ladi.postprocess.detail import detailed

    if not settings.paste_back:
        return tuple(to_pixels(picture) for picture in generated)
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


def _channels_last(picture: torch.Tensor) -> np.ndarray:
    """(3,H,W) → (H,W,3)."""
    return picture.float().cpu().movedim(0, -1).numpy()
