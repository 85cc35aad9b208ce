"""What stands at the page's top: which model paints, for what, and under which licence."""

from __future__ import annotations

import pytest

from app.fields import Defaults
from app.page import build_page
from app.tryon.handlers import Handlers
from tests.ui.fake import FakeEngine


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("mini", "**Preview model**, 256 × 192 · for tops only · [run the full model](#about)"),
        ("vitonhd", "**LaDI-VTON**, VITON-HD weights, 512 × 384 · for tops only"),
        ("dresscode", "Dress Code weights, 512 × 384 · for tops, trousers and skirts or dresses ·"),
    ],
)
def test_what_paints_is_named_before_the_upload(model: str, told: str) -> None:
    """Prevents a preview taken for the paper's model, and trousers uploaded to one that knows tops."""
    page = build_page(Handlers(lambda _: FakeEngine()), Defaults(models=(model,)))  # type: ignore[arg-type,return-value]
    [line] = [one for one in page.blocks.values() if getattr(one, "elem_id", "") == "model-line"]
    assert told in line.value and ("#about" in line.value) == (model == "mini")
    assert "CC BY-NC 4.0" in line.value
