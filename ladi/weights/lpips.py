"""The weights of LPIPS: from a folder, or from a package and PyTorch's server.

```
LADI_NETS, else models/nets ──► {alexnet,vgg16}-lpips.safetensors ──────────────────┐
the package lpips, else torchmetrics ──► heads ──┐                                  ├──► Lpips
PyTorch's server, once ──► convolutions ─────────┴──► the same keys ────────────────┘
```

torchvision is not needed for either; where it is, its cache of downloads is the one used here.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

import torch

from ladi.files import MODELS_FOLDER
from ladi.models.lpips import Lpips, LpipsName
from ladi.types import ModelError
from ladi.weights.reading import read_state

VARIABLE = "LADI_NETS"
"""Names the folder of networks that are for training and scoring only."""
FOLDER = MODELS_FOLDER / "nets"
FILES: dict[LpipsName, str] = {"alex": "alexnet-lpips.safetensors", "vgg": "vgg16-lpips.safetensors"}
SERVER = "https://download.pytorch.org/models/"
CONVOLUTIONS: dict[LpipsName, str] = {"alex": "alexnet-owt-7be5be79.pth", "vgg": "vgg16-397923af.pth"}
HEADS = {"lpips": "weights/v0.1", "torchmetrics": "functional/image/lpips_models"}
"""Packages that carry the heads, and where."""


def load_lpips(name: LpipsName, device: torch.device | str = "cpu") -> Lpips:
    """LPIPS through AlexNet or VGG-16, with its published weights.

    Args:
        name: which network looks.
        device: where to put it.

    Raises:
        ModelError: the weights are not here and cannot be had, or are something else.
    """
    folder = Path(os.environ.get(VARIABLE) or FOLDER)
    file = folder / FILES[name]
    if file.is_file():
        state, source = read_state(file, file.name), str(file)
    elif os.environ.get(VARIABLE):
        raise ModelError(f"{VARIABLE} names {str(folder)!r}, which holds no {file.name}: put it there.")
    else:
        state, source = _of_packages(name), CONVOLUTIONS[name]
    network = Lpips(name)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"{source} does not hold the weights of LPIPS ({name}): delete it.") from error
    return network.to(device)


def _of_packages(name: LpipsName) -> Mapping[str, torch.Tensor]:
    """Heads from a package, convolutions from PyTorch's server, under our keys."""
    heads = next((path for path in _places_of_heads(name) if path.is_file()), None)
    if heads is None:
        raise ModelError(
            f"LPIPS's weights are not here: put {FILES[name]} into models/nets, name its folder by "
            f"{VARIABLE}, or install torchmetrics (requirements-eval.txt)."
        )
    found = read_state(heads, heads.name)
    try:
        published = torch.hub.load_state_dict_from_url(
            SERVER + CONVOLUTIONS[name],
            map_location="cpu",
            progress=False,
            check_hash=True,
            weights_only=True,
        )
    except (OSError, RuntimeError) as error:
        # A server that cannot be reached is an OSError, a truncated file a RuntimeError.
        raise ModelError(f"{CONVOLUTIONS[name]} could not be downloaded from {SERVER}: {error}") from error
    return renamed(published, found)


def renamed(
    convolutions: Mapping[str, torch.Tensor], heads: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Torchvision's numbers, which count activations and poolings too, and LPIPS's heads → our keys."""
    kept = [key for key in convolutions if key.startswith("features.")]
    numbers = sorted({int(key.split(".")[1]) for key in kept})
    state = {}
    for key in kept:
        _, number, kind = key.split(".")
        state[f"conv.{numbers.index(int(number))}.{kind}"] = convolutions[key]
    for key, head in heads.items():
        state[f"lin.{key.split('.')[0].removeprefix('lin')}.weight"] = head
    return state


def _places_of_heads(name: LpipsName) -> list[Path]:
    found = []
    for package, folder in HEADS.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            found.append(Path(spec.origin).parent / folder / f"{name}.pth")
    return found
