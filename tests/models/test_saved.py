"""The small networks that look at garments: what is loaded answers as what was saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from ladi.models.lining import GarmentLining
from ladi.models.sleeves import SleeveLength


@pytest.mark.parametrize(("network", "size"), [(GarmentLining, (128, 96)), (SleeveLength, (64, 48))])
def test_it_is_saved_and_loaded(network: Any, size: tuple[int, int], tmp_path: Path) -> None:
    """Prevents: a part that a saved model leaves out, and that is drawn anew where it is loaded."""
    saved = network().eval()
    saved.save_pretrained(tmp_path)
    picture = torch.rand(1, 4, *size)
    again = network.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        answers = zip(*(_listed(one(picture)) for one in (saved, again)), strict=True)
        assert all(torch.allclose(one, other, atol=1e-5) for one, other in answers)


def _listed(answer: Any) -> list[torch.Tensor]:
    """A network's answers, of which some have one and some two."""
    return [answer] if isinstance(answer, torch.Tensor) else list(answer)
