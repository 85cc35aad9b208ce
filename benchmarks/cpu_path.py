"""The pipeline against the same computation in plain library calls: ``python benchmarks/cpu_path.py``.

The plain path is how one wrote it in 2023: EMASC's features by an encoder pass of their own, a batch of two
also at guidance 1, contiguous memory. Both get the same tensors and the same random draws, take turns in one
process and must agree; what is compared is the ratio of their medians. The third column is ours with the
networks in channels-last memory, which the engine uses only if it helps here.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Measure and print a Markdown table."""
    sys.path.insert(0, str(ROOT))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="mini", help="name or folder of a model")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    options = parser.parse_args()

    from ladi.runtime.devices import Running
    from ladi.runtime.loading import load_networks

    pipeline = load_networks(options.model, Running(torch.device("cpu")))[0]
    inputs = drawn_inputs(pipeline)
    print("| guidance | plain, s | ours, s | ours channels-last, s | plain / ours | largest difference |")
    print("|---|---|---|---|---|---|")
    for guidance in (1.0, 1.5):
        how = {"steps": options.steps, "guidance": guidance}
        paths: dict[str, Callable[[], torch.Tensor]] = {
            "plain": lambda how=how: plain(pipeline, inputs, **how),
            "ours": lambda how=how: ours(pipeline, inputs, **how),
            "last": lambda how=how: ours(pipeline, inputs, **how),
        }
        seconds: dict[str, list[float]] = {name: [] for name in paths}
        pictures = {}
        for run in range(options.runs + 1):
            for name, path in paths.items():
                set_layout(pipeline, torch.channels_last if name == "last" else torch.contiguous_format)
                started = time.perf_counter()
                pictures[name] = path()
                if run:
                    seconds[name].append(time.perf_counter() - started)
        apart = float((pictures["plain"] - pictures["ours"]).abs().max())
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        times = " | ".join(f"{medians[name]:.2f}" for name in paths)
        print(f"| {guidance:g} | {times} | {medians['plain'] / medians['ours']:.2f} | {apart:.1e} |")
    return 0


def drawn_inputs(pipeline: Any) -> dict[str, torch.Tensor]:
    """A made-up person and garment at the model's size; what they show does not change the time."""
    size = (pipeline.config.height, pipeline.config.width)
    generator = torch.Generator().manual_seed(0)

    def picture(channels: int) -> torch.Tensor:
        small = torch.randn(1, channels, 8, 6, generator=generator)
        return functional.interpolate(small, size, mode="bilinear")

    mask = torch.zeros(1, 1, *size)
    mask[..., size[0] // 4 : size[0] * 3 // 4, size[1] // 4 : size[1] * 3 // 4] = 1
    return {
        "image": picture(3).tanh(),
        "mask": mask,
        "pose_map": picture(18).sigmoid(),
        "garment": picture(3).tanh(),
    }


def set_layout(pipeline: Any, layout: torch.memory_format) -> None:
    """Both convolutional networks in one memory layout."""
    for part in (pipeline.unet, pipeline.vae):
        part.to(memory_format=layout)


def ours(pipeline: Any, inputs: dict[str, torch.Tensor], *, steps: int, guidance: float) -> torch.Tensor:
    """The pipeline's own call, in [-1,1]."""
    from ladi.settings import Switches

    made = pipeline(
        **inputs,
        num_inference_steps=steps,
        guidance_scale=guidance,
        switches=Switches(garment_skips=False),  # not part of the published computation
        generator=torch.Generator().manual_seed(0),
        output_type="pt",
    )
    return made.images * 2 - 1


@torch.no_grad()
def plain(pipeline: Any, inputs: dict[str, torch.Tensor], *, steps: int, guidance: float) -> torch.Tensor:
    """The same picture, one library call after the other."""
    from ladi.diffusion.conditioning import encode_prompts, prompts_for, pseudo_words, warp_garment

    vae, unet, scheduler = pipeline.vae, pipeline.unet, pipeline.scheduler
    mask, pose = inputs["mask"], inputs["pose_map"]
    masked = inputs["image"] * (1 - mask)
    warped = warp_garment(pipeline.tps, pipeline.refinement, inputs["garment"], masked, pose).refined
    words = pseudo_words(pipeline.vision_encoder, pipeline.inversion_adapter, inputs["garment"])
    encoder, tokenizer = pipeline.text_encoder, pipeline.tokenizer
    prompt = encode_prompts(encoder, tokenizer, prompts_for(1, "upper_body"), words)
    text = torch.cat([encode_prompts(encoder, tokenizer, [""]), prompt])  # [2,T,D]

    generator = torch.Generator().manual_seed(0)
    garment = vae.encode(warped).latent_dist.sample(generator) * vae.config.scaling_factor
    latents = torch.randn(garment.shape, generator=generator) * scheduler.init_noise_sigma
    person = vae.encode(masked).latent_dist.sample(generator) * vae.config.scaling_factor
    features = vae.encode_with_features(masked)[1]

    small = garment.shape[-2:]
    mask_small = functional.interpolate(mask, small)
    pose_small = functional.interpolate(pose, small, mode="bilinear")
    scheduler.set_timesteps(steps)
    for timestep in scheduler.timesteps:
        doubled = scheduler.scale_model_input(torch.cat([latents] * 2), timestep)
        sample = torch.cat(
            [
                doubled,
                torch.cat([mask_small] * 2),
                torch.cat([person] * 2),
                torch.cat([torch.zeros_like(pose_small), pose_small]),
                torch.cat([torch.zeros_like(garment), garment]),
            ],
            dim=1,
        )
        unconditional, conditional = unet(sample, timestep, encoder_hidden_states=text).sample.chunk(2)
        noise = unconditional + guidance * (conditional - unconditional)
        latents = scheduler.step(noise, timestep, latents).prev_sample
    skips = pipeline.emasc(features, mask)
    return vae.decode_with_skips(latents / vae.config.scaling_factor, skips).clamp(-1, 1)


if __name__ == "__main__":
    sys.exit(main())
