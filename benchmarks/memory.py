"""Peak memory of the full-size model by mode, computed from tensor shapes: ``python benchmarks/memory.py``.

The published networks are built on PyTorch's ``meta`` device and every stage is run there: nothing is
computed and nothing downloaded, but each tensor has its size and its lifetime, so the most that lives at once
can be added up. Attention counts as fused (no matrix of all pairs), as PyTorch computes it on CUDA and CPUs.
Not counted: the libraries' workspaces, the allocator's gaps and the CUDA context.

With ``--model DIR`` on a machine with a CUDA device the same modes are measured too.
"""

from __future__ import annotations

import argparse
import sys
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

ROOT = Path(__file__).resolve().parent.parent
GIB = 2**30
MODES = (("fp32", False), ("fp32", True), ("fp16", False), ("fp16", True))
DTYPES = {"fp32": torch.float32, "fp16": torch.float16}
STAGES = {
    "warp": ("tps", "refinement"),
    "words": ("vision_encoder", "inversion_adapter"),
    "text": ("text_encoder",),
    "encode": ("vae",),
    "denoise": ("unet",),
    "decode": ("vae", "emasc"),
}
"""What each stage needs on the device when parts come and go."""


class Living(TorchDispatchMode):
    """Adds up the bytes of all tensors that were made inside and still live, and keeps the peak."""

    def __init__(self, known: list[torch.Tensor]) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known = {tensor.untyped_storage()._cdata for tensor in known}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and note what it made; views share their storage and count once."""
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self._note(tensor.untyped_storage())
        return made

    def _note(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


class Fused(TorchFunctionMode):
    """Attention that needs its result's memory and no more."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Answer for fused attention; everything else goes on."""
        if func is functional.scaled_dot_product_attention:
            query, value = args[0], args[2] if len(args) > 2 else (kwargs or {})["value"]
            return query.new_empty(*query.shape[:-1], value.shape[-1])
        return func(*args, **(kwargs or {}))


def main() -> int:
    """Compute, measure where possible, and print Markdown tables."""
    sys.path.insert(0, str(ROOT))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="folder of a full-size model, to measure on a CUDA device")
    options = parser.parse_args()
    print_parts()
    print_attention()
    print("\n| precision | low memory | pictures | size | computed peak, GiB | at its most in |")
    print("|---|---|---|---|---|---|")
    for size, count in (((512, 384), 1), ((512, 384), 8), ((1024, 768), 1)):
        for precision, low in MODES:
            peak, stage = computed(precision, low, count, size)
            how = "yes" if low else "no"
            shown = f"{size[0]}x{size[1]} | {peak / GIB:.2f} | {stage}"
            print(f"| {precision} | {how} | {count} | {shown} |")
    if options.model is None or not torch.cuda.is_available():
        print("\nNothing was measured: that needs a CUDA device and --model.")
        return 0
    from benchmarks.full_size import measure, show

    for precision, low in MODES:
        for count in (1, 8):
            show(measure(options.model, "cuda", precision, low_memory=low, pictures=count, steps=4))
    return 0


@cache
def networks(precision: str) -> dict[str, Any]:
    """The published networks without weights, in a precision; the warp stays in float32."""
    from diffusers.utils import logging

    from ladi.weights.networks import PUBLISHED, build_parts

    logging.set_verbosity_error()  # or each cast comes with a line on what stays in float32
    return {name: part.to(DTYPES[precision]) for name, part in build_parts(PUBLISHED, {}).items()}


def print_parts() -> None:
    """Weights by part."""
    parts = networks("fp16")
    print("| part | weights, millions | fp32, GiB | fp16, GiB |\n|---|---|---|---|")
    counts = {name: sum(tensor.numel() for tensor in part.parameters()) for name, part in parts.items()}
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        half = weights(parts[name])
        print(f"| {name} | {count / 1e6:.1f} | {4 * count / GIB:.2f} | {half / GIB:.2f} |")
    count, half = sum(counts.values()), sum(weights(part) for part in parts.values())
    print(f"| all | {count / 1e6:.1f} | {4 * count / GIB:.2f} | {half / GIB:.2f} |")


def print_attention() -> None:
    """What slicing the UNet's attention does to its peak."""
    unet = networks.__wrapped__("fp16")["unet"]  # its own: it is changed below
    fused = peak_of(lambda: denoise_step(unet, 1, (512, 384)), unet)
    whole = peak_of(lambda: denoise_step(unet, 1, (512, 384)), unet, fused=False)
    unet.set_attention_slice("auto")
    sliced = peak_of(lambda: denoise_step(unet, 1, (512, 384)), unet, fused=False)
    print("\nOne guided step of the UNet at 512x384 in fp16, without weights, GiB by kind of attention:")
    print(f"fused {fused / GIB:.2f}, plain {whole / GIB:.2f}, sliced {sliced / GIB:.2f}.")


def computed(precision: str, low: bool, count: int, size: tuple[int, int]) -> tuple[int, str]:
    """The peak in bytes and the stage that has it."""
    parts, dtype = networks(precision), DTYPES[precision]
    vae, rows = parts["vae"], 1 if low else count
    picture = empty(1, 3, size, dtype)
    pose, mask, image = (empty(1, channels, size) for channels in (18, 1, 3))
    latents = empty(count, 4, (size[0] // 8, size[1] // 8), dtype)
    _, features = vae.encode_with_features(picture)
    # Features of person and garment are kept from encoding to decoding; the first two are one tensor.
    kept = 2 * sum(tensor.untyped_storage().nbytes() for tensor in features[1:])
    widened = [tensor.expand(rows, *tensor.shape[1:]) for tensor in features]

    def decode() -> None:
        skips = parts["emasc"](widened, mask.expand(rows, -1, -1, -1))
        vae.decode_with_skips(latents[:rows], skips)

    stages: dict[str, Callable[[], Any]] = {
        "warp": lambda: warp(parts, image, pose),
        "words": lambda: parts["inversion_adapter"](
            parts["vision_encoder"](pixel_values=empty(1, 3, (224, 224), dtype)).last_hidden_state
        ),
        "text": lambda: parts["text_encoder"](torch.zeros(1, 77, dtype=torch.long, device="meta")),
        "encode": lambda: vae.encode_with_features(picture),
        "denoise": lambda: denoise_step(parts["unet"], count, size),
        "decode": decode,
    }
    all_weights = sum(weights(part) for part in parts.values())
    peaks = {}
    for stage, run in stages.items():
        here = sum(weights(parts[name]) for name in STAGES[stage]) if low else all_weights
        known = [*widened, latents, picture, pose, mask, image]
        peaks[stage] = here + peak_of(run, *parts.values(), known=known)
        peaks[stage] += kept if stage in ("denoise", "decode") else 0
    worst = max(peaks, key=lambda stage: peaks[stage])
    return peaks[worst], worst


def warp(parts: dict[str, Any], image: torch.Tensor, pose: torch.Tensor) -> None:
    """The warping stage; the switch for autocast does not know the meta device, and is put aside."""
    from ladi.diffusion.conditioning import warp_garment

    with patch.object(torch, "autocast", lambda *_, **__: nullcontext()):
        warp_garment(parts["tps"], parts["refinement"], image, image, pose)


def denoise_step(unet: Any, count: int, size: tuple[int, int]) -> None:
    """One guided step."""
    sample = empty(2 * count, 31, (size[0] // 8, size[1] // 8), unet.dtype)
    text = torch.empty(2 * count, 77, 1024, dtype=unet.dtype, device="meta")
    unet(sample, torch.ones((), device="meta"), encoder_hidden_states=text, return_dict=False)


@torch.no_grad()
def peak_of(
    run: Callable[[], Any], *parts: Any, known: list[torch.Tensor] | None = None, fused: bool = True
) -> int:
    """The most bytes that live at once while something runs, beyond weights and what is known already."""
    weights_ = [tensor for part in parts for tensor in [*part.parameters(), *part.buffers()]]
    with Fused() if fused else nullcontext(), Living([*weights_, *(known or [])]) as living:
        run()
    return living.peak


def empty(
    count: int, channels: int, size: tuple[int, int], dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """A tensor without memory."""
    return torch.empty(count, channels, *size, dtype=dtype, device="meta")


def weights(part: Any) -> int:
    """Bytes of a network."""
    return sum(tensor.numel() * tensor.element_size() for tensor in [*part.parameters(), *part.buffers()])


if __name__ == "__main__":
    sys.exit(main())
