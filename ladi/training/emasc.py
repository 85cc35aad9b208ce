"""Stage 2: EMASC with the autoencoder frozen (paper section 3.3).

The latent comes from the photo, the skips from the masked photo, and the decoded picture must equal the
photo. VGG's perceptual loss is replaced by ``detail_loss``, see ``losses.py``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.models.emasc import EMASC
from ladi.models.vae import EmascAutoencoderKL, sample_moments
from ladi.training.cache import Cache, mirror_batch, to_images, to_masks
from ladi.training.loop import Batch, LoopOptions, Stage
from ladi.training.losses import detail_loss
from ladi.training.sheets import sheet

DEFAULTS = LoopOptions(
    steps=4000, batch_size=4, learning_rate=1e-3, warmup_steps=100, validate_every=1000, precision="bf16"
)
DETAIL_WEIGHT = 0.5
CROP = (128, 96)


def emasc_batch(cache: Cache, indices: np.ndarray, rng: np.random.Generator) -> Batch:
    """Random windows of photos and their masks, mirrored at random: ``image`` and ``mask``."""
    height, width = cache["image"].shape[1:3]
    images, masks = [], []
    for index in indices:
        top, left = int(rng.integers(height - CROP[0] + 1)), int(rng.integers(width - CROP[1] + 1))
        window = np.s_[index : index + 1, top : top + CROP[0], left : left + CROP[1]]
        images.append(to_images(cache["image"][window]))
        masks.append(to_masks(cache["mask"][window]))
    return mirror_batch(
        {"image": torch.cat(images), "mask": torch.cat(masks)}, rng.random(len(indices)) < 0.5
    )


def build_stage(
    emasc: EMASC, vae: EmascAutoencoderKL, train: Cache, val: Cache, options: LoopOptions = DEFAULTS
) -> Stage:
    """The stage for the loop; ``vae`` is used as it is."""
    vae.requires_grad_(False)
    vae.eval()

    def reconstruct(
        modules: Mapping[str, nn.Module], image: torch.Tensor, mask: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        vae.to(image.device)
        with torch.no_grad():
            moments, _ = vae.encode_with_features(image)
            _, features = vae.encode_with_features(image * (1 - mask))
            noise = torch.randn(moments.chunk(2, dim=1)[0].shape, generator=generator).to(moments)
            latent = sample_moments(moments, noise)
        return vae.decode_with_skips(latent, modules["emasc"](features, mask)).float()

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, generator: torch.Generator
    ) -> tuple[torch.Tensor, dict[str, float]]:
        decoded = reconstruct(modules, batch["image"], batch["mask"], generator)
        l1 = functional.l1_loss(decoded, batch["image"])
        detail = detail_loss(decoded, batch["image"])
        return l1 + DETAIL_WEIGHT * detail, {"l1": float(l1.detach()), "detail": float(detail.detach())}

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        device = next(modules["emasc"].parameters()).device
        image, mask = to_images(val["image"][:8]).to(device), to_masks(val["mask"][:8]).to(device)
        generator = torch.Generator().manual_seed(0)
        decoded = reconstruct(modules, image, mask, generator).clamp(-1, 1)
        plain = vae.decode_with_skips(vae.encode_with_features(image)[0].chunk(2, dim=1)[0]).clamp(-1, 1)
        metrics = {"val_l1": float(functional.l1_loss(decoded, image))}
        metrics["val_l1_without"] = float(functional.l1_loss(plain, image))
        return metrics, sheet([image.cpu(), plain.cpu(), decoded.cpu()])

    return Stage(
        name="emasc",
        modules={"emasc": emasc},
        length=len(train),
        batch=lambda indices, rng: emasc_batch(train, indices, rng),
        loss=loss,
        validate=validate,
        options=options,
    )
