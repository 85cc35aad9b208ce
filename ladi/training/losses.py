"""The losses of every stage, as plain functions of tensors.

VGG-19's perceptual loss needs weights that are not part of any pip package; the embedded model therefore
trains with ``detail_loss``, a stated substitute without weights.
"""

from __future__ import annotations

import torch
from torch.nn import functional

GRID_FLOOR = 0.08
CROSS_FLOOR = 0.02
UNKNOWN = -100
"""Label of pixels of which nobody knows what they show."""
SSIM_SIGMA, SSIM_RADIUS = 1.5, 5


def _squared_step_changes(points: torch.Tensor, dim: int) -> torch.Tensor:
    """|difference of successive squared steps| along a grid's dimension: (B,…,2)."""
    steps = points.diff(dim=dim).square()
    return steps.diff(dim=dim).abs()


def _cross_sums(points: torch.Tensor, dim: int) -> torch.Tensor:
    """Sum over successive triples along ``dim`` of |cross product of their two steps|."""
    steps = points.diff(dim=dim)
    first = steps.narrow(dim, 0, steps.shape[dim] - 1)
    second = steps.narrow(dim, 1, steps.shape[dim] - 1)
    cross = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
    return cross.abs().sum()


def grid_terms(theta: torch.Tensor, *, first_sample_only: bool = False) -> torch.Tensor:
    """The six regularity terms of the warp's control points (stage 1a).

    Args:
        theta: (B,N,2) control points, N a square number, row by row.
        first_sample_only: the published code reads the cross products of the batch's first sample only; by
            default every sample counts, averaged.

    Returns:
        (6,): rx, ry, cx, cy, rg, cg.
    """
    side = round(theta.shape[1] ** 0.5)
    points = theta.unflatten(1, (side, side))  # [B,row,column,2]
    along_row, along_column = _squared_step_changes(points, 2), _squared_step_changes(points, 1)
    floored = [
        change[..., axis].clamp_min(GRID_FLOOR).mean()
        for change in (along_row, along_column)
        for axis in (0, 1)
    ]
    chosen = points[:1] if first_sample_only else points
    crosses = [
        torch.stack([_cross_sums(sample, dim) for sample in chosen]).clamp_min(CROSS_FLOOR).mean()
        for dim in (1, 0)
    ]
    return torch.stack(floored + crosses)


def detail_loss(predicted: torch.Tensor, target: torch.Tensor, scales: int = 3) -> torch.Tensor:
    """L1 between neighbours' differences at several scales: edges and texture where L1 alone blurs.

    Args:
        predicted: (B,C,H,W).
        target: the same.
        scales: how often the pictures are halved, plus one.

    Returns:
        A scalar.
    """
    total = predicted.new_zeros(())
    for scale in range(scales):
        if scale:
            predicted, target = functional.avg_pool2d(predicted, 2), functional.avg_pool2d(target, 2)
        total = total + functional.l1_loss(predicted.diff(dim=-1), target.diff(dim=-1))
        total = total + functional.l1_loss(predicted.diff(dim=-2), target.diff(dim=-2))
    return total / scales


def structural_loss(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """1 − structural similarity (Wang et al., 2004), per pixel, in float32 whatever is trained in.

    Args:
        predicted: (B,C,H,W) in [-1,1].
        target: the same.

    Returns:
        (B,1,H−10,W−10), 0 where equal: Gaussian windows of σ 1.5 that fit into the picture, mean over
        channels, as scikit-image computes it.
    """
    with torch.autocast(predicted.device.type, enabled=False):
        # Similarity of brightness depends on where black lies: at 0, not at −1.
        one, other = (predicted.float() + 1) / 2, (target.float() + 1) / 2
        channels = one.shape[1]
        offsets = torch.arange(-SSIM_RADIUS, SSIM_RADIUS + 1, device=one.device, dtype=torch.float32)
        taps = torch.exp(-0.5 * (offsets / SSIM_SIGMA).square())
        taps = (taps / taps.sum()).expand(5 * channels, 1, 1, -1)
        moments = torch.cat([one, other, one * one, other * other, one * other], dim=1)
        moments = functional.conv2d(moments, taps, groups=5 * channels)
        moments = functional.conv2d(moments, taps.mT, groups=5 * channels)  # [B,5C,H-10,W-10]
        mean_one, mean_other, square_one, square_other, product = moments.chunk(5, dim=1)
        covariance = product - mean_one * mean_other
        variances = square_one - mean_one.square() + square_other - mean_other.square()
        first, second = 0.01**2, 0.03**2
        similarity = (2 * mean_one * mean_other + first) * (2 * covariance + second)
        similarity = similarity / (
            (mean_one.square() + mean_other.square() + first) * (variances.clamp_min(0) + second)
        )
        return 1 - similarity.mean(1, keepdim=True)


def colour_loss(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Squared error of what is left when each pixel's grey is taken away.

    Most pixels of shop photos have no colour, so that L1, which seeks the median, is content with none.

    Args:
        predicted: (B,3,H,W).
        target: the same.

    Returns:
        A scalar.
    """
    difference = predicted - target
    return (difference - difference.mean(1, keepdim=True)).square().mean()


def opponent_l1(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L1 of the colour differences red–green and yellow–blue: (B,3,H,W) twice → scalar."""
    red, green, blue = (predicted - target).unbind(1)
    return (red - green).abs().mean() + ((red + green) / 2 - blue).abs().mean()


def masked_l1(predicted: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """L1 weighted pixel by pixel: (B,C,H,W), (B,C,H,W), (B,1,H,W) → scalar."""
    return ((predicted - target).abs() * weight).sum() / (weight.sum() * predicted.shape[1]).clamp_min(1.0)


def kl_to_normal(moments: torch.Tensor) -> torch.Tensor:
    """Mean Kullback–Leibler divergence of a latent distribution (B,2L,h,w) from the standard normal."""
    mean, log_variance = moments.float().chunk(2, dim=1)
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()


def segmentation_loss(logits: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted cross entropy plus soft Dice over the labels present.

    Args:
        logits: (B,K,H,W).
        labels: (B,H,W) integers; where they are negative nobody knows, and nothing is asked.
        weight: (K,), of the cross entropy.

    Returns:
        A scalar.
    """
    count = logits.shape[1]
    # Labels last: in the layout in which convolutions are fastest on a CPU this costs no copy.
    likelihoods = logits.movedim(1, -1).reshape(-1, count).log_softmax(-1)  # [N,K]
    flat = labels.reshape(-1)
    cross_entropy = functional.nll_loss(likelihoods, flat, weight, ignore_index=UNKNOWN)
    known = flat >= 0
    probabilities = likelihoods.exp() * known[:, None]
    truth = flat.clamp_min(0)
    hits = probabilities.gather(1, truth[:, None])[:, 0]
    overlap = torch.zeros_like(weight).index_add(0, truth, hits)
    pixels = torch.bincount(truth[known], minlength=count)
    dice = 2 * overlap / (probabilities.sum(0) + pixels).clamp_min(1.0)
    return cross_entropy + (1 - dice)[pixels > 0].mean()
