"""Runs a model over a validation split and scores it, with the baselines and the ablation beside it.

The protocol is fixed here and printed with every table: pictures at the model's size; masks by the published
    rule from the split's labels and joints; original pixels outside the hard mask for every row alike; one
    seed per pair, the same in every row. Paired order has a truth to measure against; unpaired order has
    none, and only pictures come of it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image

from ladi.data.sample import Sample
from ladi.data.shards import read_shards
from ladi.evaluation.metrics import METRICS, bootstrap_interval
from ladi.pipeline import LadiVtonPipeline
from ladi.preprocess.frame import to_tensor
from ladi.preprocess.mask import inpaint_mask
from ladi.preprocess.pose import pose_map
from ladi.types import Conditions, LadiError, Switches

LOGGER = logging.getLogger(__name__)

Order = Literal["paired", "unpaired"]


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    name: str
    switches: Switches = field(default_factory=Switches)
    steps: int | None = None
    guidance: float | None = None


def ablation(full: Variant) -> list[Variant]:
    """The paper's ablation, and other numbers of steps, around the full method."""
    return [
        full,
        replace(full, name="no EMASC", switches=Switches(emasc=False)),
        replace(full, name="no pseudo-words", switches=Switches(pseudo_words=False)),
        replace(full, name="no warped garment", switches=Switches(warped_garment=False)),
        replace(full, name="no pose", switches=Switches(pose=False)),
        replace(full, name="no garment skips", switches=Switches(garment_skips=False)),
        *(replace(full, name=f"{steps} steps", steps=steps) for steps in (4, 8, 20, 50)),
    ]


@dataclass(frozen=True)
class Pair:
    """A person, a garment and the mask, as tensors at the model's size."""

    id: str
    inputs: dict[str, Any]
    """``image``, ``mask``, ``pose_map``, ``garment``, each with a batch axis of 1."""


def pairs(samples: list[Sample], order: Order) -> Iterator[Pair]:
    """Person and garment of each sample; unpaired, every person gets the garment of the next sample."""
    for index, sample in enumerate(samples):
        garment = sample if order == "paired" else samples[(index + 1) % len(samples)]
        mask = inpaint_mask(sample.labels, sample.keypoints, category=sample.category, scheme=sample.scheme)
        size = (sample.image.shape[0], sample.image.shape[1])
        yield Pair(
            id=sample.id if order == "paired" else f"{sample.id}_{garment.id}",
            inputs={
                "image": to_tensor(sample.image),
                "mask": torch.from_numpy(mask.astype(np.float32))[None, None],
                "pose_map": pose_map(sample.keypoints, size),
                "garment": to_tensor(garment.garment),
            },
        )


def pasted(picture: torch.Tensor, pair: Pair) -> np.ndarray:
    """A picture (1,3,H,W) in [-1,1] inside the hard mask, the photo outside: (H,W,3) in [0,1]."""
    mask, image = pair.inputs["mask"], pair.inputs["image"]
    whole = torch.where(mask > 0.5, picture.float().cpu().clamp(-1, 1), image)
    return ((whole[0].movedim(0, -1) + 1) / 2).numpy()


class Evaluation:
    """Pictures and scores of several variants over the same pairs.

    Args:
        pipeline: the model.
        order: ``paired`` is scored, ``unpaired`` is only pictured.
        seed: pair i uses seed + i in every row.
    """

    def __init__(self, pipeline: LadiVtonPipeline, order: Order, seed: int = 0) -> None:
        self.pipeline, self.order, self.seed = pipeline, order, seed
        self.scores: dict[str, dict[str, list[float]]] = {}
        self.seconds: dict[str, float] = {}
        pipeline.set_progress_bar_config(disable=True)

    def score(self, row: str, picture: np.ndarray, pair: Pair) -> None:
        """Adds one pair's metrics to a row, if there is a truth."""
        if self.order != "paired":
            return
        truth = ((pair.inputs["image"][0].movedim(0, -1) + 1) / 2).numpy()
        mask = pair.inputs["mask"][0, 0].numpy() > 0.5
        for name, metric in METRICS.items():
            self.scores.setdefault(row, {}).setdefault(name, []).append(metric(picture, truth, mask))

    def sample(self, variant: Variant, conditions: Conditions, index: int, pair: Pair) -> np.ndarray:
        """One picture of a variant, pasted: (H,W,3) in [0,1]."""
        started = time.perf_counter()
        images, _ = self.pipeline(
            conditions=conditions,
            switches=variant.switches,
            num_inference_steps=variant.steps,
            guidance_scale=variant.guidance,
            generator=torch.Generator().manual_seed(self.seed + index),
            output_type="pt",
            return_dict=False,
        )
        self.seconds[variant.name] = self.seconds.get(variant.name, 0.0) + time.perf_counter() - started
        return pasted(images * 2 - 1, pair)

    def run(self, pair: Pair, index: int, variants: list[Variant]) -> dict[str, np.ndarray]:
        """All rows of one pair; conditions are computed once and shared."""
        with torch.no_grad():
            conditions = self.pipeline.encode_conditions(**pair.inputs)
        assert conditions.warped_garment is not None
        grey = torch.zeros_like(pair.inputs["image"])
        pictures = {
            "grey": pasted(grey, pair),
            "warped garment pasted": pasted(conditions.warped_garment, pair),
        }
        for variant in variants:
            pictures[variant.name] = self.sample(variant, conditions, index, pair)
        for name, picture in pictures.items():
            self.score(name, picture, pair)
        return pictures

    def table(self) -> list[dict[str, Any]]:
        """One row per variant: means over pairs, 95 % intervals, seconds per sampling."""
        rows = []
        for name, metrics in self.scores.items():
            row: dict[str, Any] = {"row": name}
            for metric, values in metrics.items():
                array = np.array(values)
                row[metric] = float(array.mean())
                row[f"{metric}_interval"] = bootstrap_interval(array)
            if name in self.seconds:
                row["seconds"] = self.seconds[name] / len(next(iter(metrics.values())))
            rows.append(row)
        return rows


def print_table(rows: list[dict[str, Any]]) -> str:
    """The table as Markdown."""
    lines = ["| | SSIM | error inside the mask | seconds |", "|---|---|---|---|"]
    for row in rows:
        values = [
            f"{row[name]:.3f} ({row[f'{name}_interval'][0]:.3f}–{row[f'{name}_interval'][1]:.3f})"
            for name in METRICS
        ]
        seconds = f"{row['seconds']:.2f}" if "seconds" in row else "–"
        lines.append(f"| {row['row']} | {values[0]} | {values[1]} | {seconds} |")
    return "\n".join(lines)


def evaluate(
    model: Path,
    data: Path,
    out: Path,
    *,
    split: str = "val",
    order: Order = "paired",
    with_ablation: bool = False,
    full: Variant | None = None,
    seed: int = 0,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Evaluates a model folder on a split of shards.

    Args:
        model: folder that ``LadiVtonPipeline.from_pretrained`` reads.
        data: folder with the shards.
        out: gets ``table.json``, ``table.md`` and the pictures of the full method.
        split: of the shards.
        order: ``paired`` or ``unpaired``.
        with_ablation: also every row of the ablation.
        full: steps and guidance of the full method; the model's own by default.
        seed: of the first pair.
        limit: only so many pairs.

    Returns:
        The table's rows; none for unpaired order.
    """
    pipeline = LadiVtonPipeline.from_pretrained(model)
    config: Any = pipeline.config
    if torch.cuda.is_available():
        pipeline.to("cuda")
    full = full or Variant("full")
    full = replace(
        full,
        steps=full.steps if full.steps is not None else config.default_steps,
        guidance=full.guidance if full.guidance is not None else config.default_guidance,
    )
    variants = ablation(full) if with_ablation else [full]
    samples = list(read_shards(data, split, (config.height, config.width)))[:limit]
    if not samples:
        raise LadiError(f"no pairs to evaluate in {data}: --limit must be at least 1")
    evaluation = Evaluation(pipeline, order, seed)
    pictures = out / order
    pictures.mkdir(parents=True, exist_ok=True)
    for index, pair in enumerate(pairs(samples, order)):
        rows = evaluation.run(pair, index, variants)
        Image.fromarray((rows[full.name] * 255).round().astype(np.uint8)).save(pictures / f"{pair.id}.png")
        if (index + 1) % 10 == 0:
            LOGGER.info("%d of %d pairs", index + 1, len(samples))
    table = evaluation.table()
    protocol = {
        "model": str(model),
        "split": split,
        "order": order,
        "pairs": len(samples),
        "size": [config.height, config.width],
        "masks": "published rule, from the split's labels and joints",
        "outside the mask": "original pixels, hard edge, in every row",
        "ssim": "scikit-image, RGB, Gaussian weights, sigma 1.5, data range 1, mean over pairs",
        "masked_error": "absolute difference over the mask's pixels and channels in [0,1], mean over pairs",
        "sampler": type(pipeline.scheduler).__name__,
        "steps": full.steps,
        "guidance": full.guidance,
        "seed": f"{seed} + index of the pair",
    }
    (out / f"table-{order}.json").write_text(json.dumps({"protocol": protocol, "rows": table}, indent=2))
    text = (
        "\n".join(f"- {key}: {value}" for key, value in protocol.items()) + "\n\n" + print_table(table) + "\n"
    )
    (out / f"table-{order}.md").write_text(text)
    return table
