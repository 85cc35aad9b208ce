"""The second edition's refinement: bends the spline's garment onto the person (``ladi/models/bending.py``).

Compared is the garment laid on mid-grey with the worn one on mid-grey: L1, at full size and blurred, so that
what is far off is drawn nearer too; the matte; and LPIPS through VGG on crops. Where arms, hair or bags hide
the garment little or nothing is asked. The flow is kept smooth.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.diffusion.warping import (
    bend_grid,
    enlarge_grid,
    resize,
    sample_garment,
    sample_matte,
)
from ladi.models.bending import BendingRefinement
from ladi.models.lpips import Lpips
from ladi.models.tps import ThinPlateSplineWarp
from ladi.training.loop.draws import Draws, window_on
from ladi.training.loop.stage import Batch, LoopOptions, Stage
from ladi.training.losses import masked_l1
from ladi.training.samples.bending import bent_batch, draw_bent, shop_bent
from ladi.training.samples.cache import Cache
from ladi.training.sheets import sheet

DEFAULTS = LoopOptions(
    steps=4000, batch_size=8, learning_rate=4e-4, warmup_steps=50, validate_every=500, precision="bf16"
)
CROP = (128, 96)
MATTE_WEIGHT, FAR_WEIGHT, LPIPS_WEIGHT, SMOOTH_WEIGHT = 0.5, 0.7, 0.6, 0.1
FAR, FAR_WINDOW = 4, 5
"""What is far off is compared in squares of so many pixels, each with its so many neighbours across."""
PASSES = 2
FIRST_PASS = 0.5
"""Weight of the loss after passes before the last."""


def blurred(picture: torch.Tensor) -> torch.Tensor:
    """(B,C,H,W) → (B,C,H/4,W/4), each pixel the mean of about twenty pixels around."""
    small = functional.avg_pool2d(picture, FAR)
    return functional.avg_pool2d(small, FAR_WINDOW, 1, FAR_WINDOW // 2, count_include_pad=False)


def roughness(flow: torch.Tensor) -> torch.Tensor:
    """How much a flow (B,2,h,w) bends: the mean length of its second differences, in its own pixels."""
    scale = flow.new_tensor([flow.shape[-1] / 2, flow.shape[-2] / 2]).view(1, 2, 1, 1)
    pixels = flow * scale
    terms = [pixels.diff(n=2, dim=dim).square().sum(1).add(1e-6).sqrt().mean() for dim in (-1, -2)]
    return torch.stack(terms).sum()


def laid_terms(
    grid: torch.Tensor, batch: Batch, far_source: torch.Tensor, far_target: torch.Tensor, sure: torch.Tensor
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """How far a garment laid by a grid (B,H,W,2) is from the worn one, and the garment laid, on mid-grey.

    Args:
        grid: of the size of the batch's pictures.
        batch: ``garment``, ``image`` (B,3,H,W), ``matte``, ``worn``, ``known`` (B,1,H,W).
        far_source: :func:`blurred` garment on grey and its matte, (B,4,h,w).
        far_target: likewise what is worn.
        sure: (B,1,h,w), where both can be compared.
    """
    worn, known = batch["worn"], batch["known"]
    matte = sample_matte(batch["matte"], grid)
    laid = sample_garment(batch["garment"], grid) * matte
    size = (grid.shape[1] // FAR, grid.shape[2] // FAR)
    coarsely = enlarge_grid(grid, size)
    far = functional.grid_sample(far_source, coarsely, padding_mode="zeros", align_corners=False)
    return {
        "l1": masked_l1(laid, batch["image"] * worn, known),
        "matte": MATTE_WEIGHT * masked_l1(matte, worn, known),
        "far": FAR_WEIGHT * masked_l1(far, far_target, sure),
    }, laid


def far_pictures(batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The blurred pictures of a batch, as :func:`laid_terms` takes them."""
    source = torch.cat([batch["garment"] * batch["matte"], batch["matte"]], dim=1)
    target = torch.cat([batch["image"] * batch["worn"], batch["worn"]], dim=1)
    sure = blurred(batch["known"])
    return blurred(source), blurred(target), sure * (sure > 0.8)


class BendingLoss:
    """The loss of one batch.

    Args:
        lpips: through VGG.
    """

    def __init__(self, lpips: Lpips) -> None:
        self.lpips = lpips

    def __call__(
        self, modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """The sum of all terms; arguments as a stage's loss."""
        network = modules["refinement"]
        size = (batch["image"].shape[-2], batch["image"].shape[-1])
        target, known = batch["image"] * batch["worn"], batch["known"]
        far = far_pictures(batch)
        grid = batch["grid"]
        sums: dict[str, torch.Tensor] = {}
        for number in range(PASSES):
            grid = grid.detach()
            with torch.no_grad():
                matte = sample_matte(batch["matte"], grid)
                laid = sample_garment(batch["garment"], grid) * matte
            flow = network(batch["masked"], batch["pose_map"], laid, matte)
            grid = grid + resize(flow, size).permute(0, 2, 3, 1)
            terms, laid = laid_terms(grid, batch, *far)
            terms["rough"] = SMOOTH_WEIGHT * roughness(flow)
            last = number == PASSES - 1
            if last:
                rows, columns = window_on(batch["worn"], CROP, draws)
                pasted = torch.where(known > 0.5, laid, target)
                seen = (picture[..., rows, columns] for picture in (pasted, target))
                terms["lpips"] = LPIPS_WEIGHT * self.lpips(*seen).mean()
            for name, term in terms.items():
                sums[name] = sums.get(name, term.new_zeros(())) + (1.0 if last else FIRST_PASS) * term
        return torch.stack(list(sums.values())).sum(), {
            name: float(term.detach()) for name, term in sums.items()
        }


def overlap(matte: torch.Tensor, batch: Batch) -> float:
    """Intersection over union of a garment laid, (B,1,H,W), and the worn one, where that is known."""
    known = batch["known"] > 0.5
    one, other = matte > 0.5, batch["worn"] > 0.5
    return float((one & other & known).sum() / ((one | other) & known).sum())


def build_stage(
    refinement: BendingRefinement,
    tps: ThinPlateSplineWarp,
    lpips: Lpips,
    train: Cache,
    val: Cache,
    options: LoopOptions = DEFAULTS,
    *,
    street: Cache | None = None,
) -> Stage:
    """The stage for the loop; ``tps`` is used as it is.

    Args:
        refinement: what is trained.
        tps: for its grid.
        lpips: through VGG.
        train: with ``warp_points``.
        val: likewise; the first 32 are looked at.
        options: of the loop.
        street: framed street photos, which a part of the samples comes from.
    """
    tps.requires_grad_(False)
    refinement.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        network = modules["refinement"]
        assert isinstance(network, BendingRefinement)
        place = next(network.parameters()).device
        batch = bent_batch([shop_bent(val, index, None) for index in range(min(32, len(val)))], tps, None)
        batch = {name: value.to(place) for name, value in batch.items()}
        keys = ("garment", "matte", "masked", "pose_map", "grid")
        bent = bend_grid(network, *(batch[key] for key in keys))
        target, known = batch["image"] * batch["worn"], batch["known"]
        metrics, rows = {}, [batch["garment"]]
        for name, grid in (("before", batch["grid"]), ("after", bent)):
            matte = sample_matte(batch["matte"], grid)
            laid = sample_garment(batch["garment"], grid) * matte
            metrics[f"val_{name}_l1"] = float(masked_l1(laid, target, known))
            metrics[f"val_{name}_iou"] = overlap(matte, batch)
            metrics[f"val_{name}_lpips"] = float(lpips(torch.where(known > 0.5, laid, target), target).mean())
            rows.append(laid)
        rows += [target, batch["image"]]
        return metrics, sheet([row[:12].float().cpu() for row in rows])

    def batch(indices: np.ndarray, rng: np.random.Generator) -> Batch:
        return bent_batch(draw_bent(train, np.sort(indices), street, rng), tps, rng)

    return Stage(
        name="bending",
        modules={"refinement": refinement},
        length=len(train),
        batch=batch,
        loss=BendingLoss(lpips),
        validate=validate,
        options=options,
        frozen={"lpips": lpips},
        unused_parameters=False,
    )
