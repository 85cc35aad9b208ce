"""How pictures were made and what they were measured with, in the words that stand beside every number."""

from __future__ import annotations

import importlib.metadata
from typing import Any

from ladi.diffusion.samplers import CLASSES
from ladi.evaluation.generate import Making, Share
from ladi.evaluation.options import Options
from ladi.evaluation.pairs import Masks
from ladi.evaluation.variants import Variant
from ladi.runtime.devices import Running

LIBRARIES = (
    *("torch", "diffusers", "transformers", "accelerate", "mediapipe", "numpy", "pillow", "scikit-image"),
    *("scipy", "torchmetrics", "torchvision", "clean-fid", "torch-fidelity"),
)


def made_how(
    options: Options, pipeline: Any, making: Making, full: Variant, running: Running, share: Share
) -> dict[str, Any]:
    """The protocol of the pictures."""
    return {
        "model": options.model,
        "model's files": making.model,
        "size": list(options.size or (pipeline.config.height, pipeline.config.width)),
        "sampler": CLASSES[full.sampler] if full.sampler else type(pipeline.scheduler).__name__,
        "steps": full.steps,
        "guidance": full.guidance,
        "EMASC": pipeline.emasc.config.kind,
        "precision": making.precision,
        "made on": running.device.type,
        "processes": share.of,
        "seed": f"{options.seed} + index of the pair",
        "masks": masks_in_words(options.masks),
        "outside the mask": outside_the_mask(options.paste_back),
    }


def masks_in_words(masks: Masks) -> str:
    """Whose masks."""
    return {
        "published": "published rule, from the split's labels and joints",
        "app": "published rule, from the joints and labels that the app finds by itself",
    }[masks]


def outside_the_mask(paste_back: bool) -> str:
    """Whether original pixels stand there."""
    return (
        "original pixels, hard edge, in every row"
        if paste_back
        else "the network's own picture, nothing pasted"
    )


def versions() -> dict[str, str]:
    """Of the libraries that numbers depend on; those that are absent are left out."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
