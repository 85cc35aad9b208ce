"""The classifier of garments, trained on crops around garments; ``python -m ladi.training.garment_kind``.

Shop garments are nearly all tops, so trousers, skirts and dresses come from photos of garments on floors and
hangers, and from worn ones, cut out by their labels. Any garment with a trusted matte is put before other
backgrounds, so that nothing can be learnt from the wall that it hangs on. A tenth of each kind is kept apart.

The crops are arrays (N,H,H,4) uint8, colours and matte, with a list of (kind, whether the way up is
known, source) beside them. They are made from data that is not part of the project.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch.nn import functional

from ladi.files import folder_written_whole
from ladi.models.kind import KINDS, TURNS, GarmentKind
from ladi.training.samples.augment import moving_grid

LOGGER = logging.getLogger(__name__)

SHARES = {"top": 0.24, "trousers": 0.2, "skirt": 0.2, "dress": 0.2, "none": 0.16}
"""Of a batch."""
TRUSTED = ("viton", "street")
"""Sets whose mattes are labels; the others' are what the matting network found."""
_TURN_WEIGHT = 0.3
_HELD_OUT = 10


@dataclass(frozen=True)
class Crops:
    """All crops of one part, in memory."""

    pictures: torch.Tensor
    """(N,4,H,H) uint8."""
    kinds: np.ndarray
    """(N,) numbers into ``KINDS``; -1 for a mere texture."""
    upright: np.ndarray
    """(N,) bool, the way up is known."""
    sets: np.ndarray
    """(N,) names."""


def read_crops(folder: Path, names: Sequence[str], *, held_out: bool) -> Crops:
    """The training part or the tenth that is kept apart, told by a checksum of each crop's source.

    Args:
        folder: with ``NAME.npy`` and ``NAME.json``.
        names: of the sets.
        held_out: the tenth.
    """
    pictures, kinds, upright, sets = [], [], [], []
    for name in names:
        told = json.loads((folder / f"{name}.json").read_text("utf-8"))
        apart = np.array([zlib.crc32(source.encode()) % _HELD_OUT == 0 for _, _, source in told])
        chosen = np.flatnonzero(apart == held_out)
        stored = np.load(folder / f"{name}.npy", mmap_mode="r")
        pictures.append(torch.from_numpy(stored[chosen]).movedim(-1, 1).contiguous())
        kinds += [KINDS.index(told[index][0]) if told[index][0] in KINDS else -1 for index in chosen]
        upright += [told[index][1] for index in chosen]
        sets += [name] * len(chosen)
    return Crops(torch.cat(pictures), np.array(kinds), np.array(upright), np.array(sets))


def draw_batch(
    crops: Crops, count: int, rng: np.random.Generator, side: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A batch with all kinds: pictures (B,4,S,S), kinds (B,) and turns (B,), -1 where unknown."""
    indices = np.concatenate(
        [_draw_kind(crops, KINDS.index(kind), round(share * count), rng) for kind, share in SHARES.items()]
    )
    moved, turns = _moved(crops.pictures[indices].float(), rng, side)
    colours, matte = moved[:, :3] / 127.5 - 1, moved[:, 3:] / 255
    garment = torch.from_numpy((crops.kinds[indices] != KINDS.index("none")) & (crops.kinds[indices] >= 0))
    trusted = torch.from_numpy(np.isin(crops.sets[indices], TRUSTED))
    chance = torch.where(trusted, 0.85, 0.4) * garment
    worn = torch.from_numpy(crops.sets[indices] == "street") & garment
    replaced = (torch.from_numpy(rng.random(len(indices))) < chance) | worn
    colours = torch.where(replaced[:, None, None, None], _elsewhere(crops, colours, matte, rng), colours)
    gain = torch.from_numpy(rng.uniform(0.7, 1.25, (len(indices), 3, 1, 1)).astype(np.float32))
    offset = torch.from_numpy(rng.uniform(-0.25, 0.2, (len(indices), 1, 1, 1)).astype(np.float32))
    colours = (colours * gain + offset).clamp(-1, 1)
    colours = colours + torch.randn(colours.shape) * rng.uniform(0, 0.08)
    kinds = np.where(crops.kinds[indices] < 0, KINDS.index("none"), crops.kinds[indices])
    known = torch.where(torch.from_numpy(crops.upright[indices]) & garment, turns, -1)
    return torch.cat([colours, _roughened(matte, rng)], 1), torch.from_numpy(kinds), known


def _draw_kind(crops: Crops, kind: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Crops of one kind, from each set that has it about equally often; worn ones half as often."""
    wanted = np.isin(crops.kinds, (kind, -1)) if KINDS[kind] == "none" else crops.kinds == kind
    names = np.unique(crops.sets[wanted])
    weights = np.where((names == "street") & (KINDS[kind] != "none"), 0.5, 1.0)
    chosen = rng.choice(names, count, p=weights / weights.sum())
    sets = {name: np.flatnonzero(wanted & (crops.sets == name)) for name in names}
    return np.array([rng.choice(sets[name]) for name in chosen])


def _elsewhere(
    crops: Crops, colours: torch.Tensor, matte: torch.Tensor, rng: np.random.Generator
) -> torch.Tensor:
    """The garments before white, one colour, or a piece of a photo."""
    count = len(colours)
    plain = torch.from_numpy(rng.uniform(-1, 1, (count, 3, 1, 1)).astype(np.float32))
    white = torch.from_numpy(rng.uniform(0.85, 1, (count, 1, 1, 1)).astype(np.float32)).expand_as(plain)
    textures = np.flatnonzero(crops.kinds == -1)
    side = colours.shape[-1]
    corner = int(rng.integers(crops.pictures.shape[-1] - side + 1))
    part = slice(corner, corner + side)
    photos = crops.pictures[rng.choice(textures, count), :3, part, part].float() / 127.5 - 1
    which = torch.from_numpy(rng.random(count))[:, None, None, None]
    background = torch.where(which < 0.4, white, torch.where(which < 0.55, plain, photos))
    return colours * matte + background * (1 - matte)


def _roughened(matte: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Mattes as a network finds them: soft, sometimes with a corner missing, sometimes nothing at all."""
    soft = functional.avg_pool2d(matte, 5, 1, 2)
    factor = torch.from_numpy(rng.uniform(0.6, 6, (len(matte), 1, 1, 1)).astype(np.float32))
    rough = ((soft - 0.5) * factor + 0.5).clamp(0, 1)
    holes = torch.from_numpy(rng.random((len(matte), 1, 6, 6)).astype(np.float32))
    broken = torch.from_numpy(rng.random((len(matte), 1, 1, 1))) < 0.25
    kept = functional.interpolate((holes > 0.12).float(), matte.shape[-2:], mode="bilinear")
    return torch.where(broken, rough * kept, rough)


def _moved(pictures: torch.Tensor, rng: np.random.Generator, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Scaled, shifted, mirrored, slanted a little, and one in four turned by a quarter or two."""
    count = len(pictures)
    scale = rng.uniform(0.72, 1.05, count)
    turns = np.where(rng.random(count) < 0.3, rng.integers(1, len(TURNS), count), 0)
    angle = np.deg2rad(rng.normal(0, 6.0, count) + 90 * turns)
    mirror = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    stretch = rng.uniform(0.88, 1.14, count)
    shift = rng.uniform(-0.08, 0.08, (count, 2))
    # Turned to the left means looking up a picture turned to the right.
    scales = np.stack([scale, scale * stretch], axis=1)
    grid = moving_grid(angle, scales, scales, mirror, shift, (side, side))
    moved = functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    return moved, torch.from_numpy(turns)


def centred(pictures: torch.Tensor, side: int) -> torch.Tensor:
    """Crops (N,4,H,H) uint8 as they are at use, without their margins: (N,4,S,S)."""
    edge = round(pictures.shape[-1] * 0.1)
    inner = pictures[..., edge:-edge, edge:-edge].float()
    small = functional.interpolate(inner, (side, side), mode="bilinear", antialias=True)
    return torch.cat([small[:, :3] / 127.5 - 1, small[:, 3:] / 255], 1)


@torch.no_grad()
def validate(network: GarmentKind, crops: Crops) -> dict[str, float]:
    """Shares that are right: by kind for each set, and the turns of those whose way up is known."""
    network.eval()
    shown = centred(crops.pictures, network.config.side)
    kinds, turns = (
        torch.cat(parts) for parts in zip(*(network(part) for part in shown.split(256)), strict=True)
    )
    told = kinds.argmax(1).numpy()
    scores = {}
    for name in np.unique(crops.sets):
        for number, kind in enumerate(KINDS):
            these = (crops.sets == name) & (crops.kinds == number)
            if these.any():
                scores[f"{name}_{kind}"] = float((told[these] == number).mean())
    known = crops.upright & (crops.kinds >= 0)
    scores["upright"] = float((turns.argmax(1).numpy()[known] == 0).mean())
    return scores


def train(
    network: GarmentKind,
    crops: Crops,
    apart: Crops,
    *,
    minutes: float,
    rate: float,
    seed: int,
    batch: int,
) -> GarmentKind:
    """Train for so long, the rate falling to nothing; gives back the average of the weights."""
    network.train().to(memory_format=torch.channels_last)
    rng, began, step = np.random.default_rng(seed), time.monotonic(), 0
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02)
    averaged = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99), use_buffers=True
    )
    while (done := (time.monotonic() - began) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, step / 100 + 0.01) * 0.5 * (1 + np.cos(np.pi * done))
        pictures, kinds, turns = draw_batch(crops, batch, rng, network.config.side)
        with torch.autocast("cpu", torch.bfloat16):
            kind_logits, turn_logits = network(pictures.contiguous(memory_format=torch.channels_last))
        loss = functional.cross_entropy(kind_logits.float(), kinds, label_smoothing=0.05)
        loss = loss + _TURN_WEIGHT * functional.cross_entropy(turn_logits.float(), turns, ignore_index=-1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        averaged.update_parameters(network)
        step += 1
        if step % 100 == 0:
            LOGGER.info("step %d, %.0f %%: loss %.3f", step, 100 * done, loss.item())
    trained = cast(GarmentKind, averaged.module)
    LOGGER.info("%d steps: %s", step, json.dumps(validate(trained, apart)))
    return trained


def main(arguments: Sequence[str] | None = None) -> int:
    """Train from crops and write the network, in half precision."""
    parser = argparse.ArgumentParser(prog="python -m ladi.training.garment_kind", description=__doc__)
    parser.add_argument("--crops", type=Path, required=True, help="folder with NAME.npy and NAME.json")
    parser.add_argument("--sets", nargs="+", default=["viton", "cc0", "street", "people"])
    parser.add_argument("--out", type=Path, required=True, help="folder for the network")
    parser.add_argument("--init", type=Path, help="a network to go on from")
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.manual_seed(options.seed)
    network = GarmentKind() if options.init is None else GarmentKind.from_pretrained(options.init).float()
    crops, apart = (read_crops(options.crops, options.sets, held_out=held) for held in (False, True))
    trained = train(
        network,
        crops,
        apart,
        minutes=options.minutes,
        rate=options.rate,
        seed=options.seed,
        batch=options.batch,
    )
    with folder_written_whole(options.out) as draft:
        trained.half().save_pretrained(draft)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
