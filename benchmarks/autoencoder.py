"""How much the autoencoder alone loses: the true photo's latent, decoded, with no diffusion in between.

``python -m benchmarks.autoencoder --data FOLDER [--model mini] [--vae CHECKPOINT] [--limit 60]``

"Inside the mask" as in ``python -m ladi evaluate``: the mask follows the published rule from the data's
labels and joints; inside it stands the decoded picture, clipped to its range, outside the photo. The error is
the mean absolute difference over the mask's pixels and channels in [0,1]; SSIM and LPIPS look at the whole
picture so composed. The latent is the distribution's mean, unless ``--draw`` draws it as a sampling does.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ladi.data.opening import open_dataset
from ladi.evaluation.pairs import Pair, Pairs, pasted
from ladi.evaluation.scores.metrics import bootstrap_interval, masked_error, ssim
from ladi.evaluation.scores.networks import NotComputed, lpips
from ladi.models.vae import EmascAutoencoderKL, sample_moments
from ladi.runtime.devices import choose_running
from ladi.runtime.loading import load_networks

Decode = Callable[[Pair, torch.Tensor], torch.Tensor]
"""A pair and its photo's latent (1,L,h,w), unscaled → picture (1,3,H,W)."""


def ways(vae: EmascAutoencoderKL, pipeline: Any | None) -> dict[str, Decode]:
    """Name → a way of decoding; those that need the model's other parts only with a pipeline."""

    def plain(pair: Pair, latent: torch.Tensor) -> torch.Tensor:
        return vae.decode_with_skips(latent)

    if pipeline is None:
        return {"plain": plain}

    def with_emasc(pair: Pair, latent: torch.Tensor, *, garment: bool = False) -> torch.Tensor:
        image, mask = pair.inputs["image"], pair.inputs["mask"]
        _, person = vae.encode_with_features(image * (1 - mask))
        adapt = None
        if garment:
            _, features = vae.encode_with_features(image)
            adapt = partial(pipeline.garment_skips, features, mask)
        return vae.decode_with_skips(latent, pipeline.emasc(person, mask), adapt)

    found: dict[str, Decode] = {"plain": plain, "with EMASC": with_emasc}
    if pipeline.garment_skips is not None:
        found["with EMASC, garment skips fed by the photo"] = partial(with_emasc, garment=True)
    return found


def scorers() -> tuple[dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], float]], dict[str, str]]:
    """Label → score of picture, truth and mask; and label → why there is none."""
    found: dict[str, Any] = {"error": masked_error, "SSIM": lambda one, other, mask: ssim(one, other)}
    why = {}
    for name, label in (("alex", "LPIPS (AlexNet)"), ("vgg", "LPIPS (VGG)")):
        try:
            distance = lpips(name, torch.device("cpu"))  # type: ignore[arg-type]
        except NotComputed as reason:
            why[label] = str(reason)
        else:
            found[label] = lambda one, other, mask, distance=distance: distance(one, other)
    return found, why


@torch.no_grad()
def measure(pairs: Pairs, vae: EmascAutoencoderKL, pipeline: Any | None, *, draw: bool) -> str:
    """A Markdown table: one line per way of decoding, means with their intervals over the pairs."""
    decoders, (scores, why) = ways(vae, pipeline), scorers()
    values: dict[str, dict[str, list[float]]] = {way: {label: [] for label in scores} for way in decoders}
    seconds: dict[str, float] = dict.fromkeys(decoders, 0.0)
    for index, pair in enumerate(pairs):
        moments, _ = vae.encode_with_features(pair.inputs["image"])
        latent = moments.chunk(2, dim=1)[0]
        if draw:
            generator = torch.Generator().manual_seed(index)
            latent = sample_moments(moments, torch.randn(latent.shape, generator=generator))
        truth = pair.truth.astype(np.float32) / 255
        for way, decode in decoders.items():
            started = time.perf_counter()
            picture = decode(pair, latent)
            seconds[way] += time.perf_counter() - started
            whole = pasted(picture, pair)
            for label, score in scores.items():
                values[way][label].append(score(whole, truth, pair.mask))
    lines = [f"| {len(pairs)} pairs | {' | '.join(scores)} | seconds |", "|---" * (len(scores) + 2) + "|"]
    for way, found in values.items():
        cells = []
        for numbers in found.values():
            low, high = bootstrap_interval(np.array(numbers))
            cells.append(f"{np.mean(numbers):.3f} ({low:.3f}–{high:.3f})")
        lines.append(f"| {way} | {' | '.join(cells)} | {seconds[way] / len(pairs):.2f} |")
    lines += [f"{label} not computed: {reason}" for label, reason in why.items()]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of shards, VITON-HD or Dress Code")
    parser.add_argument("--split", default="val")
    parser.add_argument("--model", default="mini", help="gives the size, and the autoencoder unless --vae")
    parser.add_argument("--vae", type=Path, metavar="DIR", help="a saved autoencoder, decoded plainly")
    parser.add_argument("--limit", type=int, help="only so many pairs, from the first")
    parser.add_argument("--draw", action="store_true", help="draw the latent instead of taking its mean")
    options = parser.parse_args()
    pipeline: Any = load_networks(options.model, choose_running("cpu", "fp32"))[0]
    size = (pipeline.config.height, pipeline.config.width)
    samples = open_dataset(options.data, options.split, order="paired", size=size, categories=None)
    pairs = Pairs(samples, "paired", limit=options.limit)
    vae = pipeline.vae
    if options.vae is not None:
        vae, pipeline = EmascAutoencoderKL.from_pretrained(options.vae).eval(), None
    print(measure(pairs, vae, pipeline, draw=options.draw))


if __name__ == "__main__":
    main()
