"""What a painted picture shows, as a parser sees it: wall, skin, garment or something else.

For models whose decoder does not say it itself. The picture is looked at where it was painted, the photo
around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from ladi.preprocess.labels import LIP, UPPER_CLOTHING, to_scheme
from ladi.types import LAYERS, Category, Conditions, Garment, Layer, PersonParts

if TYPE_CHECKING:
    from ladi.preprocess.parsing import ParsingNetwork

_SKIN = ("face", "left_arm", "right_arm", "left_leg", "right_leg", "neck", "vitonhd_neck")
_GARMENT: dict[Category, tuple[str, ...]] = {
    "upper_body": UPPER_CLOTHING,
    "lower_body": ("pants", "skirt", "dress"),
    "dresses": ("dress", "upper_clothes", "coat", "skirt"),
}
_LABELS = 32
"""More than any scheme has."""


def layer_of_labels(category: Category) -> np.ndarray:
    """For each of LIP's numbers the number of its layer in ``LAYERS``, for a garment of this category."""
    members: dict[Layer, tuple[str, ...]] = {
        "wall": ("background",),
        "skin": _SKIN,
        "garment": _GARMENT[category],
    }
    table = np.full(_LABELS, LAYERS.index("other"))
    for layer, names in members.items():
        table[[LIP[name] for name in names if name in LIP]] = LAYERS.index(layer)
    return table


def layers_of(
    parser: ParsingNetwork,
    pictures: torch.Tensor,
    told: torch.Tensor | None,
    *,
    person: PersonParts,
    garment: Garment,
    conditions: Conditions,
) -> torch.Tensor:
    """What painted pictures show: as their decoder told, else as the parser sees it.

    Args:
        parser: the one that labelled the person.
        pictures: (B,3,H,W) in [-1,1].
        told: (B,K,H,W) by the decoder, if it tells.
        person: who was painted.
        garment: in what.
        conditions: of both, one row.

    Returns:
        (B,K,H,W) probabilities of ``ladi.types.LAYERS``, on the CPU.
    """
    if told is not None:
        return told
    outline = None
    if conditions.warp_grid is not None:
        # diffusers' neighbours take seconds to import.
        from ladi.diffusion.warping import sample_matte

        outline = sample_matte(garment.matte.float(), conditions.warp_grid.float().cpu())
    return layers_seen(parser, pictures, person, outline)


@torch.no_grad()
def layers_seen(
    parser: ParsingNetwork, pictures: torch.Tensor, person: PersonParts, outline: torch.Tensor | None = None
) -> torch.Tensor:
    """Looks at painted pictures.

    Args:
        parser: the one that labelled the person.
        pictures: (B,3,H,W) in [-1,1], of which what lies inside the person's mask counts.
        person: who was painted.
        outline: (1,1,H,W) in [0,1], where the warped garment lies, which may be beyond the old silhouette.

    Returns:
        (B,K,H,W) probabilities of ``ladi.types.LAYERS``, on the CPU.
    """
    from ladi.models.parser import HumanParser
    from ladi.preprocess.segformer import segment

    whole = torch.where(person.mask > 0, pictures.cpu().clamp(-1, 1), person.image)
    table = torch.from_numpy(layer_of_labels(person.category))
    if not isinstance(parser, HumanParser):
        labels = [to_scheme(segment(parser, row[None]).numpy(), "dresscode", "lip") for row in whole]
        shown = functional.one_hot(table[torch.from_numpy(np.stack(labels)).long()], len(LAYERS))
        return shown.movedim(-1, 1).float()
    silhouette = torch.from_numpy(person.labels > 0)[None, None].float()
    if outline is not None:
        silhouette = torch.maximum(silhouette, outline.cpu())
    inputs = [
        functional.interpolate(part, parser.size, mode="bilinear", antialias=True)
        for part in (
            whole,
            silhouette.expand(len(whole), -1, -1, -1),
            person.pose_map.expand(len(whole), -1, -1, -1),
        )
    ]
    device = next(parser.parameters()).device
    probabilities = parser(*(part.to(device) for part in inputs)).softmax(1).cpu()  # [B,labels,h,w]
    grouped = torch.zeros(len(whole), len(LAYERS), *probabilities.shape[-2:])
    grouped.index_add_(1, table[: probabilities.shape[1]], probabilities)
    return functional.interpolate(grouped, whole.shape[-2:], mode="bilinear")
