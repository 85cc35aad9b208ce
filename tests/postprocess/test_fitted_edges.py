"""A warp that ends where a garment's shape does."""

from __future__ import annotations

import numpy as np
import torch

from ladi.diffusion.warping import sample_matte
from ladi.postprocess.fitted_edges import fit_edges
from ladi.preprocess.limbs import Limbs
from ladi.types import LAYERS
from tests.postprocess.test_cloth import identity
from tests.postprocess.test_tubes import SIZE, arm_of, joints

ROWS, COLUMNS = np.mgrid[: SIZE[0], : SIZE[1]]
EVERYWHERE = np.ones(SIZE, bool)


def layers(**regions: np.ndarray) -> np.ndarray:
    """(K,H,W), wall but for some regions (H,W) bool; later ones lie before earlier ones."""
    first = np.zeros(SIZE, int)
    for name, region in regions.items():
        first[region] = LAYERS.index(name)  # type: ignore[arg-type]
    return np.eye(len(LAYERS), dtype=np.float32)[first].transpose(2, 0, 1)


def limbs() -> Limbs:
    return Limbs(joints(), EVERYWHERE)


def laid_after(outline: np.ndarray, shown: np.ndarray, *, arms: bool = False) -> np.ndarray:
    """Where a garment lies, once its warp was bent: (H,W) bool."""
    tubes = [arm_of(side) for side in ("left", "right")] if arms else []
    grid = fit_edges(identity(SIZE), outline.astype(np.float32), shown, EVERYWHERE, limbs(), tubes)
    matte = torch.from_numpy(outline.astype(np.float32))[None, None]
    return sample_matte(matte, grid)[0, 0].numpy() > 0.5


def neck(lowest: float) -> np.ndarray:
    """A round neckline that ends in a row: (H,W) bool."""
    x, y = limbs().neck
    top = y - 30
    return np.asarray(((COLUMNS - x) / 20) ** 2 + ((ROWS - top) / (lowest - top)) ** 2 < 1)


def trunk(lowest: float) -> np.ndarray:
    x, y = limbs().neck
    return np.asarray((np.abs(COLUMNS - x) < 0.5 * limbs().width) & (ROWS > y - 4) & (ROWS < lowest))


def test_a_neckline_that_is_laid_too_low_comes_up_to_the_neck() -> None:
    """Prevents: a neckband apart from the neck, and rags of cloth above it."""
    low = limbs().hip_row
    shown, laid = neck(limbs().neck[1] + 8), neck(limbs().neck[1] + 14)
    outline = trunk(low) & ~laid
    after = laid_after(outline, layers(garment=trunk(low), skin=shown))
    gap, before = trunk(low) & ~shown & ~after, trunk(low) & ~shown & ~outline
    assert before.sum() > 60 and gap.sum() < 0.3 * before.sum()
    assert np.array_equal(after[ROWS > low - 20], outline[ROWS > low - 20]), "far from it nothing moves"


def test_a_hem_comes_to_where_trousers_begin() -> None:
    low = round(limbs().hip_row)
    for off in (-7, 6):
        outline = trunk(low + off)
        after = laid_after(outline, layers(garment=trunk(low), other=ROWS >= low))
        middle = np.abs(COLUMNS[0] - limbs().neck[0]) < 0.3 * limbs().width
        rows = after[:, middle].sum(0) + np.argmax(after[:, middle], axis=0)
        assert np.abs(rows - low).max() <= 1.5, off


def test_a_cuff_comes_to_the_hand() -> None:
    """Prevents: a cuff in the middle of a forearm, with cloth below it."""
    tube = arm_of("left")
    inside, away = tube.depth < 1.1, np.hypot(*np.diff(tube.line, axis=0).T).sum()
    outline, sleeve = inside & (tube.along < 0.85), inside & (tube.along < 0.85 + 8 / away)
    after = laid_after(outline, layers(skin=inside, garment=sleeve), arms=True)
    assert (sleeve & ~after).sum() < 0.35 * (sleeve & ~outline).sum()


def test_an_edge_that_is_nowhere_near_stays_where_it_is() -> None:
    """Prevents: a lining that was left in a picture stretched over the chest."""
    low = limbs().hip_row
    outline, shown = trunk(low), neck(limbs().neck[1] + 30)
    grid = identity(SIZE)
    bent = fit_edges(
        grid, outline.astype(np.float32), layers(garment=trunk(low), skin=shown), ~trunk(low), limbs()
    )
    assert torch.equal(bent, grid), "nothing of it is repainted"
    after = laid_after(outline, layers(garment=trunk(low), skin=shown))
    assert np.array_equal(after[ROWS > limbs().neck[1] + 20], outline[ROWS > limbs().neck[1] + 20])


def test_where_nothing_is_laid_nothing_is_bent() -> None:
    grid, shown = identity(SIZE), layers(garment=trunk(limbs().hip_row), skin=neck(limbs().neck[1] + 8))
    for outline in (np.zeros(SIZE, np.float32), np.ones(SIZE, np.float32)):
        assert fit_edges(grid, outline, shown, EVERYWHERE, limbs()) is grid
