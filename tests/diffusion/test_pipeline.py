"""The pipeline's properties, on real classes at toy size."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.diffusion.sampling import repeat_conditions
from ladi.models.emasc import EMASC
from ladi.settings import Switches
from ladi.types import ModelError, SettingError
from tests.toy import HEIGHT, WIDTH, pictures, same, seeded, toy_inputs, toy_pipeline

NETWORKS = (
    "vae",
    "text_encoder",
    "vision_encoder",
    "inversion_adapter",
    "tps",
    "refinement",
    "emasc",
    "garment_skips",
    "unet",
)


@pytest.fixture(scope="module")
def pipeline() -> LadiVtonPipeline:
    """Shared by the tests that change nothing on it."""
    return toy_pipeline()


def test_same_seed_same_picture(pipeline):
    """Prevents: state kept between calls; a draw from the global generator."""
    first = pictures(pipeline)
    assert first.shape == (1, HEIGHT, WIDTH, 3)
    torch.manual_seed(99)
    assert same(pictures(pipeline), first)
    assert not same(pictures(pipeline, seed=4), first)


def test_batch_of_different_people_equals_one_at_a_time(pipeline):
    """Prevents: people in a batch sharing a mask, a garment, a prompt or a draw."""
    inputs = toy_inputs(2)
    inputs["mask"][1, :, :30] = 0
    categories = ["upper_body", "dresses"]
    together = pipeline(**inputs, category=categories, generator=seeded(5, 6), output_type="np").images
    for index, seed in enumerate((5, 6)):
        alone = pipeline(
            **{name: tensor[index : index + 1] for name, tensor in inputs.items()},
            category=categories[index],
            generator=seeded(seed),
            output_type="np",
        ).images
        assert np.abs(alone[0] - together[index]).max() < 1e-4


def test_several_pictures_per_person(pipeline):
    """Prevents: pictures of a person that are all alike, or mixed up between people."""
    several = pictures(pipeline, 2, num_images_per_prompt=2, generator=seeded(1, 2, 3, 4))
    assert len(several) == 4
    for row, seeds in ((0, (1, 3)), (1, (2, 4))):
        single = pictures(pipeline, 2, generator=seeded(*seeds))
        assert np.abs(several[[row, 2 + row]] - single).max() < 1e-4
    assert not np.allclose(several[0], several[1], atol=1e-3)


def test_conditions_can_be_used_again(pipeline):
    """Prevents: conditions that hold a draw or a switch, so that a second sampling from them differs."""
    first = pipeline(**toy_inputs(), generator=seeded(1), switches=Switches(pose=False), output_type="np")
    again = pictures(pipeline, conditions=first.conditions, seed=3)
    assert same(again, pictures(pipeline, seed=3))


def test_save_and_load_give_the_same_picture(pipeline, tmp_path):
    """Prevents: a part or a default that is not saved."""
    pipeline.save_pretrained(tmp_path)
    loaded = LadiVtonPipeline.from_pretrained(tmp_path)
    loaded.set_progress_bar_config(disable=True)
    assert set(NETWORKS) < set(loaded.components)
    assert loaded.config.default_steps == 2 and loaded.config.default_guidance == 3.0
    assert (loaded.config.height, loaded.config.width) == (HEIGHT, WIDTH)
    assert same(pictures(loaded), pictures(pipeline))


def test_halves_on_disk_load_as_float32(tmp_path):
    """Prevents: half-precision parts on a CPU, a hundred times slower there, or two precisions mixed."""
    halves = toy_pipeline().to(torch.float16)
    assert halves.unet.dtype == halves.text_encoder.dtype == torch.float16
    halves.save_pretrained(tmp_path)
    loaded = LadiVtonPipeline.from_pretrained(tmp_path)
    for name in NETWORKS:
        assert {tensor.dtype for tensor in getattr(loaded, name).parameters()} == {torch.float32}, name
    asked = LadiVtonPipeline.from_pretrained(tmp_path, dtype=torch.float16)
    assert asked.vision_encoder.dtype == asked.unet.dtype == torch.float16
    assert asked.tps.dtype == asked.refinement.dtype == torch.float32


def test_cast_covers_every_part(pipeline):
    """Prevents: a forgotten part that crashes in half precision. The warp alone stays in float32."""
    cast = toy_pipeline().to(torch.bfloat16)
    for name in NETWORKS:
        expected = torch.float32 if name in ("tps", "refinement") else torch.bfloat16
        assert {tensor.dtype for tensor in getattr(cast, name).parameters()} == {expected}, name
    assert np.abs(pictures(cast) - pictures(pipeline)).max() < 0.1


def test_offloading_covers_every_part(pipeline, monkeypatch):
    """Prevents: a part that is called past its hook, and so stays off the device it should be on."""
    offloaded = toy_pipeline()
    offloaded.enable_model_cpu_offload(device="cpu")
    used = set()
    for name in NETWORKS:
        hook = getattr(offloaded, name)._hf_hook

        def record(*arguments, _name=name, _before=hook.pre_forward, **keywords):
            used.add(_name)
            return _before(*arguments, **keywords)

        monkeypatch.setattr(hook, "pre_forward", record)
    assert same(pictures(offloaded), pictures(pipeline))
    assert used == set(NETWORKS)
    assert set(offloaded.model_cpu_offload_seq.split("->")) == set(NETWORKS)


def test_warped_garment_replaces_the_warp(pipeline, monkeypatch):
    """Prevents: a given warp being warped once more."""
    warped = pipeline.encode_conditions(**toy_inputs()).warped_garment
    expected = pictures(pipeline)
    monkeypatch.setattr(pipeline.tps, "forward", lambda *_: pytest.fail("the garment was warped again"))
    assert np.allclose(pictures(pipeline, warped_garment=warped.detach()), expected, atol=1e-5)


def test_soft_masks_are_cut_at_one_half(pipeline):
    """Prevents: half-painted pixels, which no training picture had."""
    soft = toy_inputs()
    soft["mask"] = soft["mask"] * 0.6 + 0.1
    images = pipeline(**soft, generator=torch.Generator().manual_seed(3), output_type="np").images
    assert same(images, pictures(pipeline))


def test_stages_let_gradients_through(pipeline):
    """Prevents: a no_grad inside a stage, which would stop training silently."""
    conditions = pipeline.encode_conditions(**toy_inputs())
    for name in ("prompt_embeds", "person_moments", "garment_moments", "warped_garment"):
        assert getattr(conditions, name).requires_grad, name
    latents = torch.randn(1, 4, HEIGHT // 4, WIDTH // 4, requires_grad=True)
    assert pipeline.decode(latents, conditions).requires_grad


def test_output_types(pipeline):
    """Prevents: a range or an order of axes other than diffusers'."""
    outputs = {
        kind: pipeline(**toy_inputs(), generator=seeded(3), output_type=kind).images
        for kind in ("pil", "np", "pt")
    }
    assert outputs["pil"][0].size == (WIDTH, HEIGHT)
    assert np.allclose(outputs["pt"].permute(0, 2, 3, 1).numpy(), outputs["np"])
    assert outputs["np"].min() >= 0 and outputs["np"].max() <= 1
    images, conditions = pipeline(**toy_inputs(), generator=seeded(3), output_type="np", return_dict=False)
    assert same(images, outputs["np"]) and conditions.mask.shape == (1, 1, HEIGHT, WIDTH)


def test_repeated_conditions_keep_neighbours(pipeline):
    """Prevents: pictures of a person that are not side by side, or a forgotten field."""
    with torch.no_grad():
        conditions = pipeline.encode_conditions(**toy_inputs(2))
    repeated = repeat_conditions(conditions, 3)
    for field in dataclasses.fields(conditions):
        before, after = getattr(conditions, field.name), getattr(repeated, field.name)
        if before is None:
            continue
        pairs = zip(before, after, strict=True) if isinstance(before, tuple) else [(before, after)]
        for one, many in pairs:
            assert torch.equal(many[2], one[0]) and torch.equal(many[3], one[1]), field.name


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"num_inference_steps": 0}, "steps must be a whole number from 1, got 0"),
        ({"num_inference_steps": 2.5}, "steps must be a whole number from 1, got 2.5"),
        ({"guidance_scale": float("nan")}, "guidance must be a number from 0, got nan"),
        ({"guidance_scale": -1.0}, "guidance must be a number from 0, got -1.0"),
        ({"switches": Switches(cloth_cond_rate=1.5)}, "cloth_cond_rate must be 0–1, got 1.5"),
        ({"eta": 2.0}, "eta must be 0–1, got 2.0"),
        ({"num_images_per_prompt": 0}, "pictures must be a whole number from 1, got 0"),
        ({"generator": seeded(1, 2, 3)}, r"one per picture \(1\), got 3"),
        ({"output_type": "jpeg"}, "output_type must be one of pil, np, pt, latent, got 'jpeg'"),
        ({"callback_on_step_end_tensor_inputs": ["noise"]}, "got noise"),
        ({"category": "hat"}, "category must be one of upper_body, lower_body, dresses, got 'hat'"),
        ({"prompt": ["one", "two"]}, r"one per person \(1\), got 2"),
        ({"prompt": "worth $9"}, "must not contain"),
        ({"garment": None}, "give garment too"),
        ({"image": torch.zeros(3, HEIGHT, WIDTH)}, r"image must have the shape \(B,3,H,W\)"),
        ({"image": torch.zeros(1, 3, HEIGHT + 1, WIDTH)}, "multiples of 4, got 65×48"),
        ({"image": torch.full((1, 3, HEIGHT, WIDTH), 255.0)}, r"image must lie in \[-1,1\]"),
        ({"garment": torch.full((1, 3, HEIGHT, WIDTH), float("nan"))}, "garment must lie in"),
        ({"pose_map": torch.zeros(1, 17, HEIGHT, WIDTH)}, r"pose_map must have the shape \(1, 18, 64, 48\)"),
        ({"mask": torch.zeros(2, 1, HEIGHT, WIDTH)}, "mask must have the shape"),
        ({"mask": torch.zeros(1, 1, HEIGHT, WIDTH)}, "the mask is empty"),
    ],
)
def test_bad_calls_are_refused_in_a_sentence(pipeline, arguments, sentence):
    """Prevents: a shape error from deep inside a network, or minutes of work before a mistake is told."""
    with pytest.raises(SettingError, match=sentence):
        pipeline(**{**toy_inputs(), "output_type": "np", **arguments})


def test_conditions_and_pictures_exclude_each_other(pipeline):
    """Prevents: pictures that are silently ignored."""
    with torch.no_grad():
        conditions = pipeline.encode_conditions(**toy_inputs())
    with pytest.raises(SettingError, match="leave out image, mask, pose_map, garment"):
        pipeline(**toy_inputs(), conditions=conditions)


def test_parts_of_different_models_are_refused():
    """Prevents: a pipeline put together from parts that do not fit, which fails late or paints nonsense."""
    with pytest.raises(ModelError, match="EMASC's inputs"):
        toy_pipeline(emasc=EMASC())
