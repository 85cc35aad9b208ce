"""Human parsing of a framed photo: tensors in, labels out.

It runs the network and mends the obvious; which of the labels are repainted is ``mask.py``.
"""

from __future__ import annotations

import numpy as np
import torch

from ladi.models.parser import HumanParser


@torch.no_grad()
def parse_person(
    parser: HumanParser, image: torch.Tensor, pose_map: torch.Tensor, silhouette: torch.Tensor
) -> np.ndarray:
    """Labels every pixel of a framed person.

    Args:
        parser: the network.
        image: (1,3,H,W) in [-1,1].
        pose_map: (1,18,H,W) in [0,1].
        silhouette: (1,1,H,W) in [0,1].

    Returns:
        (H,W) uint8, LIP labels with 20 = neck, at the image's size.
    """
    size = image.shape[-2:]
    inputs = [
        torch.nn.functional.interpolate(tensor.float(), parser.size, mode="bilinear", antialias=True)
        for tensor in (image, silhouette, pose_map)
    ]
    device = next(parser.parameters()).device
    logits = parser(*(tensor.to(device) for tensor in inputs))
    logits = torch.nn.functional.interpolate(logits, size, mode="bilinear", align_corners=False)
    return logits.argmax(1)[0].to(torch.uint8).cpu().numpy()
