"""Samples per second of every training stage, and the share of the time it waits for data.

``python benchmarks/training.py`` trains each of the paper's stages for some steps on random weights, each in
a process of its own: ``--size embedded`` with the embedded model's networks at 256×192, ``--size full`` with
the published ones at 512×384. Speed does not depend on what the weights are. Without ``--data`` the pictures
are drawn at 768×1024; real photos take longer to decode. Nothing is kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

STAGES = ("warp", "refinement", "emasc", "inversion_adapter", "tryon")
DRAWN = 4


def main() -> int:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--size", choices=["embedded", "full"], default="embedded", help="of the networks")
    add("--stage", action="append", choices=STAGES, help="only these")
    add("--data", type=Path, help="a data set with a train split")
    add("--batch-size", type=int, default=4)
    add("--steps", type=int, default=5, help="the first of which is not counted")
    add("--workers", type=int, default=1)
    add("--device", choices=["cpu"])
    add("--precision", choices=["no", "bf16", "fp16"], default="no")
    add("--optimizer", choices=["adamw", "adamw_8bit", "adafactor"], default="adamw")
    add("--gradient-checkpointing", action="store_true")
    add("--precompute", action="store_true")
    options = parser.parse_args()
    print("| stage | trained weights, millions | batch | samples/s | waiting for data | peak memory, GiB |")
    print("|---|---|---|---|---|---|", flush=True)
    for stage in options.stage or STAGES:
        # A process of its own, for a peak of its own.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            print(pool.submit(measure, stage, vars(options)).result(), flush=True)
    return 0


def measure(name: str, options: dict[str, Any]) -> str:
    """One stage's row."""
    from ladi.training.loop.rehearsal import GIB, rehearse
    from ladi.training.paper_model import PaperTraining, build_stage
    from tests.drawn_datasets import write_viton_hd

    wanted = ("steps", "batch_size", "workers", "precision", "optimizer", "gradient_checkpointing")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        data = options["data"] or write_viton_hd(work / "data", "train", [0, 1, 2, 4][:DRAWN])
        job = PaperTraining(
            model="vitonhd",
            work=work,
            parts=random_parts(work, options["size"]),
            data=data,
            vgg=write_random_vgg(work / "vgg.pth"),
            precompute=options["precompute"],
            device=options["device"],
            changes={key: options[key] for key in wanted},
        )
        found = rehearse(build_stage(job, name), options["device"], options["steps"])
    speed = options["batch_size"] * (len(found.seconds) - 1) / sum(found.seconds[1:])
    weights, memory = found.weights / 1e6, found.memory / GIB
    batch = options["batch_size"]
    return f"| {name} | {weights:.1f} | {batch} | {speed:.3g} | {found.waiting:.0%} | {memory:.1f} |"


def random_parts(work: Path, size: str) -> Any:
    """Parts with random weights: the embedded model's or the published networks."""
    from diffusers import DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModel

    from ladi.models.emasc import EMASC
    from ladi.models.inversion_adapter import InversionAdapter
    from ladi.models.refinement import RefinementUNet
    from ladi.models.tokenizer import build_tokenizer
    from ladi.models.tps import ThinPlateSplineWarp
    from ladi.models.vae import EmascAutoencoderKL
    from ladi.training.first_edition_sizes import SIZE, build_pipeline
    from ladi.training.parts import Parts
    from ladi.weights.networks import PUBLISHED

    class RandomParts(Parts):
        """As if every stage had been trained."""

        def trained(self, stage: str) -> bool:
            return True

        def network(self, name: str, *, without: Any = ()) -> Any:
            return PUBLISHED_PARTS[name]()

        def plain_unet(self) -> Any:
            return plain(dict(PUBLISHED.unet))

        def tokenizer(self) -> Any:
            return build_tokenizer(self.work / "tokenizer")

        def scheduler(self) -> Any:
            return DDIMScheduler.from_config(dict(PUBLISHED.scheduler))

    class EmbeddedParts(RandomParts):
        """The embedded model's networks."""

        size = SIZE

        def network(self, name: str, *, without: Any = ()) -> Any:
            return getattr(build_pipeline(self.work / "tokenizer"), name)

        def plain_unet(self) -> Any:
            return plain(dict(self.network("unet").config))

        def scheduler(self) -> Any:
            return build_pipeline(self.work / "tokenizer").scheduler

    def plain(config: dict[str, Any]) -> Any:
        channels = 2 * config["out_channels"] + 1
        return UNet2DConditionModel.from_config({**config, "in_channels": channels})

    PUBLISHED_PARTS = {
        "vae": lambda: EmascAutoencoderKL(**PUBLISHED.vae),
        "text_encoder": lambda: CLIPTextModel(CLIPTextConfig(**PUBLISHED.text_encoder)),
        "vision_encoder": lambda: CLIPVisionModel(CLIPVisionConfig(**PUBLISHED.vision_encoder)),
        "inversion_adapter": InversionAdapter,
        "tps": ThinPlateSplineWarp,
        "refinement": RefinementUNet,
        "emasc": EMASC,
        "unet": lambda: plain(dict(PUBLISHED.unet)),
    }
    return (EmbeddedParts if size == "embedded" else RandomParts)(work)


def write_random_vgg(path: Path) -> Path:
    """VGG-19's shapes under torchvision's names."""
    import torch

    from ladi.training.perceptual import vgg19_features

    torch.save({f"features.{key}": value for key, value in vgg19_features().state_dict().items()}, path)
    return path


if __name__ == "__main__":
    sys.exit(main())
