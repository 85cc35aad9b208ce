"""The pretrained networks that metrics look through: found, fetched once, or refused in words.

Nothing here is needed to import the rest. A network that cannot be had raises :class:`NotComputed`, whose
sentence stands in the tables in place of the number.

The packages come with ``requirements-eval.txt``; the weights are fetched by the packages or from PyTorch's
own server on first use.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import nn

LpipsName = Literal["alex", "vgg"]

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


class Lpips:
    """Learned perceptual image patch similarity (Zhang et al., 2018), version 0.1 of its weights.

    Args:
        layers: picture (B,3,H,W), normalised → features (B,C,h,w), one per layer.
        weights: one (C,) per layer, not negative.
    """

    SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
    """ImageNet's mean and standard deviation, as the paper has them for pictures in [-1,1]."""

    def __init__(
        self, layers: Callable[[torch.Tensor], Sequence[torch.Tensor]], weights: Sequence[torch.Tensor]
    ) -> None:
        self.layers, self.weights = layers, weights

    @torch.no_grad()
    def __call__(self, picture: np.ndarray, truth: np.ndarray) -> float:
        """The distance of two pictures (H,W,3) in [0,1]; they are brought to [-1,1] here. 0 = equal."""
        pair = torch.from_numpy(np.stack([picture, truth])).permute(0, 3, 1, 2).float() * 2 - 1
        pair = pair.to(self.weights[0].device)
        shift, scale = (
            torch.tensor(values).to(pair).reshape(1, 3, 1, 1) for values in (self.SHIFT, self.SCALE)
        )
        total = 0.0
        for features, weight in zip(self.layers((pair - shift) / scale), self.weights, strict=True):
            unit = features / (features.square().sum(1, keepdim=True) + 1e-8).sqrt()
            difference = (unit[0] - unit[1]).square()  # [C,h,w]
            total += float((difference * weight.reshape(-1, 1, 1)).sum(0).mean())
        return total


class Backbone(nn.Module):
    """The convolutions of AlexNet or VGG-16, giving the features that LPIPS compares.

    The layers stand at torchvision's numbers, so that its weights load strictly; torchvision is not needed.
    """

    TAPS: dict[LpipsName, tuple[int, ...]] = {"alex": (1, 4, 7, 9, 11), "vgg": (3, 8, 15, 22, 29)}
    FILES: dict[LpipsName, str] = {"alex": "alexnet-owt-7be5be79.pth", "vgg": "vgg16-397923af.pth"}
    SERVER = "https://download.pytorch.org/models/"

    def __init__(self, name: LpipsName) -> None:
        super().__init__()
        self.taps = self.TAPS[name]
        self.features = alexnet_features() if name == "alex" else vgg16_features()

    def forward(self, picture: torch.Tensor) -> list[torch.Tensor]:
        """(B,3,H,W), normalised → five features, shallowest first."""
        found = []
        for number, layer in enumerate(self.features):
            picture = layer(picture)
            if number in self.taps:
                found.append(picture)
        return found


def alexnet_features() -> nn.Sequential:
    """AlexNet's convolutions up to the fifth activation."""
    shapes = [
        (3, 64, 11, 4, 2),
        (64, 192, 5, 1, 2),
        (192, 384, 3, 1, 1),
        (384, 256, 3, 1, 1),
        (256, 256, 3, 1, 1),
    ]
    layers: list[nn.Module] = []
    for number, (incoming, outgoing, side, stride, padding) in enumerate(shapes):
        layers += [nn.Conv2d(incoming, outgoing, side, stride, padding), nn.ReLU()]
        if number < 2:
            layers.append(nn.MaxPool2d(3, 2))
    return nn.Sequential(*layers)


def vgg16_features() -> nn.Sequential:
    """VGG-16's convolutions up to the last activation."""
    layers: list[nn.Module] = []
    incoming = 3
    for depth, (width, count) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]):
        if depth:
            layers.append(nn.MaxPool2d(2, 2))
        for _ in range(count):
            layers += [nn.Conv2d(incoming, width, 3, padding=1), nn.ReLU()]
            incoming = width
    return nn.Sequential(*layers)


def load_lpips(name: LpipsName, device: torch.device) -> Lpips:
    """LPIPS through AlexNet or VGG-16, with the layers' weights from torchmetrics.

    Raises:
        NotComputed: torchmetrics or the backbone's weights are missing.
    """
    _wanted("torchmetrics", "torchmetrics")
    spec = importlib.util.find_spec("torchmetrics")
    assert spec is not None and spec.origin is not None
    file = Path(spec.origin).parent / "functional" / "image" / "lpips_models" / f"{name}.pth"
    if not file.is_file():
        raise NotComputed(f"torchmetrics {_version('torchmetrics')} does not carry LPIPS's weights")
    linear = torch.load(file, map_location=device, weights_only=True)
    backbone = Backbone(name)

    def fetch() -> Any:
        url = Backbone.SERVER + Backbone.FILES[name]
        return torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )

    state: dict[str, torch.Tensor] = _fetching(f"{Backbone.FILES[name]}", fetch)
    convolutions = {key: value for key, value in state.items() if key.startswith("features.")}
    backbone.load_state_dict(convolutions)
    weights = [linear[f"lin{number}.model.1.weight"].flatten() for number in range(len(backbone.taps))]
    return Lpips(backbone.eval().to(device), weights)


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
