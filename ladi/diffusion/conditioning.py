"""From a person and a garment to what the denoiser is told: warped garment, pseudo-words, text.

```
garment ─┬─ shrink ─► TPS ─► grid ─► enlarge ─► sample ─► coarse ─► refinement ─► clamp ─► warped garment
         │                                       (or, where the refinement bends: grid ─► sample once more)
         └─ clip_pixels ─► vision encoder ─► inversion adapter ─► pseudo-words ─┐
category ──► prompt_text ─► tokenize ───────────────────────────► encode_text ──┴─► prompt embeddings
```

Pipeline and training share these functions, so none of them switches gradients off. Nothing here knows
latents or noise; grids and how pictures are sampled along them are ``warping.py``'s.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from ladi.diffusion.hanging import Levels, level_hem, lower_hem
from ladi.diffusion.warping import bend_grid, continued, enlarge_grid, resize, sample_garment
from ladi.models.bending import BendingRefinement
from ladi.models.inversion_adapter import InversionAdapter
from ladi.models.refinement import RefinementUNet
from ladi.models.tps import ThinPlateSplineWarp
from ladi.types import CATEGORIES, Category, ModelError, SettingError

PLACEHOLDER = "$"
"""The character whose embeddings the pseudo-words replace."""

GARMENT_PHRASES: dict[str, str] = {
    "upper_body": "an upper body garment",
    "lower_body": "a lower body garment",
    "dresses": "a dress",
}


class WarpedGarment(NamedTuple):
    """A garment in the person's pose."""

    coarse: torch.Tensor
    """(B,3,H,W) after the spline."""
    refined: torch.Tensor
    """(B,3,H,W) after the refinement network, clamped to [-1,1]."""
    grid: torch.Tensor
    """(B,H,W,2): where each pixel of ``coarse`` comes from; of ``refined``, where the refinement bends."""


def predict_warp(
    tps: ThinPlateSplineWarp, garment: torch.Tensor, masked_person: torch.Tensor, pose_map: torch.Tensor
) -> torch.Tensor:
    """Predicts how the garment must be warped, at the network's own size, and enlarges that to the pictures'.

    Args:
        tps: the warping network.
        garment: (B,3,H,W) in [-1,1].
        masked_person: (B,3,H,W), repainted pixels 0.
        pose_map: (B,18,H,W).

    Returns:
        Sampling grid (B,H,W,2).
    """
    person = torch.cat([masked_person, pose_map], dim=1)  # [B,21,H,W]
    grid = tps(resize(garment, tps.size), resize(person, tps.size)).grid  # [B,h,w,2]
    return enlarge_grid(grid, (garment.shape[-2], garment.shape[-1]))


def refine_garment(
    refinement: RefinementUNet, coarse: torch.Tensor, masked_person: torch.Tensor, pose_map: torch.Tensor
) -> torch.Tensor:
    """Mends a coarsely warped garment: (B,3,H,W) → (B,3,H,W), clamped to [-1,1]."""
    return refinement(torch.cat([masked_person, pose_map, coarse], dim=1)).clamp(-1, 1)


def warp_garment(
    tps: ThinPlateSplineWarp,
    refinement: RefinementUNet | BendingRefinement,
    garment: torch.Tensor,
    masked_person: torch.Tensor,
    pose_map: torch.Tensor,
    matte: torch.Tensor | None = None,
    levels: Levels | None = None,
) -> WarpedGarment:
    """Brings a garment into the person's pose, always in float32.

    Args:
        tps: the warping network.
        refinement: the refinement network.
        garment: (B,3,H,W) in [-1,1].
        masked_person: (B,3,H,W), repainted pixels 0.
        pose_map: (B,18,H,W).
        matte: (B,1,H,W) in [0,1], where the garment is in its picture; a refinement that bends needs it.
        levels: how low one person's garment hangs; only with a refinement that bends.

    Returns:
        Everything in float32.
    """
    with torch.autocast(garment.device.type, enabled=False):
        garment, masked_person, pose_map = garment.float(), masked_person.float(), pose_map.float()
        grid = predict_warp(tps, garment, masked_person, pose_map)
        coarse = sample_garment(garment, grid)
        if isinstance(refinement, BendingRefinement):
            if matte is None:
                raise ValueError("a refinement that bends needs the garment's matte")
            grid = bend_grid(refinement, garment, matte.float(), masked_person, pose_map, grid)
            if levels is not None:
                grid = lower_hem(level_hem(grid, matte.float(), levels), matte.float(), levels)
            refined = sample_garment(continued(garment, matte.float()), grid)
        else:
            refined = refine_garment(refinement, coarse, masked_person, pose_map)
    return WarpedGarment(coarse, refined, grid)


def clip_pixels(garment: torch.Tensor, image_size: int) -> torch.Tensor:
    """What the vision encoder is fed.

    The published path makes 8-bit numbers on the way; this one does not.

    Args:
        garment: (B,3,H,W) in [-1,1].
        image_size: the vision encoder's, from its configuration.

    Returns:
        (B,3,image_size,image_size), normalised as CLIP expects.
    """
    pixels = resize((garment + 1) / 2, (image_size, image_size)).clamp(0, 1)
    mean = pixels.new_tensor(OPENAI_CLIP_MEAN).view(1, 3, 1, 1)
    deviation = pixels.new_tensor(OPENAI_CLIP_STD).view(1, 3, 1, 1)
    return (pixels - mean) / deviation


def garment_features(vision_encoder: nn.Module, garment: torch.Tensor) -> torch.Tensor:
    """What the vision encoder sees in a garment: (B,3,H,W) in [-1,1] → (B,N,C), class token first."""
    config: Any = vision_encoder.config
    pixels = clip_pixels(garment.float(), config.image_size)
    weights = next(vision_encoder.parameters())
    return vision_encoder(pixel_values=pixels.to(weights.dtype)).last_hidden_state


def pseudo_words(vision_encoder: nn.Module, adapter: InversionAdapter, garment: torch.Tensor) -> torch.Tensor:
    """The words that describe a garment.

    Args:
        vision_encoder: a CLIP vision model, with or without projection.
        adapter: the inversion adapter that belongs to it.
        garment: (B,3,H,W) in [-1,1], as photographed, not warped.

    Returns:
        (B,num_words,word_dim).
    """
    features = garment_features(vision_encoder, garment)  # [B,N,C]
    return adapter(features.to(adapter.dtype))


def prompt_text(category: str) -> str:
    """The published prompt for a category, without placeholders."""
    if category not in GARMENT_PHRASES:
        raise SettingError(f"category must be one of {', '.join(CATEGORIES)}, got {category!r}")
    return f"a photo of a model wearing {GARMENT_PHRASES[category]}"


def prompts_for(
    people: int, category: Category | Sequence[Category], prompt: str | Sequence[str] | None = None
) -> list[str]:
    """One prompt per person: the given ones, or else the categories' published ones."""
    given = category if prompt is None else prompt
    each = [given] * people if isinstance(given, str) else list(given)
    if len(each) != people:
        raise SettingError(
            f"give one prompt or category for all, or one per person ({people}), got {len(each)}"
        )
    return each if prompt is not None else [prompt_text(name) for name in each]


def with_placeholders(text: str, num_words: int) -> str:
    """Appends the placeholders that the pseudo-words will replace."""
    if PLACEHOLDER in text:
        raise SettingError(
            f'the prompt must not contain "{PLACEHOLDER}", which stands for the garment: leave it out'
        )
    return " ".join([text, *[PLACEHOLDER] * num_words]) if num_words else text


def placeholder_id(tokenizer: CLIPTokenizer) -> int:
    """The number of the token that the pseudo-words replace (259 in CLIP's vocabulary)."""
    ids = tokenizer(PLACEHOLDER, add_special_tokens=False).input_ids
    if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
        raise ModelError(
            f'the tokenizer does not know "{PLACEHOLDER}" as one token: use the one saved with the model'
        )
    return ids[0]


def tokenize(tokenizer: CLIPTokenizer, texts: Sequence[str], num_words: int = 0) -> torch.Tensor:
    """Texts → token numbers (B,T) on the CPU, padded to the tokenizer's full length.

    Args:
        tokenizer: the one that belongs to the text encoder.
        texts: without placeholders.
        num_words: placeholders to append to each text; they are never cut off.
    """
    full = [with_placeholders(text, num_words) for text in texts]
    ids = tokenizer(full, padding="max_length", truncation=True, return_tensors="pt").input_ids
    if num_words and bool(((ids == placeholder_id(tokenizer)).sum(1) != num_words).any()):
        room = tokenizer.model_max_length - num_words - 2
        raise SettingError(
            f"the prompt is too long: at most {room} tokens fit before the garment's words; shorten it"
        )
    return ids


def encode_text(
    text_encoder: CLIPTextModel,
    ids: torch.Tensor,
    words: torch.Tensor | None = None,
    placeholder: int | None = None,
) -> torch.Tensor:
    """Encodes tokens, with pseudo-words in place of the placeholders if given; gradients reach the words.

    A hook on the token embeddings puts the words in, before positions are added. It acts on the calling
    thread only, so that another thread that uses the encoder at the same time is not given this one's
    garment.

    Args:
        text_encoder: a CLIP text model.
        ids: (B,T) token numbers. A row without any placeholder is encoded as it is.
        words: (B,N,D); every other row must hold exactly N placeholders.
        placeholder: the placeholder's token number, from :func:`placeholder_id`; needed with ``words``.

    Returns:
        (B,T,D), after the encoder's final layer norm.
    """
    if words is None:
        return text_encoder(ids).last_hidden_state
    if placeholder is None:
        raise ValueError("pseudo-words need the placeholder's token number: pass placeholder_id(tokenizer)")
    places = ids == placeholder  # [B,T]
    rows = places.any(dim=1)
    if bool((places.sum(dim=1)[rows] != words.shape[1]).any()):
        raise ValueError(
            f"every text needs {words.shape[1]} placeholders or none, got {places.sum(dim=1).tolist()}"
        )
    thread = threading.get_ident()

    def put_words(_module: nn.Module, _inputs: Any, embeddings: torch.Tensor) -> torch.Tensor | None:
        if threading.get_ident() != thread:
            return None
        embeddings = embeddings.clone()
        embeddings[places.to(embeddings.device)] = words[rows].flatten(0, 1).to(embeddings)
        return embeddings

    hook = text_encoder.get_input_embeddings().register_forward_hook(put_words)
    try:
        return text_encoder(ids).last_hidden_state
    finally:
        hook.remove()


def encode_prompts(
    text_encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    texts: Sequence[str],
    words: torch.Tensor | None = None,
) -> torch.Tensor:
    """Texts, followed by a garment's pseudo-words (B,N,D) if given → (B,T,D)."""
    ids = tokenize(tokenizer, texts, words.shape[1] if words is not None else 0)
    device = text_encoder.device if words is None else words.device
    return encode_text(text_encoder, ids.to(device), words, placeholder_id(tokenizer))
