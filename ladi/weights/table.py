"""The one table of every file that a full-size model is made of.

It says where each file comes from, under which licence, what it holds and how its keys are called today. Keys
and shapes stand nowhere: they come from the networks themselves (``networks.py``). Nothing is read or fetched
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ladi.weights.renames import rename_text_encoder_keys, rename_vae_keys, rename_vision_keys

Precision = Literal["fp32", "fp16"]
Rename = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Licence:
    """What may be done with a file."""

    name: str
    terms: str
    """Where they can be read."""


@dataclass(frozen=True)
class Part:
    """One network's weights in a file."""

    component: str
    """The network's name in the pipeline."""
    entry: str = ""
    """The entry of the file's dict that holds it; empty if it is the whole file."""
    rename: Rename = dict
    """From the file's keys to today's."""


@dataclass(frozen=True)
class SourceFile:
    """One file, by its name in the folder it comes from."""

    names: tuple[str, ...]
    """The wanted name first, then others that will do."""
    holds: str
    size: int | None = None
    """Bytes, about: float32 weights times their number. It plans disk space and decides nothing else."""
    parts: tuple[Part, ...] = ()
    required: bool = True

    @property
    def name(self) -> str:
        """The wanted name."""
        return self.names[0]


@dataclass(frozen=True)
class Mirror:
    """One place that has the files of a source."""

    location: str
    """A hub id, the URL of a folder, or a folder on this machine."""
    revision: str | None = None
    """A hub commit; none takes the default branch, whose commit is then recorded."""


@dataclass(frozen=True)
class Source:
    """Files that come from one place together."""

    title: str
    kind: Literal["hub", "release"]
    mirrors: tuple[Mirror, ...]
    """Tried in this order."""
    variable: str
    """The environment variable that names another place: for a hub source it is tried before these, for a
    release it replaces them."""
    licence: Licence
    files: tuple[SourceFile, ...]


BASE = Source(
    title="base",
    kind="hub",
    # The original, stabilityai/stable-diffusion-2-inpainting, was deleted from the hub in November 2025.
    mirrors=(
        Mirror("sd2-community/stable-diffusion-2-inpainting", "5f74973cbb64c8568780732c17f43eb269d63a0d"),
    ),
    variable="LADI_BASE_MODEL",
    licence=Licence("CreativeML Open RAIL++-M", "https://huggingface.co/stabilityai/stable-diffusion-2"),
    files=(
        SourceFile(("scheduler/scheduler_config.json",), "noise schedule", 1_000, required=False),
        SourceFile(("tokenizer/vocab.json", "tokenizer/tokenizer.json"), "vocabulary", 1_100_000),
        SourceFile(("tokenizer/merges.txt", "tokenizer/tokenizer.json"), "merges", 530_000),
        SourceFile(("tokenizer/tokenizer_config.json",), "tokenizer settings", 1_000, required=False),
        SourceFile(("tokenizer/special_tokens_map.json",), "special tokens", 1_000, required=False),
        SourceFile(("text_encoder/config.json",), "sizes", 1_000, required=False),
        SourceFile(
            ("text_encoder/model.safetensors", "text_encoder/pytorch_model.bin"),
            "text encoder",
            1_361_600_000,
            (Part("text_encoder", rename=rename_text_encoder_keys),),
        ),
        SourceFile(("vae/config.json",), "sizes", 1_000, required=False),
        SourceFile(
            ("vae/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.bin"),
            "VAE",
            334_600_000,
            (Part("vae", rename=rename_vae_keys),),
        ),
        # The base UNet's weights are not needed: the checkpoint has its own.
        SourceFile(("unet/config.json",), "sizes of the UNet", 1_000, required=False),
    ),
)

VISION = Source(
    title="vision encoder",
    kind="hub",
    mirrors=(Mirror("laion/CLIP-ViT-H-14-laion2B-s32B-b79K", "1c2b8495b28150b8a4922ee1c8edee224c284c0c"),),
    variable="LADI_VISION_MODEL",
    licence=Licence("MIT", "https://huggingface.co/laion/CLIP-ViT-H-14-laion2B-s32B-b79K"),
    files=(
        SourceFile(("config.json",), "sizes", 5_000, required=False),
        SourceFile(
            ("model.safetensors", "pytorch_model.bin"),
            "CLIP ViT-H/14 (its vision tower is used)",
            3_944_600_000,
            (Part("vision_encoder", rename=rename_vision_keys),),
        ),
    ),
)


def _release(dataset: str) -> Source:
    """The paper's four files for one data set. No digest of them was ever published."""
    return Source(
        title=f"checkpoints {dataset}",
        kind="release",
        mirrors=(Mirror("https://github.com/miccunifi/ladi-vton/releases/download/weights"),),
        variable="LADI_WEIGHTS_URL",
        licence=Licence("CC BY-NC 4.0", "https://creativecommons.org/licenses/by-nc/4.0/"),
        files=(
            SourceFile(
                (f"warping_{dataset}.pth",),
                "warping network and refinement",
                150_900_000,
                (Part("tps", "tps"), Part("refinement", "refinement")),
            ),
            SourceFile((f"emasc_{dataset}.pth",), "EMASC", 31_900_000, (Part("emasc"),)),
            SourceFile(
                (f"inversion_adapter_{dataset}.pth",),
                "inversion adapter",
                545_400_000,
                (Part("inversion_adapter"),),
            ),
            SourceFile((f"unet_{dataset}.pth",), "31-channel UNet", 3_464_000_000, (Part("unet"),)),
        ),
    )


RELEASES = {dataset: _release(dataset) for dataset in ("vitonhd", "dresscode")}
"""The published models, by name."""

CONVERTED_BYTES: dict[Precision, int] = {"fp32": 8_420_000_000, "fp16": 4_290_000_000}
"""What a converted model takes on disk, about."""


def sources_of(model: str) -> tuple[Source, ...]:
    """Everything that a model is made of."""
    return BASE, VISION, RELEASES[model]
