"""What the pipeline's parts and a call's arguments must satisfy, said in sentences.

Checks only: nothing is converted or mended here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ladi.diffusion.sampling import Sampling
from ladi.models.bending import BendingRefinement
from ladi.models.unet import POSE_CHANNELS, check_unet
from ladi.types import Conditions, ModelError, SettingError

OUTPUT_TYPES = ("pil", "np", "pt", "latent")
TENSOR_INPUTS = ("latents", "prompt_embeds")


def check_parts(parts: Mapping[str, Any], *, matte: bool = False) -> None:
    """Raises ``ModelError`` unless a pipeline's parts fit each other.

    Args:
        parts: networks by their names in the pipeline.
        matte: whether the UNet is told the warped garment's matte.
    """
    vae, emasc, adapter = parts["vae"].config, parts["emasc"].config, parts["inversion_adapter"].config
    text_width = parts["text_encoder"].config.hidden_size
    vision_width = parts["vision_encoder"].config.hidden_size
    incoming, outgoing = parts["vae"].skip_channels
    bends = isinstance(parts["refinement"], BendingRefinement)
    if bends and not matte:
        raise ModelError(
            "a refinement that bends needs the garment's matte: set garment_matte, or use another refinement"
        )
    check_unet(parts["unet"], vae.latent_channels, text_width, matte=matte)
    pairs = {
        "the inversion adapter's input and the vision encoder's width": (adapter.hidden_size, vision_width),
        "the inversion adapter's words and the text encoder's width": (adapter.word_dim, text_width),
        "EMASC's inputs and the VAE's features": (tuple(emasc.in_channels), incoming),
        "EMASC's outputs and the VAE's decoder": (tuple(emasc.out_channels), outgoing),
        "the warping network's input and masked person with pose": (
            parts["tps"].config.person_channels,
            3 + POSE_CHANNELS,
        ),
        "the refinement's input and masked person, pose and garment": (
            parts["refinement"].config.in_channels,
            6 + POSE_CHANNELS + bends,
        ),
    }
    if parts.get("garment_skips") is not None:
        skips = parts["garment_skips"].config
        pairs["the garment skips' inputs and the VAE's features"] = (tuple(skips.in_channels), incoming)
        pairs["the garment skips' outputs and the VAE's decoder"] = (tuple(skips.out_channels), outgoing)
    for names, (got, needed) in pairs.items():
        if got != needed:
            raise ModelError(
                f"{names} do not agree ({got} and {needed}): use parts that were trained together"
            )


def check_sampling(sampling: Sampling, pictures: int, generator: Any) -> None:
    """Raises ``SettingError`` unless so many pictures can be sampled with these settings."""
    if not isinstance(sampling.steps, int) or sampling.steps < 1:
        raise SettingError(f"steps must be a whole number from 1, got {sampling.steps}")
    scales = sampling.guidance if isinstance(sampling.guidance, Sequence) else [sampling.guidance]
    for scale in scales:
        if not math.isfinite(scale) or scale < 0:
            raise SettingError(f"guidance must be a number from 0, got {scale}")
    if not 0 <= sampling.switches.cloth_cond_rate <= 1:
        raise SettingError(f"cloth_cond_rate must be 0–1, got {sampling.switches.cloth_cond_rate}")
    if not 0 <= sampling.eta <= 1:
        raise SettingError(f"eta must be 0–1, got {sampling.eta}")
    if not isinstance(pictures, int) or pictures < 1:
        raise SettingError(f"the number of pictures must be a whole number from 1, got {pictures}")
    if isinstance(generator, Sequence) and len(generator) != pictures:
        raise SettingError(f"give one generator, or one per picture ({pictures}), got {len(generator)}")


def check_output(output_type: str, tensor_inputs: Sequence[str]) -> None:
    """Raises ``SettingError`` for an unknown output type or callback tensor."""
    if output_type not in OUTPUT_TYPES:
        raise SettingError(f"output_type must be one of {', '.join(OUTPUT_TYPES)}, got {output_type!r}")
    unknown = sorted(set(tensor_inputs) - set(TENSOR_INPUTS))
    if unknown:
        raise SettingError(f"a callback can be given {' and '.join(TENSOR_INPUTS)}, got {', '.join(unknown)}")


def check_pictures(
    pictures: Mapping[str, torch.Tensor | None],
    multiple: int,
    conditions: Conditions | None = None,
    *,
    needs_matte: bool = False,
) -> int:
    """Raises ``SettingError`` unless the pictures of a call are complete, of one size, and in range.

    Args:
        pictures: ``image``, ``mask``, ``pose_map``, ``garment``, ``warped_garment`` and ``garment_matte``.
        multiple: what height and width must be divisible by, the VAE's scale factor.
        conditions: of an earlier call, which stand for all pictures.
        needs_matte: whether the model must be told where the garment is in its picture.

    Returns:
        The number of people.
    """
    if conditions is not None:
        given = [name for name, picture in pictures.items() if picture is not None]
        if given:
            raise SettingError(f"conditions already hold the pictures: leave out {', '.join(given)}")
        return len(conditions.mask)
    needed = ["image", "mask", "pose_map", "garment", *(["garment_matte"] if needs_matte else [])]
    missing = [name for name in needed if pictures.get(name) is None]
    if missing:
        raise SettingError(f"give {', '.join(missing)} too, or conditions of an earlier call")
    image = pictures["image"]
    assert image is not None
    if image.ndim != 4 or image.shape[1] != 3 or not len(image):
        raise SettingError(f"image must have the shape (B,3,H,W), got {tuple(image.shape)}")
    people, _, height, width = image.shape
    if height % multiple or width % multiple:
        raise SettingError(f"height and width must be multiples of {multiple}, got {height}×{width}")
    channels = {
        "image": 3,
        "mask": 1,
        "pose_map": POSE_CHANNELS,
        "garment": 3,
        "warped_garment": 3,
        "garment_matte": 1,
    }
    for name, picture in pictures.items():
        if picture is None:
            continue
        shape = (people, channels[name], height, width)
        if tuple(picture.shape) != shape:
            raise SettingError(
                f"{name} must have the shape {shape} like the image, got {tuple(picture.shape)}"
            )
        lowest = 0 if name in ("mask", "pose_map", "garment_matte") else -1
        # Written so that a NaN fails it.
        if not bool((picture >= lowest - 1e-3).all() and (picture <= 1 + 1e-3).all()):
            raise SettingError(f"{name} must lie in [{lowest},1]: scale its values, and look for NaN")
    mask = pictures["mask"]
    assert mask is not None
    if bool(((mask >= 0.5).flatten(1).sum(1) == 0).any()):
        raise SettingError(
            "the mask is empty: mark the garment to replace, at least one pixel for each person"
        )
    return people
