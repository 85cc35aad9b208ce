"""VGG-19's perceptual loss, written out, with torchvision's published weights (stages 1b and 2).

The first five slices of VGG-19, up to the first ReLU of each block, look at both pictures; what is compared
is what they see. The weights are fetched once and kept under ``models/``. torchvision itself is not needed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ladi.models.precision import KeepFloat32
from ladi.types import LadiError, ModelError
from ladi.weights import stock
from ladi.weights.digests import sha256_of
from ladi.weights.fetch import fetch
from ladi.weights.reading import read_state

LOGGER = logging.getLogger(__name__)

PerceptualLoss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(predicted, target), both (B,3,H,W) in [-1,1] → scalar."""

FILE = "vgg19-dcbb9e9d.pth"
"""torchvision's; the name carries the first digits of its SHA-256. 575 MB."""
MIRRORS = ("https://download.pytorch.org/models",)
CONVOLUTIONS = (2, 2, 4, 4, 4)
"""Of each block; a pooling stands between blocks."""
SLICE_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
SIDE = 256
"""Pictures are brought to this many pixels in height and width."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures in [0,1]."""


def vgg19_features(widths: tuple[int, ...] = (64, 128, 256, 512, 512)) -> nn.Sequential:
    """The convolutional part in torchvision's order: convolution, ReLU, …, pooling after each block."""
    layers: list[nn.Module] = []
    incoming = 3
    for width, count in zip(widths, CONVOLUTIONS, strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(incoming, width, 3, padding=1), nn.ReLU()]
            incoming = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


class VggLoss(KeepFloat32):
    """L1 between what VGG-19's five slices see in two pictures, always in float32.

    Args:
        widths: channels of the five blocks.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, widths: tuple[int, ...] = (64, 128, 256, 512, 512)) -> None:
        super().__init__()
        layers = list(vgg19_features(widths))
        # Each slice ends after the first ReLU of its block; what follows the last one is never looked at.
        starts = [index for index, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
        ends = [2, *(start + 3 for start in starts[:-1])]
        self.ends = ends
        self.features = nn.Sequential(*layers[: ends[-1]])
        for name, values in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def slices(self, picture: torch.Tensor) -> list[torch.Tensor]:
        """(B,3,H,W) in [-1,1] → the five slices' features."""
        hidden = functional.interpolate((picture + 1) / 2, (SIDE, SIDE), mode="bilinear", align_corners=False)
        hidden = (hidden - self.mean) / self.deviation
        seen = []
        for number, layer in enumerate(self.features, start=1):
            hidden = layer(hidden)
            if number in self.ends:
                seen.append(hidden)
        return seen

    def forward(self, predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(B,3,H,W) and (B,3,H,W) in [-1,1] → scalar; gradients reach the first."""
        with torch.autocast(predicted.device.type, enabled=False):
            with torch.no_grad():
                wanted = self.slices(target.float())
            found = self.slices(predicted.float())
            terms = [functional.l1_loss(one, other) for one, other in zip(found, wanted, strict=True)]
        return torch.stack([weight * term for weight, term in zip(SLICE_WEIGHTS, terms, strict=True)]).sum()


def load_vgg(path: Path | None = None, *, folder: Path = stock.DOWNLOADS) -> VggLoss:
    """The loss with its weights, fetched unless they are here.

    Args:
        path: a file with torchvision's keys; ``None`` takes the published one.
        folder: where the published one is kept.

    Raises:
        LadiError: it cannot be fetched, is damaged or something else; says what to do.
    """
    if path is None:
        path = fetch_vgg(folder)
    elif not path.is_file():
        raise LadiError(f"There is no file {path}: name one with VGG-19's weights with --vgg. {_otherwise()}")
    digits = re.search(r"-([0-9a-f]{8,64})\.", path.name)
    if digits and not sha256_of(path).startswith(digits[1]):
        raise LadiError(
            f"{path} is damaged: its SHA-256 does not begin with {digits[1]}, as its name says it must. "
            f"Delete it and run the command again."
        )
    state = read_state(path, path.name)
    weights = {key: value for key, value in state.items() if key.startswith("features.")}
    loss = VggLoss(_widths(weights, path))
    wanted = loss.state_dict()
    try:
        loss.load_state_dict({key: weights[key] for key in wanted})
    except (KeyError, RuntimeError) as error:
        raise LadiError(
            f"{path} does not hold VGG-19's weights under torchvision's names. {_otherwise()}"
        ) from error
    loss.requires_grad_(False)
    return loss.eval()


def fetch_vgg(folder: Path) -> Path:
    """The published file, fetched once.

    Raises:
        LadiError: it cannot be had; says what to do.
    """
    try:
        return fetch(FILE, MIRRORS, folder)
    except ModelError as error:
        raise LadiError(
            f"The perceptual loss needs VGG-19's weights, which could not be fetched: {error} "
            f"{_otherwise(folder)}"
        ) from error


def modules_of(loss: PerceptualLoss) -> dict[str, nn.Module]:
    """The networks of a perceptual loss, for the loop to place; the substitute has none."""
    return {"perceptual": loss} if isinstance(loss, nn.Module) else {}


def l1_and_perceptual(
    predicted: torch.Tensor, target: torch.Tensor, perceptual: PerceptualLoss, weight: float
) -> tuple[torch.Tensor, dict[str, float]]:
    """The loss of stages 1b and 2: scalar, and its terms for the log."""
    l1, seen = functional.l1_loss(predicted, target), perceptual(predicted, target)
    return l1 + weight * seen, {"l1": float(l1.detach()), "perceptual": float(seen.detach())}


def _widths(weights: Mapping[str, Any], path: Path) -> tuple[int, ...]:
    """Channels of the five blocks, as a file has them."""
    places = [index for index, layer in enumerate(vgg19_features()) if isinstance(layer, nn.Conv2d)]
    firsts = [sum(CONVOLUTIONS[:block]) for block in range(len(CONVOLUTIONS))]
    try:
        return tuple(len(weights[f"features.{places[first]}.weight"]) for first in firsts)
    except KeyError as error:
        raise LadiError(
            f"{path} does not hold VGG-19's weights under torchvision's names. {_otherwise()}"
        ) from error


def _otherwise(folder: Path = stock.DOWNLOADS) -> str:
    return (
        f"Put {MIRRORS[0]}/{FILE} into {folder}, name a file with --vgg, or train without this loss with "
        f"--no-vgg."
    )
