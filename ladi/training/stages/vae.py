"""The first edition's autoencoder, from scratch (the published model uses Stable Diffusion's, frozen).

Trained on crops of people, masked people, garments and garments on mid-grey, because it must encode all of
these. The loss is L1, more of it on colour, plus ``detail_loss``, which stands in for VGG, plus a small
divergence that keeps the latents near a normal distribution.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.models.vae import EmascAutoencoderKL
from ladi.training.diffusion import drawn_latent
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, LoopOptions, Stage
from ladi.training.losses import colour_loss, detail_loss, kl_to_normal
from ladi.training.samples.augment import colour_jitter
from ladi.training.samples.cache import Cache, to_images, to_masks
from ladi.training.sheets import sheet

DEFAULTS = LoopOptions(
    steps=20000, batch_size=8, learning_rate=1e-3, warmup_steps=100, validate_every=1000, precision="bf16"
)
CROP = (96, 96)
DETAIL_WEIGHT = 1.0
COLOUR_WEIGHT = 10.0
KL_WEIGHT = 2e-4
GARMENT_SHARE = 0.3
MASKED_SHARE = 0.2


def vae_batch(
    cache: Cache, indices: np.ndarray, rng: np.random.Generator, crop: tuple[int, int] = CROP
) -> Batch:
    """Random crops (B,3,*crop) of people, masked people and garments, mirrored and recoloured at random."""
    pieces = []
    height, width = cache["image"].shape[1:3]
    for index in indices:
        top, left = int(rng.integers(height - crop[0] + 1)), int(rng.integers(width - crop[1] + 1))
        window = np.s_[index, top : top + crop[0], left : left + crop[1]]
        kind = rng.random()
        piece = to_images(cache["garment" if kind < GARMENT_SHARE else "image"][window][None])
        if kind > 1 - MASKED_SHARE:
            piece = piece * (1 - to_masks(cache["mask"][window][None]))
        pieces.append(piece.flip(-1) if rng.random() < 0.5 else piece)
    images = torch.cat(pieces)
    gain, offset = colour_jitter(rng, len(indices))
    return {"image": (images * gain + offset).clamp(-1, 1)}


def build_stage(
    vae: EmascAutoencoderKL,
    train: Cache,
    val: Cache,
    options: LoopOptions = DEFAULTS,
    crop: tuple[int, int] = CROP,
) -> Stage:
    """The stage for the loop; validation reconstructs whole pictures of ``val``."""

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        image = batch["image"]
        # Through forward, so that wrappers for several devices see the call.
        moments, reconstruction = modules["vae"](image, draws)
        reconstruction = reconstruction.float()
        l1 = functional.l1_loss(reconstruction, image)
        detail = detail_loss(reconstruction, image)
        kl = kl_to_normal(moments)
        colour = colour_loss(reconstruction, image)
        total = l1 + COLOUR_WEIGHT * colour + DETAIL_WEIGHT * detail + KL_WEIGHT * kl
        terms = {"l1": l1, "colour": colour, "detail": detail, "kl": kl}
        return total, {name: float(term.detach()) for name, term in terms.items()}

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        device = next(modules["vae"].parameters()).device
        people, garments = to_images(val["image"][:16]), to_images(val["garment"][:16])
        images = torch.cat([people, garments]).to(device)
        moments = torch.cat([vae.encode_with_features(image[None])[0] for image in images])
        mean = moments.chunk(2, dim=1)[0]
        decoded = torch.cat([vae.decode_with_skips(latent[None]) for latent in mean])
        metrics = {"val_l1": float(functional.l1_loss(decoded, images)), "latent_std": float(mean.std())}
        rows = [decoded[: len(people)].cpu(), decoded[len(people) :].cpu()]
        return metrics, sheet([people[:8], rows[0][:8], garments[:8], rows[1][:8]])

    return Stage(
        name="vae",
        modules={"vae": AutoencoderStep(vae)},
        length=len(train),
        batch=lambda indices, rng: vae_batch(train, indices, rng, crop),
        loss=loss,
        validate=validate,
        options=options,
    )


class AutoencoderStep(nn.Module):
    """Encoding, sampling and decoding in one ``forward``, as data-parallel wrappers need it."""

    def __init__(self, vae: EmascAutoencoderKL) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, image: torch.Tensor, draws: Draws) -> tuple[torch.Tensor, torch.Tensor]:
        """(B,3,H,W) → moments (B,2L,h,w) and reconstruction (B,3,H,W)."""
        moments, _ = self.vae.encode_with_features(image)
        return moments, self.vae.decode_with_skips(drawn_latent(moments, draws, 1.0))
