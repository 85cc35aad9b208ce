"""The second edition's autoencoder: a linear map that is computed, and networks that mend what it loses.

The straight path of ``ShuffleAutoencoder`` is the principal components of 8×8 patches; it is not trained.
With 32 components it alone loses less than the first edition's whole autoencoder did after all its training.
The networks beside it learn by L1, more of it on colour, and LPIPS through VGG.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.models.lpips import Lpips
from ladi.models.shuffle_vae import ShuffleAutoencoder
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, LoopOptions, Stage
from ladi.training.losses import masked_l1, opponent_l1
from ladi.training.samples.cache import Cache, to_images, to_masks
from ladi.training.sheets import sheet
from ladi.training.stages.vae import vae_batch

DEFAULTS = LoopOptions(
    steps=2000, batch_size=8, learning_rate=3e-4, warmup_steps=150, validate_every=250, precision="bf16"
)
CROP = (96, 96)
COLOUR_WEIGHT, LPIPS_WEIGHT, SIZE_WEIGHT = 0.5, 0.5, 2e-4
PATCHED = 1000
"""Crops of which the principal components are computed."""
RATES = (("head", 0.15), ("exit", 0.15), ("patches", 0.0))
"""Shares of the learning rate: the last convolutions see many inputs of unit length, and a step of full size
moves whole pictures."""


@torch.no_grad()
def start_from_patches(vae: ShuffleAutoencoder, pictures: torch.Tensor) -> None:
    """Sets the straight path to the principal components of a set of pictures, in place.

    Components are divided by the root of their standard deviation, so that in the UNet's loss the strong ones
    count for more than the weak ones, but not as much as in the picture.

    Args:
        vae: with untrained networks, whose last convolutions are made small.
        pictures: (N,3,H,W) in [-1,1], H and W multiples of the patch.
    """
    side, latents = vae.scale_factor, vae.config.latent_channels
    patches = functional.unfold(pictures, side, stride=side).movedim(1, -1).flatten(0, 1).double()
    mean = patches.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((patches - mean).T))
    order = values.argsort(descending=True)[:latents]
    deviations = values[order].clamp_min(1e-12).sqrt()
    scale = deviations.rsqrt()
    scale = scale / (scale * deviations).mean()
    encode, decode = (vectors[:, order] * scale).T, (vectors[:, order] / scale).T
    straight_in, straight_out = vae.encoder.patches, vae.decoder.patches
    straight_in.weight.copy_(encode.reshape(latents, 3, side, side))
    straight_out.weight.copy_(decode.reshape(latents, 3, side, side))
    assert straight_in.bias is not None and straight_out.bias is not None
    straight_in.bias.copy_(-encode @ mean)
    straight_out.bias.copy_(mean.reshape(3, -1).mean(1))
    for last in filter(None, (vae.encoder.head, vae.decoder.exit)):
        for name, parameter in last.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.ndim == 4:  # the norm's own stays
                parameter.mul_(0.01)


def build_stage(
    vae: ShuffleAutoencoder, lpips: Lpips, train: Cache, val: Cache, options: LoopOptions = DEFAULTS
) -> Stage:
    """The stage for the loop; validation reconstructs inside the masks of ``val``.

    Args:
        vae: whose straight path is computed already.
        lpips: through VGG.
        train: the shards.
        val: likewise.
        options: of the loop.
    """

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        image = batch["image"]
        shape = (vae.config.latent_channels, *(side // vae.scale_factor for side in image.shape[-2:]))
        moments, reconstruction = modules["vae"](image, draws.normal(shape).to(image))
        reconstruction, mean = reconstruction.float(), moments.float().chunk(2, dim=1)[0]
        terms = {
            "l1": functional.l1_loss(reconstruction, image),
            "colour": opponent_l1(reconstruction, image),
            "lpips": lpips(reconstruction, image).mean(),
            "size": mean.square().mean(),
        }
        total = terms["l1"] + COLOUR_WEIGHT * terms["colour"] + LPIPS_WEIGHT * terms["lpips"]
        logs = {name: float(term.detach()) for name, term in terms.items()}
        return total + SIZE_WEIGHT * terms["size"], logs

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        device = next(modules["vae"].parameters()).device
        images, masks = to_images(val["image"][:16]).to(device), to_masks(val["mask"][:16]).to(device)
        mean = vae.encode_with_features(images)[0].chunk(2, dim=1)[0]
        decoded = vae.decode_with_skips(mean).float().clamp(-1, 1)
        pasted = torch.where(masks > 0, decoded, images)
        metrics = {
            "val_masked_error": float(masked_l1(pasted, images, masks)) / 2,
            "val_lpips_vgg": float(lpips(pasted, images).mean()),
            "latent_std": float(mean.std()),
        }
        return metrics, sheet([images[:8].cpu(), decoded[:8].cpu()])

    return Stage(
        name="autoencoder",
        modules={"vae": vae},
        length=len(train),
        batch=lambda indices, rng: vae_batch(train, indices, rng, CROP),
        loss=loss,
        validate=validate,
        options=options,
        frozen={"lpips": lpips},
        rates=RATES,
        unused_parameters=True,
    )
