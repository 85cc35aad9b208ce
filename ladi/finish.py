"""The last stage of a try-on: from the network's pictures back into the photo.

```
generated ─► add the garment's fine detail ─► drop the wall from the mask ─► paste back ─► pictures
```

Each step can be left out by a setting; without pasting back, the network's pictures are returned as they are.
"""

from __future__ import annotations

import numpy as np
import torch

from ladi.preprocess.backdrop import drop_backdrop
from ladi.preprocess.frame import paste_back, to_pixels
from ladi.types import Conditions, Garment, PersonParts, Settings


def finish(
    generated: torch.Tensor,
    person: PersonParts,
    garment: Garment,
    conditions: Conditions,
    settings: Settings,
) -> tuple[np.ndarray, ...]:
    """Brings generated pictures to what a user sees.

    Args:
        generated: (B,3,H,W) in [-1,1].
        person: who was dressed.
        garment: in what.
        conditions: of both, one row.
        settings: ``paste_back``, ``fine_detail``, ``keep_backdrop``, ``feather`` and the switches count.

    Returns:
        One (H',W',3) uint8 per picture, at the photo's own size where pasted back, else at the model's.
    """
    # diffusers' neighbours, which these need, take seconds to import.
    from ladi.conditioning import sample_garment
    from ladi.detail import detailed

    if not settings.paste_back:
        return tuple(to_pixels(picture) for picture in generated)
    shown, outline = generated, None
    if settings.switches.warped_garment and conditions.warp_grid is not None:
        outline = sample_garment(garment.matte.float(), conditions.warp_grid.float().cpu())[0, 0].numpy()
        if settings.fine_detail:
            shown = detailed(generated, person, garment, conditions)
    mask = person.mask[0, 0].numpy() > 0
    photo = _channels_last(person.image[0])
    pictures = []
    for small, large in zip(generated, shown, strict=True):
        painted = mask
        if settings.keep_backdrop:
            painted = drop_backdrop(mask, person.labels, photo, _channels_last(small), outline)
        pictures.append(
            paste_back(person.photo, to_pixels(large), painted, person.frame, feather=settings.feather)
        )
    return tuple(pictures)


def _channels_last(picture: torch.Tensor) -> np.ndarray:
    """(3,H,W) → (H,W,3)."""
    return picture.float().cpu().movedim(0, -1).numpy()
