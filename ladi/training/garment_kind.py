"""The table and the network by which garments are told; ``python -m ladi.training.garment_kind``.

The table is a logistic regression over the numbers of ``ladi/preprocess/kind.py``. Shop garments are nearly
all tops, so trousers, skirts and dresses come from photos of garments on floors and hangers, and count as
hung in a shop as well. A tenth is kept apart. With ``--network`` the network is trained too, see
``kind_network.py``.

The crops are arrays (N,H,H,4) uint8, colours and matte, with a list of (kind, whether it is a shop's picture,
source) beside them. They are made from data that is not part of the project.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch.nn import functional

from ladi.files import write_text
from ladi.preprocess.kind import KINDS, NAMES, TURNS, describe
from ladi.training import kind_network

_HELD_OUT = 10
_ON = 127
_NONE_SHARE, _TOP_SHARE = 0.3, 4.5
"""How much what is no garment counts, and tops, where each other kind counts 1. Most who come bring tops, and
to refuse one is worse than to let a dress pass."""
_SHOP_SHARE = 0.6
"""How much shop pictures count, where photos count 1."""
_LIKE_A_SHOP = ("trousers", "skirt", "dress")
_DECAY, _UPRIGHT_DECAY = 0.01, 0.01
_HEAD = '''"""The coefficients of ``kind.py``, written by ``ladi/training/garment_kind.py``; not to be edited.

For each of the numbers by which a garment is described: what it adds to the logit of a top, trousers, a skirt
or shorts, a dress, none of these, and of hanging upright.
"""

from __future__ import annotations

'''


class Crops(NamedTuple):
    """All crops of one part, in memory."""

    pictures: list[np.ndarray]
    """(H,H,4) uint8 each."""
    kinds: np.ndarray
    """(N,) numbers into ``KINDS``."""
    shop: np.ndarray
    """(N,) bool."""


class Described(NamedTuple):
    """Crops, plain and bent, in numbers."""

    numbers: np.ndarray
    """(M,N) float32."""
    kinds: np.ndarray
    """(M,) numbers into ``KINDS``."""
    shop: np.ndarray
    """(M,) bool."""
    weights: np.ndarray
    """(M,) what each counts."""
    turned: np.ndarray
    """(M,4,N), the same garments turned to the left by ``TURNS``; nothing where the way up is unknown."""


def read_crops(folder: Path, names: Sequence[str], *, held_out: bool) -> Crops:
    """The fitted part or the tenth that is kept apart, told by a checksum of each crop's source.

    Args:
        folder: with ``NAME.npy`` and ``NAME.json``.
        names: of the sets.
        held_out: the tenth.
    """
    pictures, kinds, shop = [], [], []
    for name in names:
        stored = np.load(folder / f"{name}.npy", mmap_mode="r")
        for index, (kind, is_shop, source) in enumerate(json.loads((folder / f"{name}.json").read_text())):
            if (zlib.crc32(source.encode()) % _HELD_OUT == 0) == held_out:
                pictures.append(np.array(stored[index]))
                kinds.append(KINDS.index(kind))
                shop.append(is_shop)
    return Crops(pictures, np.array(kinds), np.array(shop, bool))


def describe_crops(crops: Crops, bends: int, rng: np.random.Generator) -> Described:
    """Each crop as it is and bent so often at random; shop pictures as they are only.

    Kinds that shops' sets lack are described once more, as if a shop showed them.
    """
    rows, turned = [], []
    for picture, kind, shop in zip(crops.pictures, crops.kinds, crops.shop, strict=True):
        views = [picture, *(bent(picture, rng) for _ in range(0 if shop else bends))]
        views = [view for view in views if (view[..., 3] > _ON).any()]
        for is_shop in {bool(shop), bool(shop) or KINDS[kind] in _LIKE_A_SHOP}:
            for view in views:
                rows.append((_described(view, 0, is_shop), kind, is_shop, 1 / len(views)))
        if KINDS[kind] != "none":
            turned += [[_described(view, turn, False) for turn in TURNS] for view in views[:2]]
    numbers, kinds, shops, weights = (np.array(column) for column in zip(*rows, strict=True))
    for shop in (False, True):
        for number, kind in enumerate(KINDS):
            these = (kinds == number) & (shops == shop)
            share = {"top": _TOP_SHARE, "none": _NONE_SHARE}.get(kind, 1.0) * (_SHOP_SHARE if shop else 1)
            weights[these] *= share / max(1e-9, weights[these].sum())
    return Described(numbers, kinds, shops, weights, np.array(turned))


def _described(picture: np.ndarray, turn: int, shop: bool) -> np.ndarray:
    picture = np.rot90(picture, turn // 90)
    return describe(picture[..., :3], picture[..., 3] > _ON, shop=shop)


def bent(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A crop (H,H,4) turned a little, stretched and bent, its matte's threshold moved."""
    side = len(picture)
    edge = side // 4
    wide = cv2.copyMakeBorder(picture, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    angle, (across, down) = np.deg2rad(rng.normal(0, 5)), np.exp(rng.normal(0, 0.06, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[across, rng.normal(0, 0.05)], [0, down]])
    places = np.stack(np.meshgrid(*[np.arange(side + 2 * edge)] * 2), -1) - side / 2 - edge  # as x, y
    waves = [cv2.resize(rng.normal(0, 0.02 * side, (4, 4)), wide.shape[:2]) for _ in range(2)]
    x, y = np.moveaxis(places @ matrix.T + side / 2 + edge, -1, 0)
    moved = cv2.remap(
        wide, (x + waves[0]).astype(np.float32), (y + waves[1]).astype(np.float32), cv2.INTER_LINEAR
    )
    blurred = cv2.blur(moved[..., 3], (int(rng.integers(1, 6)),) * 2).astype(np.float32)
    moved[..., 3] = np.clip(blurred + rng.uniform(-40, 40), 0, 255) * (blurred > 0)
    return moved


def fit(data: Described) -> tuple[np.ndarray, np.ndarray]:
    """The table (N+1,6), the constant last, by the least cross-entropy with decayed weights."""
    mean, deviation = data.numbers.mean(0), data.numbers.std(0) + 1e-4
    seen = torch.tensor((data.numbers - mean) / deviation, dtype=torch.float32)
    kinds, weights = torch.tensor(data.kinds), torch.tensor(data.weights / data.weights.sum()).float()
    table, constant = torch.zeros(seen.shape[1], len(KINDS)), torch.zeros(len(KINDS))

    def kind_loss() -> torch.Tensor:
        losses = functional.cross_entropy(seen @ table + constant, kinds, reduction="none")
        return (losses * weights).sum() + _DECAY * table.square().sum()

    _minimise(kind_loss, [table, constant])
    turned = torch.tensor((data.turned - mean) / deviation, dtype=torch.float32)  # [M,4,N]
    upright = torch.zeros(seen.shape[1])
    target = torch.zeros(len(turned), dtype=torch.long)
    _minimise(
        lambda: functional.cross_entropy(turned @ upright, target) + _UPRIGHT_DECAY * upright.square().sum(),
        [upright],
    )
    raw = table.detach().numpy() / deviation[:, None]
    last = constant.detach().numpy() - mean @ raw
    both = np.column_stack([raw, upright.detach().numpy() / deviation])
    return both, np.append(last, 0)


def _minimise(loss: Callable[[], torch.Tensor], values: list[torch.Tensor]) -> None:
    for value in values:
        value.requires_grad_()
    optimizer = torch.optim.LBFGS(values, max_iter=300, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        found = loss()
        found.backward()
        return found

    optimizer.step(closure)


def measure(data: Described, table: np.ndarray, constant: np.ndarray) -> dict[str, float]:
    """Shares of the plain crops that are told rightly: by kind, in shops and elsewhere, and the way up.

    Args:
        data: described without bends.
        table: (N,6).
        constant: (6,).
    """
    count = len(KINDS)
    told = (data.numbers @ table[:, :count] + constant[:count]).argmax(1)
    scores = {}
    for where, shop in (("shop", True), ("floor", False)):
        for number, kind in enumerate(KINDS):
            these = (data.kinds == number) & (data.shop == shop)
            if these.any():
                scores[f"{where}_{kind}"] = round(float((told[these] == number).mean()), 3)
    scores["upright"] = round(float(((data.turned @ table[:, count]).argmax(1) == 0).mean()), 3)
    return scores


def table_text(table: np.ndarray, constant: np.ndarray) -> str:
    """What ``kind_table.py`` is to say."""

    def row(values: np.ndarray) -> str:
        return ", ".join(f"{value:.2f}" for value in values + 0.0)

    lines = [f'    "{name}": ({row(values)}),' for name, values in zip(NAMES, table, strict=True)]
    body = "\n".join(lines)
    return (
        f"{_HEAD}TABLE: dict[str, tuple[float, ...]] = {{\n{body}\n}}\n"
        f"CONSTANT = ({row(constant[: len(KINDS)])})\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit the tables to crops, write them, and say how they do on the tenth that is kept apart."""
    parser = argparse.ArgumentParser(prog="python -m ladi.training.garment_kind", description=__doc__)
    parser.add_argument("--crops", type=Path, required=True, help="folder with NAME.npy and NAME.json")
    parser.add_argument("--sets", nargs="+", default=["cc0", "lower", "viton", "none"])
    parser.add_argument("--out", type=Path, required=True, help="the file that the tables go to")
    parser.add_argument("--bends", type=int, default=6, help="of each photo")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--network", type=Path, help="the file that the network's weights go to")
    parser.add_argument("--worn", nargs="+", default=["street"], help="sets that it learns before photos")
    parser.add_argument("--steps", nargs=2, type=int, default=[600, 600], help="on worn garments, on photos")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(options.seed)
    fitted, apart = (read_crops(options.crops, options.sets, held_out=held) for held in (False, True))
    table, constant = fit(describe_crops(fitted, options.bends, rng))
    write_text(options.out, table_text(table, constant))
    print(json.dumps(measure(describe_crops(apart, 0, rng), table, constant)))
    if options.network:
        worn = read_crops(options.crops, options.worn, held_out=False)
        network = kind_network.train(
            _squares(fitted, ~fitted.shop),
            _squares(worn, ~worn.shop),
            _squares(fitted, fitted.shop),
            steps=tuple(options.steps),
            seed=options.seed,
        )
        kind_network.write_network(network, options.network)
        print(json.dumps(kind_network.measure(network, _squares(apart, ~apart.shop))))
    return 0


def _squares(crops: Crops, these: np.ndarray) -> kind_network.Squares:
    pictures = [picture for picture, one in zip(crops.pictures, these, strict=True) if one]
    return kind_network.squares_of(pictures, crops.kinds[these])


if __name__ == "__main__":
    raise SystemExit(main())
