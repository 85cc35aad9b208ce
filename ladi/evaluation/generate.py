"""Makes the pictures that ``scores/score.py`` measures: resumable, and on as many processes as there are.

Every picture is a PNG that appears whole or not at all and carries a digest of all that it depends on: the
model's files, the inputs, the settings, the seed. A picture that is there with the same digest is not made
again; one with another digest is replaced. It measures nothing but seconds.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.diffusion.samplers import make_sampler
from ladi.evaluation.pairs import Pair, Pairs, pasted
from ladi.evaluation.variants import BASELINES, GREY, WARPED, EmascKind, Variant, slug
from ladi.models.emasc import EMASC
from ladi.postprocess.png import describe_png, read_settings, save_png
from ladi.settings import picture_seed
from ladi.types import Conditions, PhotoError

LOGGER = logging.getLogger(__name__)

LIBRARIES = ("torch", "diffusers", "transformers")
"""A new version of these can change a picture."""


@dataclass(frozen=True)
class Share:
    """Which pairs a process makes: every ``of``-th, from ``process`` on."""

    process: int = 0
    of: int = 1

    def indices(self, count: int) -> range:
        """Of ``count`` pairs."""
        return range(self.process, count, self.of)


@cache
def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def fingerprint(folder: Path) -> str:
    """A digest of every file of a model's folder that makes pictures, names included."""
    total = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".json", ".safetensors", ".txt", ".bin"):
            total.update(str(path.relative_to(folder)).encode())
            with path.open("rb") as handle:
                total.update(hashlib.file_digest(handle, "sha256").digest())
    return total.hexdigest()


@dataclass(frozen=True)
class Making:
    """What all pictures of a run depend on."""

    model: str
    """From :func:`fingerprint`."""
    seed: int = 0
    """Pair i uses seed + i, in every row."""
    paste_back: bool = True
    """Original pixels outside the hard mask."""
    precision: str = "float32"

    def row_digest(self, row: str, variant: Variant | None) -> str:
        """Of all that the pictures of a row have in common; no variant for a baseline."""
        settings: dict[str, Any] = {"making": asdict(self), "row": row}
        settings["libraries"] = _versions()
        if variant is not None:
            settings["variant"] = {**asdict(variant), "name": None, "why": None}
        return hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16).hexdigest()

    def digest(self, pair: Pair, index: int, row: str, variant: Variant | None) -> str:
        """Of one picture: the row's, and its inputs and place."""
        head = f"{self.row_digest(row, variant)} {index} {pair.sample.category}"
        total = hashlib.blake2b(head.encode(), digest_size=16)
        for name in sorted(pair.inputs):
            total.update(pair.inputs[name].numpy().tobytes())
        return total.hexdigest()


def picture_path(folder: Path, row: str, pair_id: str) -> Path:
    """Where a row's picture of a pair lies."""
    return folder / slug(row) / f"{pair_id}.png"


def made(path: Path) -> dict[str, Any]:
    """What a picture of ours says of itself: ``digest``, ``run`` (its row's), ``seconds``; else nothing."""
    try:
        return read_settings(path) if path.is_file() else {}
    except PhotoError:
        return {}


class Generator:
    """Pictures of several rows over the same pairs.

    Args:
        pipeline: the model.
        making: what its pictures depend on.
        folder: gets one folder per row.
        emascs: EMASCs of another kind than the pipeline's own, for the rows that ask for them.
    """

    def __init__(
        self,
        pipeline: LadiVtonPipeline,
        making: Making,
        folder: Path,
        emascs: Mapping[EmascKind, EMASC] | None = None,
    ) -> None:
        self.making, self.folder = making, folder
        self.pipeline, self.emascs = pipeline, emascs or {}

    def pipeline_for(self, variant: Variant) -> LadiVtonPipeline:
        """The model with the row's own EMASC and sampler; cheap, as all other parts are shared."""
        changed: dict[str, Any] = {"scheduler": make_sampler(variant.sampler, self.pipeline.scheduler)}
        if variant.emasc is not None:
            changed["emasc"] = self.emascs[variant.emasc]
        config: Any = self.pipeline.config
        kept = ("default_steps", "default_guidance", "height", "width", "garment_matte")
        settings = {name: config[name] for name in kept}
        pipeline = LadiVtonPipeline(**{**self.pipeline.components, **changed}, **settings)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def missing(self, pair: Pair, index: int, variants: Sequence[Variant]) -> dict[str, str]:
        """Rows whose picture of this pair must be made, with the digest that it will carry."""
        rows: list[tuple[str, Variant | None]] = [(name, None) for name in BASELINES]
        rows += [(variant.name, variant) for variant in variants if variant.why is None]
        wanted = {row: self.making.digest(pair, index, row, variant) for row, variant in rows}
        return {
            row: digest
            for row, digest in wanted.items()
            if made(picture_path(self.folder, row, pair.id)).get("digest") != digest
        }

    @torch.no_grad()
    def make(self, members: Sequence[tuple[int, Pair]], variants: Sequence[Variant]) -> int:
        """Makes what is missing of some pairs, in one batch per row; returns how many pictures."""
        missing = {index: self.missing(pair, index, variants) for index, pair in members}
        members = [(index, pair) for index, pair in members if missing[index]]
        if not members:
            return 0
        batch: dict[str, Any] = {
            name: torch.cat([pair.inputs[name] for _, pair in members]) for name in members[0][1].inputs
        }
        conditions = self.pipeline.encode_conditions(
            **batch, category=[pair.sample.category for _, pair in members]
        )
        assert conditions.warped_garment is not None
        flat = {GREY: torch.zeros_like(batch["image"]), WARPED: conditions.warped_garment}
        for row, pictures in flat.items():
            self._save(row, pictures, members, missing, run=self.making.row_digest(row, None), seconds=None)
        for variant in variants:
            if any(variant.name in rows for rows in missing.values()):
                pictures, seconds = self._sample(variant, conditions, [index for index, _ in members])
                run = self.making.row_digest(variant.name, variant)
                self._save(variant.name, pictures, members, missing, run=run, seconds=seconds)
        return sum(len(rows) for rows in missing.values())

    def _sample(
        self, variant: Variant, conditions: Conditions, indices: Sequence[int]
    ) -> tuple[torch.Tensor, float]:
        """Pictures (B,3,H,W) in [-1,1], and the seconds that each took."""
        started = time.perf_counter()
        images, _ = self.pipeline_for(variant)(
            conditions=conditions,
            switches=variant.switches,
            num_inference_steps=variant.steps,
            guidance_scale=variant.guidance,
            # On the CPU, one for each, so that no picture depends on its batch or its device.
            generator=[
                torch.Generator().manual_seed(picture_seed(self.making.seed, index)) for index in indices
            ],
            output_type="pt",
            return_dict=False,
        )
        pictures = images.float().cpu() * 2 - 1
        return pictures, (time.perf_counter() - started) / len(indices)

    def _save(
        self,
        row: str,
        pictures: torch.Tensor,
        members: Sequence[tuple[int, Pair]],
        missing: Mapping[int, Mapping[str, str]],
        *,
        run: str,
        seconds: float | None,
    ) -> None:
        """Writes those pictures of a batch that are missing."""
        for picture, (index, pair) in zip(pictures, members, strict=True):
            if row not in missing[index]:
                continue
            whole = pasted(picture[None], pair) if self.making.paste_back else unpasted(picture)
            record = {
                "digest": missing[index][row],
                "run": run,
                "row": row,
                "seed": picture_seed(self.making.seed, index),
            }
            path = picture_path(self.folder, row, pair.id)
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = (whole * 255).round().astype(np.uint8)
            save_png(pixels, path, describe_png({**record, "seconds": seconds}))


def unpasted(picture: torch.Tensor) -> np.ndarray:
    """The network's picture itself, (3,H,W) in [-1,1] → (H,W,3) in [0,1]."""
    return ((picture.float().cpu().clamp(-1, 1).movedim(0, -1) + 1) / 2).numpy()


def generate(
    generator: Generator,
    pairs: Pairs,
    variants: Sequence[Variant],
    *,
    extra_variants: Sequence[Variant] = (),
    extra_pairs: int = 0,
    share: Share | None = None,
    batch_size: int = 1,
) -> int:
    """Makes a process's share of the pictures.

    Args:
        generator: makes them.
        pairs: all pairs of the run.
        variants: rows that every pair gets.
        extra_variants: rows, such as the ablation's, for the first ``extra_pairs`` only.
        extra_pairs: how many.
        share: this process's; all pairs if none.
        batch_size: pairs that go through the networks together.

    Returns:
        How many pictures were made; those already there do not count.
    """
    indices = (share or Share()).indices(len(pairs))
    total = 0
    for start in range(0, len(indices), batch_size):
        members = [(index, pairs[index]) for index in indices[start : start + batch_size]]
        few = [member for member in members if member[0] < extra_pairs]
        rest = [member for member in members if member[0] >= extra_pairs]
        total += generator.make(few, [*variants, *extra_variants]) if few else 0
        total += generator.make(rest, variants) if rest else 0
        done = start + len(members)
        if done % 10 < len(members) or done == len(indices):
            LOGGER.info("%d of %d pairs of this process have their pictures", done, len(indices))
    return total
