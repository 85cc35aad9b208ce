"""The garment skips, with everything else frozen: the first edition's last stage.

The latents are the UNet's own, soft as it makes them, so that the units learn to mend what it leaves out and
not to copy what a photo's latent would still hold. Where the warp agrees with the garment in the photo the
target's colours and the warp's fine structure count, because a pattern that is off by a few pixels would
otherwise be averaged away; elsewhere the photo decides alone. Where no garment is worn (skin, hair, wall)
structural similarity counts too: a sleeve that the warp puts beside the arm must leave no trace. On the
garment that would cost the prints: similarity prefers a plain surface to a pattern that is off by a pixel.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.models.emasc import EMASC
from ladi.models.garment_skips import GarmentSkips
from ladi.models.vae import EmascAutoencoderKL
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, LoopOptions, Stage
from ladi.training.losses import SSIM_RADIUS, detail_loss, masked_l1, structural_loss
from ladi.training.samples.cache import Cache, to_images, to_masks
from ladi.training.sheets import sheet
from ladi.training.stages.warp import WORN

DEFAULTS = LoopOptions(
    steps=6000, batch_size=4, learning_rate=1e-3, warmup_steps=100, validate_every=500, precision="bf16"
)
CROP = (128, 96)
DETAIL_WEIGHT = 1.0
STRUCTURE_WEIGHT = 0.5
COARSE = 4
"""Pixels side by side whose mean colour must match where the warp agrees."""
AGREEMENT = 0.3
"""Largest difference, on [-1,1], of mean colours over twice ``COARSE`` pixels that counts as agreement."""


def window_batch(cache: Cache, indices: np.ndarray, rng: np.random.Generator, factor: int) -> Batch:
    """Windows of the photo, the masks, the warped garment and the predicted latent.

    Args:
        cache: with ``warped`` and ``predicted``.
        indices: which samples.
        rng: places the windows.
        factor: picture pixels per latent pixel; windows start at multiples of it.

    Returns:
        ``image`` and ``warped`` (B,3,*CROP), ``mask`` and ``worn`` (B,1,*CROP), ``latent`` (B,L,h,w).
    """
    height, width = cache["image"].shape[1:3]
    pieces: dict[str, list[torch.Tensor]] = {}
    for index in indices:
        # A window that hardly touches the mask teaches nothing: up to three more are tried.
        for _ in range(4):
            top = factor * int(rng.integers((height - CROP[0]) // factor + 1))
            left = factor * int(rng.integers((width - CROP[1]) // factor + 1))
            window = np.s_[index : index + 1, top : top + CROP[0], left : left + CROP[1]]
            if cache["mask"][window].mean() > 0.3:
                break
        small = np.s_[
            index : index + 1,
            :,
            top // factor : (top + CROP[0]) // factor,
            left // factor : (left + CROP[1]) // factor,
        ]
        row = {
            "image": to_images(cache["image"][window]),
            "warped": to_images(cache["warped"][window]),
            "mask": to_masks(cache["mask"][window]),
            "worn": to_masks(np.isin(cache["labels"][window], WORN)),
            "latent": torch.from_numpy(np.asarray(cache["predicted"][small], np.float32)),
        }
        for name, piece in row.items():
            pieces.setdefault(name, []).append(piece)
    return {name: torch.cat(parts) for name, parts in pieces.items()}


def agreement(batch: Batch) -> torch.Tensor:
    """1 where the garment is worn and the warp has about its colour there: (B,1,H,W)."""
    difference = (
        functional.avg_pool2d(batch["warped"] - batch["image"], 2 * COARSE).abs().amax(1, keepdim=True)
    )
    close = (difference < AGREEMENT).float()
    return functional.interpolate(close, scale_factor=2 * COARSE) * batch["worn"] * batch["mask"]


def blended_loss(decoded: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, dict[str, float]]:
    """L1, detail and structure inside the mask, with the warp's detail where it agrees; scalar and terms."""
    image, mask = batch["image"], batch["mask"]
    agrees = agreement(batch)
    shrunk = [functional.avg_pool2d(picture, COARSE) for picture in (decoded, image, mask)]
    l1 = 0.5 * masked_l1(decoded, image, mask) + 0.5 * masked_l1(*shrunk)
    # Outside the mask nothing is painted: target and prediction are made equal there.
    painted = decoded * mask + image * (1 - mask)
    reference = batch["warped"] * agrees + image * (1 - agrees)
    # Along the seam between photo and warp the reference has edges of its own; there nothing is asked.
    seam = functional.max_pool2d(agrees, 3, 1, 1) + functional.max_pool2d(-agrees, 3, 1, 1)
    keep = 1 - seam
    detail = detail_loss(painted * keep, reference * keep, scales=2)
    share = mask.mean().clamp_min(0.05)
    bare = 1 - batch["worn"][..., SSIM_RADIUS:-SSIM_RADIUS, SSIM_RADIUS:-SSIM_RADIUS]
    terms = {
        "l1": l1,
        "structure": (structural_loss(painted, image) * bare).mean() / share,
        "detail": detail / share,
    }
    loss = l1 + STRUCTURE_WEIGHT * terms["structure"] + DETAIL_WEIGHT * terms["detail"]
    return loss, {name: float(term.detach()) for name, term in terms.items()}


class DecodeStep(nn.Module):
    """Frozen encoder, EMASC and decoder around the garment skips, in one ``forward``."""

    def __init__(self, vae: EmascAutoencoderKL, emasc: EMASC, skips: GarmentSkips) -> None:
        super().__init__()
        self.skips = skips
        # In a tuple, so that they are neither trained nor saved with this module.
        self._frozen = (vae, emasc)

    def forward(
        self, latent: torch.Tensor, warped: torch.Tensor, masked: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """(B,L,h,w) unscaled, (B,3,H,W), (B,3,H,W), (B,1,H,W) → picture (B,3,H,W)."""
        vae, emasc = self._frozen
        with torch.no_grad():
            _, garment_features = vae.encode_with_features(warped)
            _, person_features = vae.encode_with_features(masked)
            carried = emasc(person_features, mask)
        return vae.decode_with_skips(
            latent, carried, lambda depth, hidden: self.skips(garment_features, mask, depth, hidden)
        ).float()


def build_stage(
    skips: GarmentSkips,
    vae: EmascAutoencoderKL,
    emasc: EMASC,
    train: Cache,
    val: Cache,
    options: LoopOptions = DEFAULTS,
) -> Stage:
    """The stage for the loop; validation decodes the first pictures of ``val`` whole."""
    for frozen in (vae, emasc):
        frozen.requires_grad_(False)
        frozen.eval()
    scaling = float(vae.config.scaling_factor)

    def decode(modules: Mapping[str, nn.Module], batch: Batch) -> torch.Tensor:
        vae.to(batch["image"].device)
        emasc.to(batch["image"].device)
        masked = batch["image"] * (1 - batch["mask"])
        return modules["step"](batch["latent"] / scaling, batch["warped"], masked, batch["mask"])

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        return blended_loss(decode(modules, batch), batch)

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        device = next(modules["step"].parameters()).device
        count = min(16, len(val))
        indices = np.arange(count)
        batch = {
            "image": to_images(val["image"][indices]),
            "warped": to_images(val["warped"][indices]),
            "mask": to_masks(val["mask"][indices]),
            "latent": torch.from_numpy(np.asarray(val["predicted"][indices], np.float32)),
        }
        batch = {name: value.to(device) for name, value in batch.items()}
        decoded = decode(modules, batch).clamp(-1, 1)
        plain = vae.decode_with_skips(batch["latent"] / scaling).clamp(-1, 1)
        metrics = {
            "val_error": float(masked_l1(decoded, batch["image"], batch["mask"])) / 2,
            "val_error_without": float(masked_l1(plain, batch["image"], batch["mask"])) / 2,
        }
        mask = batch["mask"]
        rows = [
            batch["warped"],
            *(batch["image"] * (1 - mask) + p * mask for p in (plain, decoded)),
            batch["image"],
        ]
        return metrics, sheet([row[:12].cpu() for row in rows])

    return Stage(
        name="garment_skips",
        modules={"step": DecodeStep(vae, emasc, skips)},
        length=len(train),
        batch=lambda indices, rng: window_batch(train, np.sort(indices), rng, vae.scale_factor),
        loss=loss,
        validate=validate,
        options=options,
    )
