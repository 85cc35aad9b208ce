"""The try-on pipeline: one person, one garment, one mask and a seed in; pictures out.

```
check_inputs ─► encode_conditions ─► prepare_latents ─► denoise ─► decode
                 warp, words, text     three draws       UNet       VAE + EMASC
```

A diffusers pipeline in every respect: saving, loading, casts, offloading, schedulers and callbacks are the
library's, and cover every part. It takes tensors as described in ``ladi/types.py``: it does not read photos,
find people or draw masks, and it does not paste its result back into a photo (``ladi/engine.py`` does all
that).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from diffusers.image_processor import VaeImageProcessor
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from diffusers.utils import BaseOutput
from transformers import CLIPTextModel, CLIPTokenizer, CLIPVisionModel, CLIPVisionModelWithProjection

from ladi.diffusion.conditioning import encode_prompts, prompts_for, pseudo_words, warp_garment
from ladi.diffusion.hanging import Levels, grow_under_hem
from ladi.diffusion.inputs import check_output, check_parts, check_pictures, check_sampling
from ladi.diffusion.sampling import (
    DrawnLatents,
    Generators,
    Sampling,
    StepCallback,
    denoise,
    draw_latents,
    repeat_conditions,
    split_conditions,
)
from ladi.diffusion.warping import sample_matte
from ladi.models.bending import BendingRefinement
from ladi.models.emasc import EMASC
from ladi.models.garment_skips import GarmentSkips
from ladi.models.inversion_adapter import InversionAdapter
from ladi.models.laying import LaidGarment
from ladi.models.refinement import RefinementUNet
from ladi.models.shuffle_vae import ShuffleAutoencoder
from ladi.models.tps import ThinPlateSplineWarp
from ladi.models.vae import EmascAutoencoderKL
from ladi.settings import Switches
from ladi.types import Category, Conditions

Recalling = Callable[[str, tuple[Any, ...], Callable[[], Any]], Any]
"""(kind, what it depends on, how to compute it) → the value, computed or remembered."""


def remember_nothing(kind: str, inputs: tuple[Any, ...], compute: Callable[[], Any]) -> Any:
    """Remembers nothing."""
    return compute()


@dataclass
class LadiVtonOutput(BaseOutput):
    """What a call gives back."""

    images: torch.Tensor | np.ndarray | list[Any]
    """A list of ``pil``, ``np`` (B,H,W,3) in [0,1], ``pt`` (B,3,H,W) in [0,1], or ``latent`` (B,L,h,w)."""
    conditions: Conditions
    """For another call with the same person and garment: one row per person."""


class LadiVtonPipeline(DiffusionPipeline):
    """Latent-diffusion virtual try-on (Morelli et al., 2023, arXiv 2305.13501).

    The published model and the embedded one are both this class, with parts of other sizes. In half precision
    ``tps`` and ``refinement`` still stay in float32 (see ``ladi/models/precision.py``).
    """

    # The VAE comes before the UNet, so that it leaves the device while the UNet works; it returns to decode.
    model_cpu_offload_seq = (
        "tps->refinement->vision_encoder->inversion_adapter->text_encoder->vae->unet->emasc->garment_skips"
    )
    _optional_components = ["garment_skips"]
    _callback_tensor_inputs = ["latents", "prompt_embeds"]

    def __init__(
        self,
        vae: EmascAutoencoderKL | ShuffleAutoencoder,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        vision_encoder: CLIPVisionModel | CLIPVisionModelWithProjection,
        inversion_adapter: InversionAdapter,
        tps: ThinPlateSplineWarp,
        refinement: RefinementUNet | BendingRefinement,
        emasc: EMASC,
        unet: UNet2DConditionModel,
        scheduler: SchedulerMixin,
        garment_skips: GarmentSkips | None = None,
        default_steps: int = 50,
        default_guidance: float = 7.5,
        height: int = 512,
        width: int = 384,
        garment_matte: bool = False,
    ) -> None:
        super().__init__()
        self.register_modules(
            vae=vae,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            vision_encoder=vision_encoder,
            inversion_adapter=inversion_adapter,
            tps=tps,
            refinement=refinement,
            emasc=emasc,
            unet=unet,
            scheduler=scheduler,
            garment_skips=garment_skips,
        )
        self.register_to_config(
            default_steps=default_steps,
            default_guidance=default_guidance,
            height=height,
            width=width,
            garment_matte=garment_matte,
        )
        check_parts(self.components, matte=garment_matte)
        self.image_processor = VaeImageProcessor(vae_scale_factor=vae.scale_factor)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, **kwargs: Any) -> LadiVtonPipeline:
        """As diffusers', but float32 unless told otherwise.

        Weights may be kept in half precision on disk; left to itself, transformers would load its parts as
        they lie there, and diffusers its own in float32.
        """
        if kwargs.get("dtype") is None and kwargs.get("torch_dtype") is None:
            kwargs["dtype"] = torch.float32
        return super().from_pretrained(pretrained_model_name_or_path, **kwargs)

    @torch.no_grad()
    def __call__(
        self,
        image: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
        pose_map: torch.Tensor | None = None,
        garment: torch.Tensor | None = None,
        *,
        garment_matte: torch.Tensor | None = None,
        category: Category | Sequence[Category] = "upper_body",
        prompt: str | Sequence[str] | None = None,
        warped_garment: torch.Tensor | None = None,
        prompt_embeds: torch.Tensor | None = None,
        negative_prompt_embeds: torch.Tensor | None = None,
        conditions: Conditions | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        switches: Switches | None = None,
        num_images_per_prompt: int = 1,
        generator: Generators = None,
        eta: float = 0.0,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: StepCallback | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
    ) -> LadiVtonOutput | tuple[Any, Conditions]:
        """Dresses each person in the garment beside them.

        Args:
            image: (B,3,H,W) people in [-1,1].
            mask: (B,1,H,W), 1 = repaint; values from 0.5 count as 1.
            pose_map: (B,18,H,W) in [0,1].
            garment: (B,3,H,W) in [-1,1], as photographed.
            garment_matte: (B,1,H,W) in [0,1], where the garment is in its picture, for models whose
                configuration asks for it (``garment_matte``); others make no use of it. Beside a given
                ``warped_garment`` it is the warped one's.
            category: of the garment, or one per person; chooses the prompt.
            prompt: another prompt, or one per person, without "$".
            warped_garment: (B,3,H,W) in [-1,1]; given, it is used as it is and nothing is warped.
            prompt_embeds: (B,T,D) instead of prompt and pseudo-words.
            negative_prompt_embeds: (B,T,D) instead of the empty prompt, for guidance.
            conditions: of an earlier call, instead of all of the above.
            num_inference_steps: the model's own default if none.
            guidance_scale: the model's own default if none; up to 1 there is no guidance, and half the work.
            switches: which parts of the method to leave out.
            num_images_per_prompt: pictures per person, side by side in the result.
            generator: one for all, or one per picture, with which a batch equals its members made one at a
                time.
            eta: DDIM's noise, where the scheduler knows it.
            output_type: ``pil``, ``np``, ``pt`` or ``latent``.
            return_dict: a :class:`LadiVtonOutput`, or else a tuple of its fields.
            callback_on_step_end: called as ``callback(pipeline, step, timestep, tensors)`` after every step.
                It may return tensors to go on with, or ``{"interrupt": True}`` to stop early and decode what
                is there; to give up altogether it raises.
            callback_on_step_end_tensor_inputs: which of ``latents`` and ``prompt_embeds`` the callback gets.
        """
        sampling = Sampling(
            steps=num_inference_steps if num_inference_steps is not None else self.config.default_steps,
            guidance=guidance_scale if guidance_scale is not None else self.config.default_guidance,
            switches=switches or Switches(),
            eta=eta,
        )
        pictures: dict[str, Any] = {"image": image, "mask": mask, "pose_map": pose_map, "garment": garment}
        pictures["warped_garment"], pictures["garment_matte"] = warped_garment, garment_matte

        # 1. Refuse what cannot work.
        self.check_inputs(pictures, conditions, sampling, num_images_per_prompt, generator)
        check_output(output_type, callback_on_step_end_tensor_inputs)

        # 2. Warp the garment, find its words, encode text and pictures.
        if conditions is None:
            conditions = self.encode_conditions(
                **pictures,
                category=category,
                prompt=prompt,
                prompt_embeds=prompt_embeds,
                negative_prompt_embeds=negative_prompt_embeds,
            )

        # 3. Draw.
        repeated = repeat_conditions(conditions, num_images_per_prompt)
        draws = self.prepare_latents(repeated, generator)

        # 4. Denoise.
        latents = self.denoise(
            repeated,
            draws,
            sampling,
            generator=generator,
            callback=callback_on_step_end,
            tensor_inputs=callback_on_step_end_tensor_inputs,
        )

        # 5. Decode.
        images: Any = latents
        if output_type != "latent":
            decoded = self.decode(latents, repeated, sampling.switches)
            images = self.image_processor.postprocess(decoded, output_type=output_type)

        self.maybe_free_model_hooks()
        return LadiVtonOutput(images, conditions) if return_dict else (images, conditions)

    def check_inputs(
        self,
        pictures: Mapping[str, torch.Tensor | None],
        conditions: Conditions | None,
        sampling: Sampling,
        num_images_per_prompt: int = 1,
        generator: Generators = None,
    ) -> None:
        """Raises ``SettingError`` for what cannot work."""
        people = check_pictures(
            pictures, self.vae.scale_factor, conditions, needs_matte=self.config.garment_matte
        )
        check_sampling(sampling, people * num_images_per_prompt, generator)

    def encode_conditions(
        self,
        image: torch.Tensor,
        mask: torch.Tensor,
        pose_map: torch.Tensor,
        garment: torch.Tensor,
        *,
        garment_matte: torch.Tensor | None = None,
        category: Category | Sequence[Category] = "upper_body",
        prompt: str | Sequence[str] | None = None,
        warped_garment: torch.Tensor | None = None,
        prompt_embeds: torch.Tensor | None = None,
        negative_prompt_embeds: torch.Tensor | None = None,
        recall: Recalling = remember_nothing,
        levels: Levels | None = None,
    ) -> Conditions:
        """Everything that does not depend on a seed or a switch; arguments and errors as in a call.

        ``recall`` may remember what depends on the person, the garment or the prompt alone. ``levels`` tell
        how low the garment of one person hangs, where the refinement bends.
        """
        device = self._execution_device
        image, pose_map, garment = (part.to(device, torch.float32) for part in (image, pose_map, garment))
        mask = (mask.to(device) >= 0.5).float()
        masked_person = image * (1 - mask)  # [B,3,H,W]
        coarse = grid = None
        if warped_garment is None:
            matte = None if garment_matte is None else garment_matte.to(device)
            coarse, warped_garment, grid = warp_garment(
                self.tps, self.refinement, garment, masked_person, pose_map, matte, levels
            )
        if prompt_embeds is not None:
            plain = prompt_embeds
        else:
            texts = prompts_for(len(image), category, prompt)
            prompt_embeds = recall(
                "prompt", (garment, texts), partial(self._encode_prompts, garment, texts)
            )  # [B,T,D]
            plain = recall("plain", (texts,), partial(self._encode_prompts, None, texts))
        if negative_prompt_embeds is None:
            nothing = [""] * len(image)
            negative_prompt_embeds = recall("plain", (nothing,), partial(self._encode_prompts, None, nothing))
        warped_garment = warped_garment.to(device, torch.float32)
        warped_matte = None
        if self.config.garment_matte:
            assert garment_matte is not None  # check_inputs asks for it
            warped_matte = garment_matte.to(device, torch.float32)
            warped_matte = warped_matte if grid is None else sample_matte(warped_matte, grid)
            if levels is not None:
                mask = grow_under_hem(mask, warped_matte, levels)
                masked_person = image * (1 - mask)
            # On mid-grey, as the masked person is: on white, white cloth could not be told from nothing. Only
            # inside the mask, so that one can be laid on the other.
            warped_matte = warped_matte * mask
            warped_garment = warped_garment * warped_matte
        garment_moments, garment_features = self.vae.encode_with_features(warped_garment.to(self.vae.dtype))
        person_moments, person_features = recall(
            "person",
            (masked_person,),
            partial(self.vae.encode_with_features, masked_person.to(self.vae.dtype)),
        )
        return Conditions(
            mask=mask,
            pose_map=pose_map,
            person_moments=person_moments,
            person_features=person_features,
            garment_moments=garment_moments,
            garment_features=garment_features,
            prompt_embeds=prompt_embeds,
            plain_prompt_embeds=plain,
            negative_embeds=negative_prompt_embeds,
            coarse_garment=coarse,
            warped_garment=warped_garment,
            warp_grid=grid,
            warped_matte=warped_matte,
        )

    def _encode_prompts(self, garment: torch.Tensor | None, texts: Sequence[str]) -> torch.Tensor:
        """Prompts (B,T,D), with a garment's pseudo-words where there is one."""
        words = None
        if garment is not None:
            words = pseudo_words(self.vision_encoder, self.inversion_adapter, garment)  # [B,N,D]
        return encode_prompts(self.text_encoder, self.tokenizer, texts, words)

    def prepare_latents(self, conditions: Conditions, generator: Generators = None) -> DrawnLatents:
        """The sampling's random draws: garment latent, noise, masked-person latent, in this order."""
        return draw_latents(conditions, self.vae.config.scaling_factor, generator)

    def denoise(
        self,
        conditions: Conditions,
        draws: DrawnLatents,
        sampling: Sampling,
        *,
        generator: Generators = None,
        callback: StepCallback | None = None,
        tensor_inputs: Sequence[str] = ("latents",),
        scheduler: SchedulerMixin | None = None,
    ) -> torch.Tensor:
        """From noise to a latent (B,L,h,w); see :func:`ladi.diffusion.sampling.denoise`.

        ``scheduler`` takes the place of the pipeline's own for this call.
        """
        # The scheduler keeps the state of a sampling, so every call has its own.
        return denoise(
            self.unet,
            copy.deepcopy(scheduler or self.scheduler),
            conditions,
            draws,
            sampling,
            generator=generator,
            after_step=None if callback is None else partial(callback, self),
            tensor_inputs=tensor_inputs,
            progress=self.progress_bar,
        )

    def decode(
        self, latents: torch.Tensor, conditions: Conditions, switches: Switches | None = None
    ) -> torch.Tensor:
        """Latents (B,L,h,w) → pictures (B,3,H,W), about [-1,1].

        EMASC helps outside the mask; the garment skips, where the model has them, inside.
        """
        return self.decode_with_layers(latents, conditions, switches)[0]

    def decode_with_layers(
        self, latents: torch.Tensor, conditions: Conditions, switches: Switches | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """As :meth:`decode`, with what each pixel shows where the autoencoder tells.

        Returns:
            Pictures (B,3,H,W), and probabilities (B,K,H,W) in the order of ``ladi.types.LAYERS``.
        """
        if self.vae.use_slicing and len(latents) > 1:
            # Here rather than in the autoencoder: the skips are as large as what they are added to.
            pairs = zip(latents.split(1), split_conditions(conditions), strict=True)
            pictures, layers = zip(
                *(self.decode_with_layers(row, own, switches) for row, own in pairs), strict=True
            )
            return torch.cat(pictures), None if layers[0] is None else torch.cat(layers)
        switches = switches or Switches()
        skips = self.emasc(conditions.person_features, conditions.mask) if switches.emasc else None
        adapt = None
        shown = switches.warped_garment and switches.cloth_cond_rate > 0
        if self.garment_skips is not None and switches.garment_skips and shown:
            adapt = partial(self.garment_skips, conditions.garment_features, conditions.mask)
        scaled = latents.to(self.vae.dtype) / self.vae.config.scaling_factor
        if not isinstance(self.vae, ShuffleAutoencoder):
            return self.vae.decode_with_skips(scaled, skips, adapt).float(), None
        laid = None
        if adapt is not None and conditions.warped_matte is not None:
            assert conditions.warped_garment is not None
            laid = LaidGarment(conditions.warped_garment, conditions.warped_matte)
        picture, logits = self.vae.decode_with_layers(scaled, skips, adapt, laid)
        return picture.float(), None if logits is None else logits.float().softmax(1)
