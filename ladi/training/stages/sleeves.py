"""How long sleeves are, learnt from shop pairs: the garment's picture, and how much of the arm is cloth.

The labels of the arm's middle line, from shoulder to wrist, tell where the sleeve ends. Arms of which too
little is seen, or whose labels go back and forth, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.models.sleeves import SleeveLength
from ladi.preprocess.labels import LIP, UPPER_CLOTHING
from ladi.preprocess.sleeves import sleeve_view
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, LoopOptions, Stage
from ladi.training.samples.augment import draw_moves, dye
from ladi.training.samples.cache import Cache, to_images
from ladi.training.sheets import sheet
from ladi.types import JOINT

DEFAULTS = LoopOptions(
    steps=1500, batch_size=64, learning_rate=2e-3, warmup_steps=100, validate_every=250, precision="no"
)
POINTS = 30
SEEN, WRONG = 18, 5
"""Of the points on an arm, how many must show cloth or arm, and how many may be on the wrong side."""
SHORTEST = 30
"""Pixels of an arm at a height of 256."""
FAR_OFF = 0.25


def worn_sleeve(labels: np.ndarray, keypoints: np.ndarray) -> float | None:
    """The share of the arms that is cloth, the mean of both; None where neither can be told.

    Args:
        labels: (H,W), LIP's numbers.
        keypoints: (18,3) in pixels.
    """
    cloth = np.isin(labels, [LIP[name] for name in UPPER_CLOTHING])
    arm = np.isin(labels, [LIP["left_arm"], LIP["right_arm"]])
    found = [
        share for side in ("left", "right") if (share := _one_sleeve(cloth, arm, keypoints, side)) is not None
    ]
    return float(np.mean(found)) if found else None


def _one_sleeve(cloth: np.ndarray, arm: np.ndarray, keypoints: np.ndarray, side: str) -> float | None:
    points = np.asarray(keypoints)[[JOINT[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist")], :2]
    lengths = np.hypot(*np.diff(points, axis=0).T)
    if not points.any(1).all() or lengths.sum() < SHORTEST * len(cloth) / 256:
        return None
    shares = np.linspace(0.08, 0.95, POINTS)
    knots = np.array([0, lengths[0], lengths.sum()]) / lengths.sum()
    x, y = (np.interp(shares, knots, points[:, axis]).round().astype(int) for axis in (0, 1))
    place = y.clip(0, cloth.shape[0] - 1), x.clip(0, cloth.shape[1] - 1)
    covered, bare = cloth[place], arm[place]
    # The end that puts the fewest points on the wrong side.
    wrong = [int(bare[:end].sum() + covered[end:].sum()) for end in range(POINTS + 1)]
    end = int(np.argmin(wrong))
    if (covered | bare).sum() < SEEN or wrong[end] > WRONG:
        return None
    return 0.0 if end == 0 else 1.0 if end == POINTS else float(shares[end])


def sleeve_samples(cache: Cache, network: SleeveLength) -> tuple[torch.Tensor, torch.Tensor]:
    """Every pair whose sleeves can be told: views (N,4,h,w) and shares (N,)."""
    views, shares = [], []
    for index in range(len(cache)):
        share = worn_sleeve(np.asarray(cache["labels"][index]), np.asarray(cache["keypoints"][index]))
        matte = np.asarray(cache["garment_mask"][index]).astype(np.float32)
        if share is not None and matte.any():
            views.append(sleeve_view(np.asarray(cache["garment"][index]), matte, network.size))
            shares.append(share)
    return torch.from_numpy(np.stack(views)), torch.tensor(shares)


def sleeve_batch(
    views: torch.Tensor, shares: torch.Tensor, indices: np.ndarray, rng: np.random.Generator
) -> Batch:
    """``view`` (B,4,h,w), moved and dyed at random, and ``share`` (B,)."""
    chosen = torch.from_numpy(indices)
    height, width = views.shape[2:]
    grid = draw_moves(rng, len(indices), (height, width), turn=0.08, scale=(0, 0.12))
    view = functional.grid_sample(views[chosen], grid, align_corners=False)
    colours = dye(view[:, :3], rng, most=1.2)
    return {"view": torch.cat([colours, view[:, 3:]], dim=1), "share": shares[chosen]}


def build_stage(network: SleeveLength, train: Cache, val: Cache, options: LoopOptions = DEFAULTS) -> Stage:
    """The stage for the loop; validation says how far off the share is on pairs that were not trained on."""
    views, shares = sleeve_samples(train, network)
    judged_views, judged = sleeve_samples(val, network)

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        told = modules["sleeves"](batch["view"]).float().sigmoid()
        return functional.smooth_l1_loss(told, batch["share"], beta=0.1), {}

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        device = next(modules["sleeves"].parameters()).device
        told = modules["sleeves"](judged_views.to(device)).sigmoid().cpu()
        off = (told - judged).abs()
        order = off.argsort(descending=True)[:12].numpy()
        worst = to_images(np.stack([np.asarray(val["garment"][int(index)]) for index in order]))
        metrics = {"val_error": float(off.mean()), "val_far_off": float((off > FAR_OFF).float().mean())}
        return metrics, sheet([worst])

    return Stage(
        name="sleeves",
        modules={"sleeves": network},
        length=len(views),
        batch=lambda indices, rng: sleeve_batch(views, shares, indices, rng),
        loss=loss,
        validate=validate,
        options=options,
    )
