"""The second edition's last stage: UNet and decoder together, by what the picture shows.

A network that is only asked for the clean latent answers with the mean of what is possible. Here the answer
is decoded, and the picture compared: L1, more of it on colour, LPIPS through VGG on crops of which the photo
fills what is not repainted, and the layers that it shows. Most samples start from pure noise, as the first of
two steps does; others follow the network's own first answer, as the second does; a few lie anywhere, so that
other numbers of steps work too.

The encoder is frozen, so latents mean what they meant before; the words' networks are too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.diffusion.conditioning import (
    encode_text,
    placeholder_id,
    prompt_text,
    pseudo_words,
    tokenize,
)
from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.models.laying import LaidGarment
from ladi.models.lpips import Lpips
from ladi.models.unet import mask_to_latent_size, matte_to_latent_size, unet_input
from ladi.training.critic import Critic, adversarial_terms
from ladi.training.diffusion import visited_timesteps
from ladi.training.loop.draws import Draws, window_on
from ladi.training.loop.stage import Batch, LoopOptions, Stage
from ladi.training.losses import masked_l1, opponent_l1
from ladi.training.samples.cache import Cache, to_images
from ladi.training.samples.dressed import draw_samples, dressed_batch, shop_sample
from ladi.training.sheets import sheet
from ladi.training.stages.tryon import repainted_weight
from ladi.types import CATEGORIES

DEFAULTS = LoopOptions(
    steps=6000, batch_size=8, learning_rate=3e-4, warmup_steps=100, validate_every=250, precision="bf16"
)
SHARPENING = replace(DEFAULTS, steps=1500, learning_rate=1e-4)
CROP = (128, 96)
"""Height and width, in pixels, of what is decoded and compared."""
COLOUR_WEIGHT, LPIPS_WEIGHT, LATENT_WEIGHT, LAYER_WEIGHT = 0.5, 0.8, 0.15, 0.1
OUTSIDE = 0.1
"""Weight of pixels that are not repainted, in L1: EMASC brings them, and they are pasted back anyway."""
FIRST_SHARE, SECOND_SHARE = 0.68, 0.24
"""Of the steps, those that start from pure noise, and those that follow the network's own answer."""
DROP_ONE, DROP_ALL, PLAIN_SHARE = 0.05, 0.04, 0.08
"""How often a condition, or all, are left out; and EMASC or the garment skips in decoding."""
FOOL_WEIGHT, MATCH_WEIGHT = 0.04, 0.6
"""Of the adversarial term, in the stage that has one (``sharpening``)."""
RATES = (("exit", 0.08), ("layers", 0.08), ("patches", 0.0), ("decoder", 0.5))
"""Shares of the learning rate by words in the parameters' names, see ``Stage.rates``."""
STEPS = 2
"""In which the model paints, and validation too."""


class EndToEndStep(nn.Module):
    """The trained parts in one module, as wrappers for several processes need it."""

    def __init__(self, pipeline: LadiVtonPipeline) -> None:
        super().__init__()
        self.unet, self.emasc, self.garment_skips = pipeline.unet, pipeline.emasc, pipeline.garment_skips
        self.decoder = pipeline.vae.decoder
        self.finished = pipeline.vae.finished

    def forward(
        self,
        sample: torch.Tensor,
        timesteps: torch.Tensor,
        text: torch.Tensor,
        decode: dict[str, Any] | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """UNet input (B,C,h,w), (B,), (B,T,D) → latent (B,L,h,w), and with ``decode`` picture and logits.

        ``decode`` is from :meth:`EndToEnd.decoding`, and the picture is its crop.
        """
        latent = self.unet(sample, timesteps, encoder_hidden_states=text, return_dict=False)[0]
        if decode is None:
            return latent, None, None
        rows, columns = decode["window"]
        skips = self.emasc(decode["person"], decode["mask"]) if decode["emasc"] else None
        adapt = partial(self.garment_skips, decode["garment"], decode["mask"]) if decode["skips"] else None
        picture, told = self.decoder(latent[:, :, rows, columns] / decode["scaling"], skips, adapt)
        picture, logits = self.finished(picture, told, decode["laid"] if decode["skips"] else None)
        return latent, picture, logits


class EndToEnd:
    """The loss, and what it needs of the model.

    Args:
        pipeline: of the second edition.
        lpips: through VGG.
    """

    def __init__(self, pipeline: LadiVtonPipeline, lpips: Lpips) -> None:
        self.pipeline, self.lpips = pipeline, lpips
        words = pipeline.inversion_adapter.config.num_words
        self.placeholder = placeholder_id(pipeline.tokenizer)
        self.prompts = tokenize(pipeline.tokenizer, [prompt_text(name) for name in CATEGORIES], words)
        self.empty = tokenize(pipeline.tokenizer, [""])
        self.scaling = float(pipeline.vae.config.scaling_factor)
        self.last_timestep = pipeline.scheduler.config.num_train_timesteps - 1
        self.second_timestep = int(visited_timesteps(self.last_timestep + 1, STEPS)[0])

    def __call__(
        self, modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """The sum of all terms; arguments as a stage's loss."""
        step, scheduler = modules["step"], self.pipeline.scheduler
        with torch.no_grad():
            given, features, text = self.conditions(batch, draws)
            truth = self.mean(batch["image"])
        noise = draws.normal(truth.shape[1:]).to(truth)
        lot = float(draws.integers(1000)[0]) / 1000  # in [0,1), one for the whole batch
        timesteps = torch.full((len(noise),), self.last_timestep, device=noise.device)
        noisy = noise
        if lot >= FIRST_SHARE:
            start = truth
            if lot < FIRST_SHARE + SECOND_SHARE:
                with torch.no_grad():
                    start = step(unet_input(noise, **given), timesteps, text)[0].float()
                timesteps = torch.full_like(timesteps, self.second_timestep)
            else:
                timesteps = draws.integers(self.last_timestep).to(noise.device)
            noisy = scheduler.add_noise(start, noise, timesteps)
        window = window_on(batch["mask"], CROP, draws, self.pipeline.vae.scale_factor)
        decode = self.decoding(batch, features, window, draws)
        latent, picture, logits = step(unet_input(noisy, **given), timesteps, text, decode)
        weight = repainted_weight(given["mask"])
        error = ((latent.float() - truth).square() * weight).sum() / (weight.sum() * truth.shape[1])
        pixels = np.s_[..., window[0], window[1]]
        image, mask = batch["image"][pixels], batch["mask"][pixels]
        picture = picture.float()
        pasted = torch.where(mask > 0, picture, image)
        terms = {
            "latent": LATENT_WEIGHT * error,
            "l1": masked_l1(picture, image, mask + OUTSIDE * (1 - mask)),
            "colour": COLOUR_WEIGHT * opponent_l1(pasted, image),
            "lpips": LPIPS_WEIGHT * self.lpips(pasted, image).mean(),
            "layers": LAYER_WEIGHT * functional.cross_entropy(logits.float(), batch["layers"][pixels]),
        }
        if "critic" in modules:
            weights = {"critic": 1.0, "fool": FOOL_WEIGHT, "match": MATCH_WEIGHT}
            judged = adversarial_terms(modules["critic"], pasted, image, mask)
            terms |= {name: weights[name] * term for name, term in judged.items()}
        return torch.stack(list(terms.values())).sum(), {
            name: float(term.detach()) for name, term in terms.items()
        }

    def mean(self, picture: torch.Tensor) -> torch.Tensor:
        """(B,3,H,W) → the middle of its latent's distribution (B,L,h,w), scaled, in float32."""
        return self.pipeline.vae.encoder.mean(picture).float() * self.scaling

    def conditions(
        self, batch: Batch, draws: Draws
    ) -> tuple[dict[str, torch.Tensor], dict[str, tuple[torch.Tensor, ...]], torch.Tensor]:
        """What the UNet and the decoder are told, some of it left out now and then.

        Returns:
            The UNet's input beside the noise (scaled latents ``person`` and ``garment`` with its matte,
            ``mask``, ``pose``), the encoder's features of ``person`` and ``garment``, shallowest first, and
            the text (B,T,D).
        """
        every = draws.chance(DROP_ALL)
        no_text, no_pose, no_garment = (
            (every | draws.chance(DROP_ONE)).to(batch["mask"].device) for _ in range(3)
        )
        ids = self.prompts.to(no_text.device)[batch["category"]]
        ids = torch.where(no_text[:, None], self.empty.to(ids), ids)
        words = pseudo_words(self.pipeline.vision_encoder, self.pipeline.inversion_adapter, batch["garment"])
        text = encode_text(self.pipeline.text_encoder, ids, words, self.placeholder)
        person, person_features = self.pipeline.vae.encoder(batch["masked"])
        garment, garment_features = self.pipeline.vae.encoder(batch["warped"])
        size = (person.shape[-2], person.shape[-1])
        laid = torch.cat([garment.float() * self.scaling, matte_to_latent_size(batch["matte"], size)], dim=1)
        given = {
            "mask": mask_to_latent_size(batch["mask"], size),
            "person": person.float() * self.scaling,
            "pose": batch["pose_map"].masked_fill(no_pose.view(-1, 1, 1, 1), 0.0),
            "garment": laid.masked_fill(no_garment.view(-1, 1, 1, 1), 0.0),
        }
        shown = tuple(feature.masked_fill(no_garment.view(-1, 1, 1, 1), 0.0) for feature in garment_features)
        return given, {"person": person_features, "garment": shown}, text

    def decoding(
        self,
        batch: Batch,
        features: Mapping[str, tuple[torch.Tensor, ...]],
        window: tuple[slice, slice],
        draws: Draws,
    ) -> dict[str, Any]:
        """What ``EndToEndStep`` decodes a crop with: its window in latent pixels, all else cut to it."""
        height = batch["mask"].shape[-2]

        def cut(picture: torch.Tensor) -> torch.Tensor:
            unit = height // picture.shape[-2]
            rows, columns = (slice(part.start // unit, part.stop // unit) for part in window)
            return picture[..., rows, columns]

        unit = self.pipeline.vae.scale_factor
        return {
            "window": tuple(slice(part.start // unit, part.stop // unit) for part in window),
            "mask": cut(batch["mask"]),
            "laid": LaidGarment(cut(batch["warped"]), cut(batch["matte"])),
            "person": tuple(cut(feature) for feature in features["person"]),
            "garment": tuple(cut(feature) for feature in features["garment"]),
            "emasc": not bool(draws.chance(PLAIN_SHARE)[0]),
            "skips": not bool(draws.chance(PLAIN_SHARE)[0]),
            "scaling": self.scaling,
        }


def build_stage(
    pipeline: LadiVtonPipeline,
    lpips: Lpips,
    train: Cache,
    val: Cache,
    options: LoopOptions = DEFAULTS,
    *,
    street: Cache | None = None,
    critic: Critic | None = None,
) -> Stage:
    """The stage for the loop; validation dresses the first people of ``val``.

    Args:
        pipeline: of the second edition; its own parts are trained, not copies.
        lpips: through VGG.
        train: with ``warped`` and ``warped_matte``.
        val: likewise.
        options: of the loop.
        street: framed street photos, which three samples in ten come from.
        critic: learns along and adds the adversarial term; the stage is then called ``sharpening``.
    """
    for frozen in (pipeline.vision_encoder, pipeline.inversion_adapter, pipeline.text_encoder):
        frozen.eval().requires_grad_(False)
    pipeline.vae.encoder.requires_grad_(False)
    scale = pipeline.vae.scale_factor

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        indices = range(min(16, len(val)))
        batch = dressed_batch([shop_sample(val, index, None) for index in indices], None, 1)
        pipeline.set_progress_bar_config(disable=True)
        images, conditions = pipeline(
            batch["image"],
            batch["mask"],
            batch["pose_map"],
            to_images(val["garment"][: len(indices)]),
            garment_matte=batch["matte"],
            warped_garment=batch["warped"],
            num_inference_steps=STEPS,
            guidance_scale=1.0,
            generator=torch.Generator().manual_seed(0),
            output_type="pt",
            return_dict=False,
        )
        image, mask = batch["image"], batch["mask"]
        pasted = torch.where(mask > 0, images.cpu() * 2 - 1, image)
        metrics = {"val_masked_error": float(masked_l1(pasted, image, mask) / 2)}
        place = next(lpips.parameters()).device
        metrics["val_lpips_vgg"] = float(lpips(pasted.to(place), image.to(place)).mean())
        assert conditions.warped_garment is not None
        rows = [batch["garment"], conditions.warped_garment.cpu(), pasted, image]
        return metrics, sheet([row[:8] for row in rows])

    return Stage(
        name="end_to_end" if critic is None else "sharpening",
        modules={"step": EndToEndStep(pipeline), **({} if critic is None else {"critic": critic})},
        length=len(train),
        batch=lambda indices, rng: dressed_batch(
            draw_samples(train, np.sort(indices), street, rng), rng, scale
        ),
        loss=EndToEnd(pipeline, lpips),
        validate=validate,
        options=options,
        frozen={"lpips": lpips},
        rates=RATES,
        unused_parameters=True,
    )
