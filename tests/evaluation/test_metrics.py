"""The metrics of pairs, on pictures whose scores are known and against computations of others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from ladi.evaluation.scores.metrics import bootstrap_interval, masked_error, ssim
from ladi.evaluation.scores.networks import NotComputed, lpips, torchmetrics_ssim
from ladi.models.lpips import LpipsName


@pytest.fixture
def two_pictures() -> tuple[np.ndarray, np.ndarray]:
    """A smooth picture (64,48,3) in [0,1], and the same with noise."""
    rng = np.random.default_rng(0)
    smooth = gaussian_filter(rng.random((64, 48, 3)), (2, 2, 0))
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    noisy = np.clip(smooth + gaussian_filter(rng.normal(0, 0.3, smooth.shape), (1, 1, 0)), 0, 1)
    return smooth.astype(np.float32), noisy.astype(np.float32)


def test_equal_pictures_score_one_and_zero() -> None:
    """Prevents: arguments in the wrong order, or a range that does not fit."""
    picture = np.random.default_rng(0).random((32, 24, 3))
    assert ssim(picture, picture) == pytest.approx(1)
    assert masked_error(picture, picture, np.ones((32, 24), bool)) == 0


def test_error_counts_the_mask_alone() -> None:
    """Prevents: pasted pixels, which are always right, making every model look better."""
    truth, picture = np.zeros((8, 8, 3)), np.ones((8, 8, 3))
    mask = np.zeros((8, 8), bool)
    mask[:4] = True
    picture[:4] = 0.25
    assert masked_error(picture, truth, mask) == pytest.approx(0.25)


def test_ssim_of_two_flat_pictures_follows_the_formula() -> None:
    """(2ab + c1) / (a² + b² + c1) with c1 = 0.01²: no variance, so only the luminance term is left."""
    one, other = np.full((32, 32, 3), 0.5), np.full((32, 32, 3), 0.25)
    expected = (2 * 0.5 * 0.25 + 1e-4) / (0.25 + 0.0625 + 1e-4)
    assert ssim(one, other) == pytest.approx(expected, abs=1e-6)


def test_ssim_equals_its_formula_written_down_from_the_paper(
    two_pictures: tuple[np.ndarray, np.ndarray],
) -> None:
    """Prevents: another window, range or average than the protocol says (Wang et al., 2004, equation 13)."""
    x, y = (picture.astype(np.float64) for picture in two_pictures)

    def local(values: np.ndarray) -> np.ndarray:
        return gaussian_filter(values, (1.5, 1.5, 0), truncate=3.5)

    mx, my = local(x), local(y)
    vx, vy, vxy = local(x * x) - mx**2, local(y * y) - my**2, local(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    found = ((2 * mx * my + c1) * (2 * vxy + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    assert ssim(*two_pictures) == pytest.approx(found[5:-5, 5:-5].mean(), abs=1e-6)


def test_torchmetrics_ssim_is_scikit_images_with_the_border_counted(
    two_pictures: tuple[np.ndarray, np.ndarray],
) -> None:
    """Prevents: two columns called SSIM that differ by more than what the protocol says."""
    pytest.importorskip("torchmetrics", reason="torchmetrics comes with requirements-eval.txt")
    _, everywhere = structural_similarity(
        *two_pictures,
        channel_axis=2,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    # The two libraries mirror the picture at its edge a little differently.
    assert torchmetrics_ssim()(*two_pictures) == pytest.approx(everywhere.mean(), abs=0.005)
    assert torchmetrics_ssim()(two_pictures[0], two_pictures[0]) == pytest.approx(1)


def test_interval_holds_the_mean_and_is_the_same_every_time() -> None:
    """Prevents: numbers that change from run to run."""
    values = np.random.default_rng(1).normal(0.8, 0.05, 100)
    low, high = bootstrap_interval(values)
    assert low < values.mean() < high
    assert (low, high) == bootstrap_interval(values)


def test_interval_of_a_mean_is_as_wide_as_statistics_say() -> None:
    """±1.96 standard errors for many normal values; prevents resampling too few."""
    values = np.random.default_rng(2).normal(0, 1, 400)
    low, high = bootstrap_interval(values)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1)


@pytest.mark.weights
@pytest.mark.parametrize("name", ["alex", "vgg"])
def test_lpips_equals_torchmetrics(name: LpipsName, two_pictures: tuple[np.ndarray, np.ndarray]) -> None:
    """Prevents: an LPIPS of our own making. Needs torchvision and the backbones' weights."""
    pytest.importorskip(
        "torchvision", reason="torchvision comes with requirements-eval.txt, on CUDA machines"
    )
    try:
        ours = lpips(name, torch.device("cpu"))
    except NotComputed as why:
        pytest.skip(f"LPIPS cannot be computed here: {why}")
    from torchmetrics.functional.image import learned_perceptual_image_patch_similarity

    one, other = (torch.from_numpy(picture).permute(2, 0, 1)[None] for picture in two_pictures)
    theirs = learned_perceptual_image_patch_similarity(one, other, net_type=name, normalize=True)
    assert ours(*two_pictures) == pytest.approx(float(theirs), rel=1e-4)
