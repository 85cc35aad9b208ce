"""Detail at the photo's own size."""

from __future__ import annotations

import pytest
import torch

from ladi.diffusion.warping import resize
from ladi.postprocess.detail import agreement, band
from ladi.postprocess.layers import enlarge

SIZE, FINE = (32, 24), (128, 96)


def identity_grid(size: tuple[int, int]) -> torch.Tensor:
    height, width = size
    y = (torch.arange(height) + 0.5) / height * 2 - 1
    x = (torch.arange(width) + 0.5) / width * 2 - 1
    return torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None]


@pytest.fixture
def pictures() -> dict[str, torch.Tensor]:
    """A finely striped garment that fills the frame, worn as it is."""
    fine = torch.zeros(1, 3, *FINE)
    fine[..., ::2, :] = 0.6
    return {
        "garment": resize(fine, SIZE),
        "matte": torch.ones(1, 1, *SIZE),
        "fine_garment": fine,
        "grid": identity_grid(SIZE),
        "mask": torch.ones(1, 1, *SIZE),
    }


def add_detail(generated: torch.Tensor, **pictures: torch.Tensor) -> torch.Tensor:
    return enlarge(generated, FINE) + band(generated, **pictures, size=FINE)


def stripes(picture: torch.Tensor) -> torch.Tensor:
    """How strongly rows alternate in the middle of a picture."""
    return picture[..., 48:80, 32:64].diff(dim=-2).abs().mean()


def test_fine_stripes_come_back_where_the_garment_is_worn(pictures) -> None:
    """Prevents: a large photo in which the new garment alone is blurred."""
    generated = pictures["garment"]
    assert stripes(torch.nn.functional.interpolate(generated, FINE)) < 0.01
    detailed = add_detail(generated, **pictures)
    assert detailed.shape == (1, 3, *FINE)
    assert stripes(detailed) > 0.5


def test_no_detail_across_another_colour_or_outside_the_mask(pictures) -> None:
    """Prevents: the garment's stripes drawn over an arm, over hair, or beside the person."""
    arm = pictures["garment"] - 0.6
    assert stripes(add_detail(arm, **pictures)) < 0.01
    assert stripes(add_detail(pictures["garment"], **pictures | {"mask": pictures["mask"] * 0})) < 0.01
    assert stripes(add_detail(pictures["garment"], **pictures | {"matte": pictures["matte"] * 0})) < 0.01


def test_agreement_ends_at_the_sleeve(pictures) -> None:
    """Prevents: a soft transition that reaches across the outline."""
    matte = pictures["matte"].clone()
    matte[..., 12:] = 0
    agrees = agreement(pictures["garment"], pictures["garment"], matte, pictures["mask"])
    assert agrees[..., 12:].max() == 0
    assert agrees[..., 10:22, 5].min() > 0.9


def test_several_pictures_share_one_garment(pictures) -> None:
    both = torch.cat([pictures["garment"], pictures["garment"] - 0.6])
    detailed = add_detail(both, **pictures)
    assert stripes(detailed[:1]) > 0.5 > 0.01 > stripes(detailed[1:])
