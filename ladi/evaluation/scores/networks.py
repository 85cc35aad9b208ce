"""The pretrained networks that metrics look through: found, fetched once, or refused in words.

Nothing here is needed to import the rest. A network that cannot be had raises :class:`NotComputed`, whose
sentence stands in the tables in place of the number.

The packages come with ``requirements-eval.txt``; the weights are fetched by the packages or from PyTorch's
own server on first use. LPIPS's may also lie in a folder, see ``ladi/weights/lpips.py``.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from ladi.models.lpips import LpipsName
from ladi.types import ModelError
from ladi.weights.lpips import load_lpips

BATCH = 16
INCEPTION_SIZE = 299


class NotComputed(Exception):
    """Why a metric has no value, as one clause."""


class FeatureNetwork(Protocol):
    """What FID and KID, or the inception score, look through."""

    name: str
    """For the protocol."""

    def __call__(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """(H,W,3) uint8 each → (N,D) float."""
        ...


def _wanted(package: str, module: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise NotComputed(f"{package} is not installed (requirements-eval.txt)")


def _fetching(what: str, fetch: Callable[[], Any]) -> Any:
    """Runs something that may download, and says in a clause what became of it."""
    try:
        return fetch()
    except (OSError, RuntimeError, ImportError, ValueError) as error:
        # URLError is an OSError, a truncated file a RuntimeError, an unfit torchvision an ImportError.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NotComputed(f"{what} cannot be had here: {reason}") from error


class CleanFidInception:
    """Inception-v3 (TensorFlow's weights of 2015) with clean-fid's resizing, (N,2048).

    Raises:
        NotComputed: clean-fid or its weights are missing.
    """

    def __init__(self, device: torch.device) -> None:
        _wanted("clean-fid", "cleanfid")
        self.device = device
        self.name = f"clean-fid {_version('clean-fid')}, mode clean, Inception-v3 pool3"

        def fetch() -> Any:
            from cleanfid.features import build_feature_extractor
            from cleanfid.resize import build_resizer

            network = build_feature_extractor("clean", device, use_dataparallel=False)
            return network, build_resizer("clean")

        self.network, self.resize = _fetching("clean-fid's Inception", fetch)

    @torch.no_grad()
    def __call__(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Features of pictures (H,W,3) uint8: (N,2048)."""
        features = []
        for start in range(0, len(pictures), BATCH):
            resized = np.stack([self.resize(picture) for picture in pictures[start : start + BATCH]])
            batch = torch.from_numpy(resized).permute(0, 3, 1, 2).float().to(self.device)  # 0 … 255
            features.append(self.network(batch).float().cpu().numpy())
        return np.concatenate(features)


class TorchmetricsInception:
    """The logits of torchmetrics' Inception-v3 (torch-fidelity's weights), (N,1008), for the inception score.

    Raises:
        NotComputed: a package or the weights are missing.
    """

    def __init__(self, device: torch.device) -> None:
        _wanted("torchmetrics", "torchmetrics")
        _wanted("torch-fidelity", "torch_fidelity")
        self.device = device
        self.name = f"torchmetrics {_version('torchmetrics')}, torch-fidelity's Inception-v3, unbiased logits"

        def fetch() -> Any:
            from torchmetrics.image.fid import NoTrainInceptionV3

            return NoTrainInceptionV3("inception-v3-compat", ["logits_unbiased"]).to(device)

        self.network: nn.Module = _fetching("torch-fidelity's Inception", fetch)

    @torch.no_grad()
    def __call__(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Logits of pictures (H,W,3) uint8: (N,1008)."""
        logits = []
        for start in range(0, len(pictures), BATCH):
            batch = torch.from_numpy(np.stack(pictures[start : start + BATCH])).permute(0, 3, 1, 2)
            logits.append(self.network(batch.contiguous().to(self.device)).float().cpu().numpy())
        return np.concatenate(logits)


def lpips(name: LpipsName, device: torch.device) -> Callable[[np.ndarray, np.ndarray], float]:
    """LPIPS through AlexNet or VGG-16: (H,W,3) in [0,1] twice → at least 0.

    Raises:
        NotComputed: its weights are not here and cannot be had.
    """
    try:
        network = load_lpips(name, device)
    except ModelError as error:
        raise NotComputed(str(error).rstrip(".")) from error

    @torch.no_grad()
    def score(picture: np.ndarray, truth: np.ndarray) -> float:
        one, other = (
            torch.from_numpy(each).permute(2, 0, 1)[None].float().to(device) * 2 - 1
            for each in (picture, truth)
        )
        return float(network(one, other))

    return score


def torchmetrics_ssim() -> Callable[[np.ndarray, np.ndarray], float]:
    """Torchmetrics' SSIM with its defaults: (H,W,3) in [0,1] twice → at most 1.

    Raises:
        NotComputed: torchmetrics is not installed.
    """
    _wanted("torchmetrics", "torchmetrics")
    from torchmetrics.functional.image import structural_similarity_index_measure

    def score(picture: np.ndarray, truth: np.ndarray) -> float:
        one, other = (
            torch.from_numpy(np.ascontiguousarray(each)).permute(2, 0, 1)[None].float()
            for each in (picture, truth)
        )
        found: Any = structural_similarity_index_measure(one, other, data_range=1.0)
        return float(found)

    return score


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)
