"""Detail at the photo's own size, that the model's resolution cannot hold (not part of the paper).

The warp is a smooth map without a resolution of its own: the full-size garment picture can be warped as well
as the small one that the model sees. What the large warp has and the small one lacks is a band of fine
detail; it is added to the enlarged picture where the generated garment agrees with the warp, nowhere else.

```
garment, large ─► sample along the grid ─► minus its own small version ─► band ──┐
generated ─► compare with the small warp ─► agreement, soft ─► enlarge ─► times ─┴─► plus generated, enlarged
```
"""

from __future__ import annotations

import torch
from torch.nn import functional

from ladi.diffusion.warping import enlarge_grid, resize, sample_garment
from ladi.postprocess.layers import enlarge
from ladi.types import Conditions, Garment, PersonParts, Size

SURE, DOUBTFUL = 0.12, 0.3
"""Differences of mean colours on [-1,1]: up to the first the warp is believed, from the second not at all."""
NEIGHBOURHOOD = 9
"""Model pixels across which colours are compared: a single pixel may differ by the pattern alone."""
INSIDE = 5
"""Model pixels by which the warped garment's outline is drawn in; at its edge the warp is least sure."""


WORTH_IT = 0.8
"""Model pixels per photo pixel below which a photo can show more than the model's picture."""


def detail_of(
    generated: torch.Tensor, person: PersonParts, garment: Garment, conditions: Conditions, size: Size
) -> torch.Tensor:
    """What the garment's own picture adds to the generated ones.

    Args:
        generated: (B,3,H,W) in [-1,1].
        person: for the mask.
        garment: with ``fine``.
        conditions: with ``warp_grid``.
        size: of the result.

    Returns:
        (B,3,*size), about zero on average; zero where the generated picture does not show the garment.
    """
    assert garment.fine is not None and conditions.warp_grid is not None
    return band(
        generated,
        garment=garment.image,
        matte=garment.matte.float(),
        fine_garment=garment.fine,
        grid=conditions.warp_grid.float().cpu(),
        mask=person.mask,
        size=size,
    )


def agreement(
    generated: torch.Tensor, warped: torch.Tensor, matte: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Where the generated picture shows the warped garment.

    Args:
        generated: (B,3,H,W) in [-1,1].
        warped: (1,3,H,W) in [-1,1], the garment along the grid.
        matte: (1,1,H,W) in [0,1], its outline along the grid.
        mask: (1,1,H,W), 1 = repaint.

    Returns:
        (B,1,H,W) in [0,1]; 0 outside the mask and the outline, and where hair, an arm or another colour is.
    """
    margin = NEIGHBOURHOOD // 2
    padded = functional.pad(generated - warped, (margin,) * 4, mode="replicate")
    difference = functional.avg_pool2d(padded, NEIGHBOURHOOD, 1).abs().amax(1, keepdim=True)  # [B,1,H,W]
    agrees = ((DOUBTFUL - difference) / (DOUBTFUL - SURE)).clamp(0, 1)
    allowed = torch.minimum((matte > 0.5).float(), (mask > 0.5).float())
    allowed = -functional.max_pool2d(-allowed, INSIDE, 1, INSIDE // 2)
    blurred = functional.avg_pool2d(functional.pad(agrees * allowed, (margin,) * 4), NEIGHBOURHOOD, 1)
    return torch.minimum(blurred, allowed)


def fine_band(fine_garment: torch.Tensor, grid: torch.Tensor, size: Size, large: Size) -> torch.Tensor:
    """What the warped garment has beyond the model's resolution.

    Args:
        fine_garment: (1,3,kH,kW) in [-1,1].
        grid: (1,h,w,2) sampling grid at any size.
        size: the model's height and width.
        large: of the result.

    Returns:
        (1,3,*large), about zero on average.
    """
    warped = sample_garment(fine_garment, enlarge_grid(grid, large))
    return warped - enlarge(resize(warped, size), large)


def band(
    generated: torch.Tensor,
    *,
    garment: torch.Tensor,
    matte: torch.Tensor,
    fine_garment: torch.Tensor,
    grid: torch.Tensor,
    mask: torch.Tensor,
    size: Size,
) -> torch.Tensor:
    """The fine garment's detail where generated pictures show it.

    Args:
        generated: (B,3,H,W) in [-1,1].
        garment: (1,3,H,W) in [-1,1], what the model saw.
        matte: (1,1,H,W) in [0,1], the garment's outline in its own picture.
        fine_garment: (1,3,kH,kW): the same window of the garment's picture, larger.
        grid: (1,h,w,2), where each pixel of the person takes its garment pixel from, in [-1,1].
        mask: (1,1,H,W), 1 = repaint.
        size: of the result.

    Returns:
        (B,3,*size).
    """
    small = (generated.shape[-2], generated.shape[-1])
    along = enlarge_grid(grid, small)
    warped, outline = sample_garment(garment, along), sample_garment(matte, along)
    agrees = agreement(generated, warped, outline, mask)  # [B,1,H,W]
    share = functional.interpolate(agrees, size, mode="bilinear", align_corners=False)
    return share * fine_band(fine_garment, grid, small, size)
