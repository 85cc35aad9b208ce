"""What frozen networks say of every pair, computed once instead of in every epoch.

Garment features spare stages 3 and 4 the vision encoder, warped garments spare stage 4 the warp and the
refinement. The files are derived: they can be deleted at any time, and are made anew when the weights or the
data that they come from have changed.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ladi.data.sample import PairDataset
from ladi.diffusion.conditioning import garment_features, warp_garment
from ladi.files import write_json
from ladi.models.refinement import RefinementUNet
from ladi.models.tps import ThinPlateSplineWarp
from ladi.training.loop.stage import Batch
from ladi.training.samples.cache import Cache
from ladi.training.samples.pairs import all_pairs, pictures
from ladi.types import Size

LOGGER = logging.getLogger(__name__)

Compute = Callable[[Batch], torch.Tensor]
"""What ``pictures`` gives, on the device → (B,…), in the type that is stored."""


def open_store(folder: Path, samples: PairDataset) -> Cache:
    """The store of a data set; empty where it was made for other pairs.

    Args:
        folder: where it lies.
        samples: whose.
    """
    pairs = [f"{person} {garment}" for person, garment in zip(samples.ids, samples.garment_ids, strict=True)]
    listed = folder / "train" / "ids.json"
    if not listed.is_file() or json.loads(listed.read_text()) != pairs:
        listed.parent.mkdir(parents=True, exist_ok=True)
        for path in listed.parent.glob("*.npy"):
            path.unlink()
        write_json(listed, pairs)
    return Cache(folder, "train")


def store_features(
    store: Cache, samples: PairDataset, vision_encoder: nn.Module, *, device: torch.device, workers: int
) -> None:
    """Adds ``garment_features`` (N,tokens,width) float16, unless they are there."""

    def compute(read: Batch) -> torch.Tensor:
        return garment_features(vision_encoder, read["garment"]).half()

    _store(store, samples, "garment_features", {"vision": vision_encoder}, compute, device, workers)


def store_warped(
    store: Cache,
    samples: PairDataset,
    tps: ThinPlateSplineWarp,
    refinement: RefinementUNet,
    *,
    device: torch.device,
    workers: int,
) -> None:
    """Adds ``warped`` (N,H,W,3) uint8, the refined garments, unless they are there."""

    def compute(read: Batch) -> torch.Tensor:
        warp = warp_garment(tps, refinement, read["garment"], read["masked"], read["pose_map"])
        return ((warp.refined + 1) * 127.5).round().byte().movedim(1, -1)

    _store(store, samples, "warped", {"tps": tps, "refinement": refinement}, compute, device, workers)


def fingerprint(modules: Mapping[str, nn.Module], size: Size) -> str:
    """A digest of weights and picture size, by which results are known to be theirs."""
    digest = hashlib.sha256(repr((size, sorted(modules))).encode())
    for name in sorted(modules):
        for key, value in modules[name].state_dict().items():
            digest.update(key.encode())
            digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


@torch.no_grad()
def _store(
    store: Cache,
    samples: PairDataset,
    name: str,
    modules: Mapping[str, nn.Module],
    compute: Compute,
    device: torch.device,
    workers: int,
) -> None:
    first = samples[0].image.shape
    made_by, record = fingerprint(modules, (first[0], first[1])), store.folder / f"{name}.json"
    if name in store and record.is_file() and json.loads(record.read_text()) == made_by:
        return
    store.discard(name)
    LOGGER.info("computing %s of %d pairs, once", name, len(samples))
    for module in modules.values():
        module.to(device).eval()

    def parts() -> Iterator[np.ndarray]:
        for batch in all_pairs(samples, workers):
            read = pictures({key: value.to(device) for key, value in batch.items()})
            yield compute(read).cpu().numpy()

    arrays = parts()
    head = next(arrays)

    def again() -> Iterator[np.ndarray]:
        yield head
        yield from arrays

    store.add(name, again(), head.shape[1:], str(head.dtype))
    write_json(record, made_by)
