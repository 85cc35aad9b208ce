"""The denoiser's input: its channels, and how an inpainting UNet grows to take them (paper section 3.3).

The network itself is diffusers' ``UNet2DConditionModel``, or ``CompositeUNet``, of the embedded model's
second edition. This module knows its input:

```
noisy latent L · mask 1 · latent of the masked person L · pose map 18 · latent of the warped garment L
```

31 channels with the published L = 4. A UNet may take one channel more, which the published one lacks: the
warped garment's matte. Without it nothing tells a garment from what the warp left empty.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import nn
from torch.nn import functional

from ladi.types import KEYPOINT_NAMES, ModelError, Size

__all__ = [
    "CompositeUNet",
    "ModelMixin",  # diffusers looks for it in the module of a component that it loads
    "POSE_CHANNELS",
    "check_unet",
    "extend_input_channels",
    "mask_to_latent_size",
    "matte_to_latent_size",
    "pose_to_latent_size",
    "unet_input",
    "unet_input_channels",
]

POSE_CHANNELS = len(KEYPOINT_NAMES)


def unet_input_channels(latent_channels: int, *, matte: bool = False) -> int:
    """Channels of the try-on UNet's input for a latent of so many channels: 31 for 4, 32 with the matte."""
    return 3 * latent_channels + 1 + POSE_CHANNELS + matte


def check_unet(
    unet: UNet2DConditionModel, latent_channels: int, text_width: int, *, matte: bool = False
) -> None:
    """Raises ``ModelError`` unless the UNet takes our input, this latent and this text."""
    expected = unet_input_channels(latent_channels, matte=matte)
    if unet.config.in_channels != expected:
        raise ModelError(
            f"the UNet takes {unet.config.in_channels} input channels, but with this VAE it must take "
            f"{expected} (3×{latent_channels} latent + 1 mask + {POSE_CHANNELS} pose"
            f"{' + 1 matte' if matte else ''}): use the VAE's own UNet"
        )
    if unet.config.out_channels != latent_channels:
        raise ModelError(
            f"the UNet puts out {unet.config.out_channels} channels, but the VAE's latent has "
            f"{latent_channels}: use the VAE's own UNet"
        )
    if unet.config.cross_attention_dim != text_width:
        raise ModelError(
            f"the UNet reads text of width {unet.config.cross_attention_dim}, but the text encoder gives "
            f"{text_width}: use the UNet's own text encoder"
        )


def extend_input_channels(unet: UNet2DConditionModel, in_channels: int) -> UNet2DConditionModel:
    """Gives the UNet's first convolution more input channels, in place.

    The new ones start at zero, so that training begins as the model that was there (stage 4 begins as the
    inpainting model).

    Args:
        unet: for example the published 9-channel inpainting UNet.
        in_channels: how many it shall take, at least as many as it does.

    Returns:
        The same object.
    """
    old = unet.conv_in
    if in_channels < old.in_channels:
        raise ValueError(f"in_channels must be at least {old.in_channels}, got {in_channels}")
    new = nn.Conv2d(in_channels, old.out_channels, old.kernel_size, padding=old.padding)
    new = new.to(old.weight.device, old.weight.dtype)
    with torch.no_grad():
        new.weight.zero_()
        new.weight[:, : old.in_channels] = old.weight
        assert new.bias is not None
        new.bias.copy_(old.bias)
    unet.conv_in = new
    unet.register_to_config(in_channels=in_channels)
    return unet


def mask_to_latent_size(mask: torch.Tensor, size: Size) -> torch.Tensor:
    """(B,1,H,W) → (B,1,h,w), nearest as published."""
    return functional.interpolate(mask, size=size, mode="nearest")


def matte_to_latent_size(matte: torch.Tensor, size: Size) -> torch.Tensor:
    """(B,1,H,W) in [0,1] → (B,1,h,w), the mean of each latent pixel."""
    return functional.adaptive_avg_pool2d(matte, size)


def pose_to_latent_size(pose_map: torch.Tensor, size: Size) -> torch.Tensor:
    """(B,18,H,W) → (B,18,h,w), bilinear without antialiasing as published."""
    return functional.interpolate(pose_map, size=size, mode="bilinear", align_corners=False)


def unet_input(
    noisy: torch.Tensor,
    *,
    mask: torch.Tensor,
    person: torch.Tensor,
    pose: torch.Tensor,
    garment: torch.Tensor,
) -> torch.Tensor:
    """Joins the UNet's inputs in the published order.

    Args:
        noisy: (B,L,h,w) latent to denoise.
        mask: (B,1,h,w), 1 = repaint.
        person: (B,L,h,w) scaled latent of the masked person.
        pose: (B,18,h,w).
        garment: (B,L,h,w) scaled latent of the warped garment, or (B,L+1,h,w) with its matte as the last
            channel.

    Returns:
        (B,3L+19,h,w), or (B,3L+20,h,w) with a matte.
    """
    return torch.cat([noisy, mask, person, pose, garment], dim=1)


class CompositeUNet(UNet2DConditionModel):
    """A UNet that need not paint what is known: the person outside the mask, the garment where the warp lies.

    For models that predict the clean latent, are told the garment's matte, and whose autoencoder is nearly
    linear: there, the latents of the masked person and of the warped garment on grey, added up, are the
    latent of one laid on the other. Where either is known, that takes the place of the network's own answer,
    as far as the network, by a channel more, believes it: a sleeve that the warp puts beside the arm, it may
    refuse.

    Configured as ``UNet2DConditionModel``, with the same parameters but for the gate's row of the last
    convolution, and ``grey``, the latent of mid-grey (1,L,1,1), scaled.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        latent, kernel = self.config.out_channels, self.config.conv_out_kernel
        width = self.config.block_out_channels[0]
        self.conv_out = nn.Conv2d(width, latent + 1, kernel, padding=kernel // 2)
        self.register_buffer("grey", torch.zeros(1, latent, 1, 1))

    # diffusers reads from the signature which entries of a configuration belong to a class.
    __init__.__wrapped__ = UNet2DConditionModel.__init__  # type: ignore[attr-defined]

    def forward(self, sample: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """As diffusers'; ``sample`` is :func:`unet_input`'s."""
        answer = super().forward(sample, *args, **kwargs)
        latent = self.config.out_channels
        mask, person, _, garment, matte = sample[:, latent:].split(
            (1, latent, POSE_CHANNELS, latent, 1), dim=1
        )
        own = answer[0]
        painted, gate = own.split((latent, 1), dim=1)
        known = (1 - mask * (1 - matte)) * gate.sigmoid()  # [B,1,h,w]
        painted = painted + known * (person + garment - self.grey.to(painted) - painted)
        if isinstance(answer, tuple):
            return (painted, *answer[1:])
        answer.sample = painted
        return answer
