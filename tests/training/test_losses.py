"""The losses, against numbers of the published code and against what they are for."""

from __future__ import annotations

import numpy as np
import torch

from ladi.evaluation.scores.metrics import ssim
from ladi.training.losses import (
    detail_loss,
    grid_terms,
    kl_to_normal,
    masked_l1,
    segmentation_loss,
    structural_loss,
)
from ladi.training.stages.garment_skips import blended_loss


def regular_grid() -> torch.Tensor:
    line = torch.linspace(-0.9, 0.9, 5)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], dim=-1).reshape(1, 25, 2)


def test_a_regular_grid_costs_only_the_floors() -> None:
    terms = grid_terms(regular_grid())
    assert torch.allclose(terms, torch.tensor([0.08, 0.08, 0.08, 0.08, 0.02, 0.02]))


def test_a_bent_row_raises_the_row_terms_only_where_it_bends() -> None:
    bent = regular_grid().clone()
    bent[0, 12, 0] += 0.4
    terms = grid_terms(bent)
    assert terms[0] > 0.08, "unequal steps in x along a row"
    assert torch.allclose(terms[1], torch.tensor(0.08)), "y along the row is untouched"
    assert terms[5] > 0.02, "the column through the moved point bends"


def test_first_sample_only_ignores_the_others() -> None:
    both = torch.cat([regular_grid(), regular_grid() + 0.3 * torch.randn(1, 25, 2)])
    assert torch.allclose(grid_terms(both, first_sample_only=True)[4:], torch.tensor([0.02, 0.02]))
    assert (grid_terms(both)[4:] > 0.02).all()


def test_detail_loss_sees_blur_that_l1_forgives() -> None:
    stripes = torch.tensor([1.0, -1.0]).repeat(16).expand(1, 3, 32, 32)
    grey, shifted = torch.zeros_like(stripes), stripes * 0.5
    assert detail_loss(stripes, stripes) == 0
    assert detail_loss(grey, stripes) > 1.5 * detail_loss(shifted, stripes)


def test_structural_loss_is_what_the_evaluation_measures() -> None:
    """Prevents: training towards another similarity than the one that is reported."""
    rng = np.random.default_rng(0)
    truth = rng.random((48, 40, 3)).astype(np.float32)
    picture = (truth + rng.normal(0, 0.2, truth.shape)).clip(0, 1).astype(np.float32)
    one, other = (torch.from_numpy(p * 2 - 1).movedim(-1, 0)[None] for p in (picture, truth))
    loss = structural_loss(one, other)
    assert loss.shape == (1, 1, 38, 30)
    assert abs(1 - float(loss.mean()) - ssim(picture, truth)) < 1e-4
    assert float(structural_loss(other, other).abs().max()) < 1e-4


def test_structural_loss_stays_exact_where_training_is_in_half_precision() -> None:
    """Prevents: variances as differences of bfloat16 numbers, which are noise."""
    rng = torch.Generator().manual_seed(0)
    one, other = (0.9 + 0.02 * torch.rand((1, 3, 24, 24), generator=rng) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        rounded = structural_loss(one, other)
    assert torch.equal(rounded, structural_loss(one, other))


def test_masked_l1_counts_only_the_mask() -> None:
    one, other = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 1
    other[..., 2:] = 100
    assert masked_l1(one, other, mask) == 1


def test_divergence_is_zero_for_the_standard_normal_alone() -> None:
    assert kl_to_normal(torch.zeros(1, 8, 2, 2)) == 0
    assert kl_to_normal(torch.ones(1, 8, 2, 2)) > 0


def test_segmentation_loss_prefers_the_truth() -> None:
    labels = torch.randint(0, 3, (2, 8, 8))
    right = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).float() * 20
    weight = torch.ones(3)
    assert segmentation_loss(right, labels, weight) < 0.01 < segmentation_loss(-right, labels, weight)


def test_the_skips_owe_similarity_only_where_no_garment_is_worn() -> None:
    """Prevents: prints smoothed away, because similarity prefers a plain surface to shifted stripes."""
    stripes = torch.tensor([1.0, -1.0]).repeat(16).expand(1, 3, 32, 32)
    everywhere = torch.ones(1, 1, 32, 32)
    batch = {"image": stripes.roll(1, -1), "warped": stripes, "mask": everywhere, "worn": everywhere}
    _, on_garment = blended_loss(stripes, batch)
    _, on_skin = blended_loss(stripes, {**batch, "worn": 0 * everywhere})
    assert on_garment["structure"] == 0 == on_garment["detail"]
    assert on_skin["structure"] > 0.5 and on_skin["detail"] > 0.5
