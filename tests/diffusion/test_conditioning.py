"""Warping, pseudo-words and text, at toy size."""

from __future__ import annotations

import threading

import pytest
import torch
from torch.nn.functional import affine_grid

from ladi.diffusion.conditioning import (
    clip_pixels,
    encode_prompts,
    encode_text,
    placeholder_id,
    prompts_for,
    pseudo_words,
    tokenize,
    warp_garment,
)
from ladi.diffusion.warping import sample_garment
from ladi.models.tokenizer import build_tokenizer
from ladi.types import CATEGORIES, SettingError
from tests.toy import TEXT_WIDTH, WORDS, toy_inputs, toy_parts


@pytest.fixture(scope="module")
def parts():
    """Toy networks in evaluation mode."""
    networks = toy_parts()
    for network in networks.values():
        if isinstance(network, torch.nn.Module):
            network.eval()
    return networks


def test_identity_warp_changes_nothing():
    """Prevents: a sampling convention that shifts every garment by half a pixel."""
    garment = toy_inputs()["garment"]
    grid = affine_grid(torch.eye(2, 3)[None], list(garment.shape), align_corners=False)
    assert torch.allclose(sample_garment(garment, grid), garment, atol=1e-5)


def test_border_is_repeated_outside():
    """Prevents: black seams where a warp reaches beyond the garment's picture."""
    garment = torch.full((1, 3, 8, 6), 0.7)
    assert torch.allclose(sample_garment(garment, torch.full((1, 8, 6, 2), 3.0)), garment)


def test_warp_is_float32_and_in_range(parts):
    """Prevents: half-precision inputs or a surrounding autocast reaching the grid; unclamped refinement."""
    inputs = toy_inputs(2)
    tensors = [inputs["garment"], inputs["image"] * (1 - inputs["mask"]), inputs["pose_map"]]
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        coarse, refined, _ = warp_garment(parts["tps"], parts["refinement"], *(t.bfloat16() for t in tensors))
        exact, *_ = warp_garment(parts["tps"], parts["refinement"], *(t.bfloat16().float() for t in tensors))
    assert coarse.dtype == refined.dtype == torch.float32
    assert coarse.shape == refined.shape == inputs["image"].shape
    assert torch.equal(coarse, exact)
    assert refined.abs().max() <= 1


def test_clip_pixels_of_plain_colours():
    """Prevents: a range other than [0,1] before CLIP's normalisation."""
    white = clip_pixels(torch.ones(1, 3, 64, 48), 32)
    black = clip_pixels(-torch.ones(1, 3, 64, 48), 32)
    assert white.shape == (1, 3, 32, 32)
    assert torch.allclose(white[0, :, 0, 0], torch.tensor([1.9303, 2.0749, 2.1459]), atol=1e-3)
    assert torch.allclose(black[0, :, 0, 0], torch.tensor([-1.7923, -1.7521, -1.4802]), atol=1e-3)


def test_pseudo_words_tell_garments_apart(parts):
    """Prevents: an encoder that is fed a constant."""
    words = pseudo_words(parts["vision_encoder"], parts["inversion_adapter"], toy_inputs(2)["garment"])
    assert words.shape == (2, WORDS, TEXT_WIDTH)
    assert not torch.allclose(words[0], words[1])


def test_published_prompts():
    """Prevents: another wording than the text encoder was used with."""
    assert prompts_for(3, ["upper_body", "lower_body", "dresses"]) == [
        "a photo of a model wearing an upper body garment",
        "a photo of a model wearing a lower body garment",
        "a photo of a model wearing a dress",
    ]
    assert prompts_for(2, "dresses", "a red dress") == ["a red dress"] * 2


def test_bad_prompts_are_told_in_a_sentence():
    """Prevents: "$5" in a prompt being taken for the garment, and words of the garment being cut off."""
    tokenizer = build_tokenizer(max_length=32)
    with pytest.raises(SettingError, match="category must be one of upper_body"):
        prompts_for(1, "hats")
    with pytest.raises(SettingError, match=r"one per person \(3\), got 2"):
        prompts_for(3, ["dresses", "dresses"])
    with pytest.raises(SettingError, match="must not contain"):
        tokenize(tokenizer, ["a shirt for $5"], 4)
    with pytest.raises(SettingError, match="at most 14 tokens fit"):
        tokenize(tokenizer, ["a photo " * 20], 16)


@pytest.mark.parametrize("category", CATEGORIES)
def test_all_placeholders_are_there(category):
    """Prevents: fewer places than words."""
    tokenizer = build_tokenizer(max_length=32)
    ids = tokenize(tokenizer, prompts_for(2, category), 16)
    assert ids.shape == (2, 32)
    assert (ids == placeholder_id(tokenizer)).sum(1).tolist() == [16, 16]


def test_words_reach_the_text_and_gradients_reach_the_words(parts):
    """Prevents: training an adapter that nothing listens to."""
    words = torch.randn(2, WORDS, TEXT_WIDTH, requires_grad=True)
    texts = prompts_for(2, "dresses")
    encoded = encode_prompts(parts["text_encoder"], parts["tokenizer"], texts, words)
    assert not torch.allclose(encoded[0], encoded[1])
    encoded.sum().backward()
    assert words.grad is not None and bool((words.grad != 0).any(-1).all())


def test_rows_without_placeholders_stay_plain(parts):
    """Prevents: a dropped text in a training batch taking its neighbour's words."""
    encoder, tokenizer = parts["text_encoder"], parts["tokenizer"]
    ids = torch.cat([tokenize(tokenizer, [""]), tokenize(tokenizer, ["a dress"], WORDS)])
    words = torch.randn(2, WORDS, TEXT_WIDTH)
    with torch.no_grad():
        mixed = encode_text(encoder, ids, words, placeholder_id(tokenizer))
        assert torch.allclose(mixed[:1], encode_text(encoder, ids[:1]), atol=1e-6)
        alone = encode_text(encoder, ids[1:], words[1:], placeholder_id(tokenizer))
        assert torch.allclose(mixed[1:], alone, atol=1e-6)


def test_wrong_number_of_words_is_refused(parts):
    """Prevents: words of one row running over into the next."""
    tokenizer = parts["tokenizer"]
    ids = tokenize(tokenizer, ["a dress"], WORDS)
    with pytest.raises(ValueError, match="3 placeholders or none"):
        encode_text(parts["text_encoder"], ids, torch.randn(1, 3, TEXT_WIDTH), placeholder_id(tokenizer))
    with pytest.raises(ValueError, match="token number"):
        encode_text(parts["text_encoder"], ids, torch.randn(1, WORDS, TEXT_WIDTH))


def test_nothing_is_left_behind_after_a_failure(parts):
    """Prevents: one user's garment in every later prompt because an error skipped the hook's removal."""
    encoder, tokenizer = parts["text_encoder"], parts["tokenizer"]
    ids = tokenize(tokenizer, ["a dress"], WORDS)
    before = encode_text(encoder, ids)
    with pytest.raises(ValueError):
        encode_text(
            encoder, ids.repeat(1, 2), torch.randn(1, 2 * WORDS, TEXT_WIDTH), placeholder_id(tokenizer)
        )
    assert torch.equal(encode_text(encoder, ids), before)


def test_another_thread_does_not_get_these_words(parts):
    """Prevents: two users of one server wearing each other's garment."""
    encoder, tokenizer = parts["text_encoder"], parts["tokenizer"]
    ids = tokenize(tokenizer, ["a dress"], WORDS)
    plain = encode_text(encoder, ids)
    seen: list[torch.Tensor] = []

    def use_it_meanwhile(*_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            other = threading.Thread(target=lambda: seen.append(encode_text(encoder, ids)))
            other.start()
            other.join()

    meanwhile = encoder.get_input_embeddings().register_forward_pre_hook(use_it_meanwhile)
    try:
        ours = encode_text(encoder, ids, torch.randn(1, WORDS, TEXT_WIDTH), placeholder_id(tokenizer))
    finally:
        meanwhile.remove()
    assert torch.equal(seen[0], plain)
    assert not torch.allclose(ours, plain)
