"""The network by which garments are told, trained on crops by ``garment_kind.py``.

It learns worn garments and a shop's first, of which there are many, and then amateurs' photos, of which there
are a few hundred. Every crop is moved, bent, dyed and cut out a little wrongly, each time anew. The project's
weights come from ``--sets cc0 lower cc0-settled lower-settled viton``: the photos by rough outlines and, for
three in five, by those that colours had settled, each pair under one source; two minutes of a core.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional

from ladi.files import written_whole
from ladi.models.garment_kind import SIDE, GarmentKind, seen
from ladi.preprocess.kind import KINDS
from ladi.preprocess.kind_network import as_seen, square_around

_FIRST = {"top": (8, 12), "trousers": (12, 0), "skirt": (12, 0), "dress": (12, 0), "none": (8, 0)}
"""Of a first batch, how many worn ones and how many of a shop."""
_THEN = {"top": (11, 0, 6), "trousers": (8, 1, 0), "skirt": (8, 1, 0), "dress": (9, 1, 0), "none": (2, 1, 0)}
"""Of a later batch, how many amateurs' photos, worn ones, and ones of a shop."""
_RATES, _DECAYS = (3e-3, 2e-3), (0.02, 0.05)
_SMOOTHING = 0.05
_BROKEN = 0.35
"""How often a matte has holes, or more than the garment."""


class Squares(NamedTuple):
    """Crops as they are before the network's own size."""

    pictures: torch.Tensor
    """(N,4,S,S) uint8."""
    kinds: np.ndarray
    """(N,) numbers into ``KINDS``."""


def squares_of(pictures: Sequence[np.ndarray], kinds: np.ndarray) -> Squares:
    """Crops (H,H,4) uint8 in squares of one size; those that show nothing are left out."""
    shown = [number for number, one in enumerate(pictures) if (one[..., 3] > 127).any()]
    squares = [square_around(pictures[number][..., :3], pictures[number][..., 3] / 255) for number in shown]
    return Squares(torch.from_numpy(np.stack(squares)).movedim(-1, 1).contiguous(), kinds[shown])


def without_garments(photos: Squares) -> Squares:
    """What lies around the garments, cut out in their place: none of these kinds."""
    pictures = photos.pictures.clone()
    pictures[:, 3] = 255 - pictures[:, 3]
    return Squares(pictures, np.full(len(pictures), KINDS.index("none")))


def train(photos: Squares, worn: Squares, shop: Squares, *, steps: tuple[int, int], seed: int) -> GarmentKind:
    """Train on worn garments and a shop's, and then on amateurs' photos too, for so many steps each."""
    torch.manual_seed(seed)
    network, rng = GarmentKind(len(KINDS)), np.random.default_rng(seed)
    around = without_garments(photos)
    both = Squares(
        torch.cat([photos.pictures, around.pictures]), np.concatenate([photos.kinds, around.kinds])
    )
    _learn(network, lambda: _batch((worn, shop), _FIRST, rng), steps[0], _RATES[0], _DECAYS[0])
    _learn(network, lambda: _batch((both, worn, shop), _THEN, rng), steps[1], _RATES[1], _DECAYS[1])
    return network.eval()


def _learn(
    network: GarmentKind,
    draw: Callable[[], tuple[torch.Tensor, torch.Tensor]],
    steps: int,
    rate: float,
    decay: float,
) -> None:
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
    for step in range(steps):
        for group in optimizer.param_groups:
            falling = 0.5 + 0.5 * math.cos(math.pi * step / steps)
            group["lr"] = rate * min(1, (step + 1) / 20) * (0.03 + 0.97 * falling)
        pictures, kinds = draw()
        loss = functional.cross_entropy(network(varied(pictures)), kinds, label_smoothing=_SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _batch(
    sets: Sequence[Squares], counts: Mapping[str, tuple[int, ...]], rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures (B,4,S,S) and kinds (B,), so many of each kind from each set that has it."""
    pictures, kinds = [], []
    for kind, wanted in counts.items():
        for squares, count in zip(sets, wanted, strict=True):
            pool = np.flatnonzero(squares.kinds == KINDS.index(kind))
            if count and len(pool):
                pictures.append(squares.pictures[rng.choice(pool, count)])
                kinds += [KINDS.index(kind)] * count
    return torch.cat(pictures), torch.tensor(kinds)


def varied(pictures: torch.Tensor) -> torch.Tensor:
    """Squares (B,4,S,S) uint8, moved, bent, dyed and cut out a little wrongly: (B,4,s,s), as is seen."""
    moved = functional.grid_sample(pictures.float() / 255, _ways(len(pictures)), align_corners=False)
    return seen(_dyed(moved[:, :3]), _cut_wrongly(moved[:, 3:]))


def _ways(count: int) -> torch.Tensor:
    """Where each pixel comes from: (B,s,s,2), turned and stretched a little, every other one mirrored."""
    angle, scale = torch.randn(count) * 0.12, 1.02 * torch.exp(torch.randn(count) * 0.08)
    stretch, slant = torch.exp(torch.randn(count) * 0.05), torch.randn(count) * 0.05
    mirror = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    across = torch.stack([cosine * scale * stretch * mirror, (slant - sine) * scale], 1)
    down = torch.stack([sine * scale * mirror, cosine * scale / stretch], 1)
    matrix = torch.cat([torch.stack([across, down], 1), torch.randn(count, 2, 1) * 0.04], 2)
    plain = functional.affine_grid(matrix, [count, 4, SIDE, SIDE], align_corners=False)
    waves = torch.randn(count, 2, 4, 4) * 0.03
    bends = functional.interpolate(waves, (SIDE, SIDE), mode="bilinear", align_corners=True)
    return plain + bends.movedim(1, -1)


def _dyed(colours: torch.Tensor) -> torch.Tensor:
    """Colours (B,3,s,s) in [0,1] exchanged, made grey, turned to their opposites, and lit otherwise."""
    count = len(colours)
    some = torch.rand(count, 3, 1, 1, 1)
    order = torch.where(torch.rand(count, 1) < 0.4, torch.rand(count, 3).argsort(1), torch.arange(3))
    colours = colours.gather(1, order[:, :, None, None].expand_as(colours))
    colours = torch.where(some[:, 0] < 0.25, colours.mean(1, keepdim=True).expand_as(colours), colours)
    colours = torch.where(some[:, 1] < 0.15, 1 - colours, colours)
    gain = torch.exp(torch.randn(count, 3, 1, 1) * 0.12 + torch.randn(count, 1, 1, 1) * 0.2)
    return ((colours - 0.5) * gain + 0.5 + torch.randn(count, 1, 1, 1) * 0.08).clamp(0, 1)


def _cut_wrongly(matte: torch.Tensor) -> torch.Tensor:
    """Mattes (B,1,s,s) with an edge more or less sharp and far out; some with holes or with rests around."""
    count = len(matte)
    near = functional.max_pool2d(matte, 9, 1, 4)
    added, taken = (_patches(count) > least for least in (0.9, 1.1))
    which = torch.rand(count, 1, 1, 1)
    wrong = torch.where(which < 0.5, torch.maximum(matte, added * near), matte * ~taken)
    matte = torch.where(torch.rand(count, 1, 1, 1) < _BROKEN, wrong, matte)
    soft = functional.avg_pool2d(matte, 3, 1, 1)
    sharpness, outwards = torch.exp(torch.randn(count, 1, 1, 1) * 0.5), torch.randn(count, 1, 1, 1) * 0.08
    return ((soft - 0.5) * sharpness + 0.5 + outwards).clamp(0, 1) * (soft > 0)


def _patches(count: int) -> torch.Tensor:
    return functional.interpolate(torch.randn(count, 1, 5, 5), (SIDE, SIDE), mode="bilinear")


@torch.no_grad()
def measure(network: GarmentKind, apart: Squares) -> dict[str, str]:
    """How many of each kind are told rightly, of how many."""
    told = network(as_seen(apart.pictures)).argmax(1).numpy()
    scores = {}
    for number, kind in enumerate(KINDS):
        these = apart.kinds == number
        scores[kind] = f"{(told[these] == number).sum()} of {these.sum()}"
    return scores


def write_network(network: GarmentKind, path: Path) -> None:
    """Write the weights, in half precision."""
    with written_whole(path) as place:
        save_file({name: value.half() for name, value in network.state_dict().items()}, place)
