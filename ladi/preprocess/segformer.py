"""A third-party human parser, for full-size models: SegFormer B2 fine-tuned on clothes (Dress Code's labels).

Its weights, ``mattmdjaga/segformer_b2_clothes`` on the hub, are used where they are on this machine, and
never downloaded. Which labels are repainted is ``mask.py``'s business.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ladi.preprocess.labels import DRESS_CODE
from ladi.types import ModelError

if TYPE_CHECKING:
    from transformers import SegformerForSemanticSegmentation

ON_HUB = "mattmdjaga/segformer_b2_clothes"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_SIDE = 512
"""The square that its own preprocessor resizes pictures to, proportions ignored."""
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def find_segformer(folder: Path) -> Path | None:
    """The folder with its weights: the given one, else the hub's cache; ``None`` where neither has them."""
    if (folder / "config.json").is_file():
        return folder
    from huggingface_hub import try_to_load_from_cache

    for weights in _WEIGHTS:
        cached = try_to_load_from_cache(ON_HUB, weights)
        if isinstance(cached, str) and (Path(cached).parent / "config.json").is_file():
            return Path(cached).parent
    return None


def load_segformer(folder: Path) -> SegformerForSemanticSegmentation:
    """Read it from disk.

    Raises:
        ModelError: it has other labels than Dress Code's 18.
    """
    from transformers import SegformerForSemanticSegmentation

    network = SegformerForSemanticSegmentation.from_pretrained(folder, local_files_only=True)
    if network.config.num_labels != len(DRESS_CODE):
        raise ModelError(
            f"The parser in {folder} has {network.config.num_labels} labels instead of {len(DRESS_CODE)}: "
            f"put {ON_HUB} there, or remove the folder."
        )
    return network


@torch.no_grad()
def segment(network: SegformerForSemanticSegmentation, image: torch.Tensor) -> torch.Tensor:
    """Labels a framed person.

    Args:
        network: on any device.
        image: (1,3,H,W) in [-1,1].

    Returns:
        (H,W) uint8, Dress Code labels; there is no neck, which belongs to the head.
    """
    square = functional.interpolate(image.float(), (_SIDE, _SIDE), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(value).view(1, 3, 1, 1) for value in (_MEAN, _STD))
    pixels = ((square.clamp(-1, 1) + 1) / 2 - mean) / std
    logits = network(pixel_values=pixels.to(network.device)).logits  # [1,18,128,128]
    enlarged = functional.interpolate(logits, image.shape[-2:], mode="bilinear", align_corners=False)
    return enlarged.argmax(1)[0].to(torch.uint8).cpu()
