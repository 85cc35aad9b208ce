"""The published networks with random weights, for benchmarks: seconds and memory do not depend on values."""

from __future__ import annotations

from pathlib import Path

import torch


def write_random_model(folder: Path, device: str = "cpu") -> Path:
    """Saves a full-size model in fp16 that no training has seen; the pictures it makes are noise.

    Args:
        folder: where it is saved; 4 GB.
        device: where the weights are drawn, quickest on a GPU.

    Returns:
        The folder.
    """
    from diffusers import DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModel

    from ladi.diffusion.pipeline import LadiVtonPipeline
    from ladi.models.emasc import EMASC
    from ladi.models.inversion_adapter import InversionAdapter
    from ladi.models.refinement import RefinementUNet
    from ladi.models.tokenizer import build_tokenizer
    from ladi.models.tps import ThinPlateSplineWarp
    from ladi.models.unet import unet_input_channels
    from ladi.models.vae import EmascAutoencoderKL
    from ladi.weights.networks import PUBLISHED

    torch.manual_seed(0)
    with torch.device(device):
        pipeline = LadiVtonPipeline(
            vae=EmascAutoencoderKL(**PUBLISHED.vae),
            text_encoder=CLIPTextModel(CLIPTextConfig(**PUBLISHED.text_encoder)),
            tokenizer=build_tokenizer(folder / "tokenizer"),
            vision_encoder=CLIPVisionModel(CLIPVisionConfig(**PUBLISHED.vision_encoder)),
            inversion_adapter=InversionAdapter(),
            tps=ThinPlateSplineWarp(),
            refinement=RefinementUNet(),
            emasc=EMASC(),
            unet=UNet2DConditionModel(**{**PUBLISHED.unet, "in_channels": unet_input_channels(4)}),
            scheduler=DDIMScheduler.from_config(dict(PUBLISHED.scheduler)),
            height=PUBLISHED.size[0],
            width=PUBLISHED.size[1],
        )
    pipeline.to(torch.float16)
    pipeline.save_pretrained(folder)
    return folder
