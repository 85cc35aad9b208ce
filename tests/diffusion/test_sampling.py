"""How the pipeline samples: switches, guidance, schedulers, callbacks; on real classes at toy size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_euler_ancestral_discrete import EulerAncestralDiscreteScheduler
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from diffusers.schedulers.scheduling_heun_discrete import HeunDiscreteScheduler
from diffusers.schedulers.scheduling_lcm import LCMScheduler
from diffusers.schedulers.scheduling_pndm import PNDMScheduler
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.settings import Switches
from tests.toy import HEIGHT, WIDTH, pictures, same, seeded, toy_inputs, toy_pipeline


@pytest.fixture(scope="module")
def pipeline() -> LadiVtonPipeline:
    """Shared by the tests that change nothing on it."""
    return toy_pipeline()


@pytest.mark.parametrize(
    "switches",
    [
        Switches(emasc=False),
        Switches(pseudo_words=False),
        Switches(warped_garment=False),
        Switches(pose=False),
        Switches(garment_skips=False),
        Switches(cloth_cond_rate=0.5),
    ],
)
def test_switches_change_the_picture_but_not_the_draws(pipeline, switches):
    """Prevents: a switch without effect, or one that shifts the noise so that pictures cannot be compared."""
    ours, theirs = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    without = pictures(pipeline, generator=ours, switches=switches)
    full = pictures(pipeline, generator=theirs)
    assert not np.allclose(without, full, atol=1e-5)
    assert torch.equal(ours.get_state(), theirs.get_state())


def test_condition_rate_zero_is_no_garment(pipeline):
    """Prevents: a rate counted from the wrong end of the steps."""
    none = pictures(pipeline, switches=Switches(cloth_cond_rate=0.0))
    assert same(none, pictures(pipeline, switches=Switches(warped_garment=False)))


@pytest.mark.parametrize(("guidance", "rows"), [(0.0, 2), (1.0, 2), (1.01, 4)])
def test_guidance_up_to_one_runs_a_single_batch(pipeline, guidance, rows, monkeypatch):
    """Prevents: paying for an unconditional half that has no weight."""
    seen = []
    forward = pipeline.unet.forward
    monkeypatch.setattr(
        pipeline.unet, "forward", lambda sample, *a, **k: seen.append(len(sample)) or forward(sample, *a, **k)
    )
    pictures(pipeline, 2, guidance_scale=guidance)
    assert seen == [rows] * 2


def test_unconditional_half_has_no_garment_and_no_pose(pipeline, monkeypatch):
    """Prevents: guidance that pushes away from what should be shown."""
    samples, texts = [], []
    forward = pipeline.unet.forward

    def record(sample, timestep, encoder_hidden_states, **rest):
        samples.append(sample)
        texts.append(encoder_hidden_states)
        return forward(sample, timestep, encoder_hidden_states=encoder_hidden_states, **rest)

    monkeypatch.setattr(pipeline.unet, "forward", record)
    conditions = pipeline(**toy_inputs(), generator=seeded(1), output_type="latent").conditions
    unconditional, conditional = samples[0]
    assert torch.equal(unconditional[:9], conditional[:9])
    assert not unconditional[9:].any() and conditional[9:27].any() and conditional[27:].any()
    assert torch.equal(texts[0], torch.cat([conditions.negative_embeds, conditions.prompt_embeds]))


@pytest.mark.parametrize(
    "scheduler",
    [
        DDPMScheduler,
        PNDMScheduler,
        EulerDiscreteScheduler,
        EulerAncestralDiscreteScheduler,
        HeunDiscreteScheduler,
        DPMSolverMultistepScheduler,
        UniPCMultistepScheduler,
        LCMScheduler,
    ],
)
def test_any_scheduler(scheduler):
    """Prevents: forgetting to scale noise or input, the step's generator, or a scheduler's kept state."""
    pipeline = toy_pipeline()
    pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config)
    first = pictures(pipeline, 2, num_inference_steps=4, generator=seeded(1, 2))
    assert np.isfinite(first).all()
    assert same(first, pictures(pipeline, 2, num_inference_steps=4, generator=seeded(1, 2)))
    alone = pipeline(
        **{name: tensor[1:] for name, tensor in toy_inputs(2).items()},
        num_inference_steps=4,
        generator=seeded(2),
        output_type="np",
    ).images
    assert np.abs(alone[0] - first[1]).max() < 1e-3


def test_zero_terminal_noise_schedule():
    """Prevents: dividing by zero, or never seeing pure noise, with v-prediction and trailing steps."""
    pipeline = toy_pipeline()
    pipeline.scheduler = DDIMScheduler.from_config(
        pipeline.scheduler.config,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
    )
    timesteps = []
    images = pictures(
        pipeline,
        num_inference_steps=4,
        callback_on_step_end=lambda _, __, timestep, ___: timesteps.append(int(timestep)),
    )
    assert timesteps == [999, 749, 499, 249]
    assert np.isfinite(images).all()


def test_callback_sees_and_changes_every_step(pipeline):
    """Prevents: progress that skips steps; returned tensors that are ignored."""
    steps, shapes = [], []

    def clear_last(ours, step, _, tensors):
        assert ours is pipeline
        steps.append(step)
        shapes.append({name: tuple(tensor.shape) for name, tensor in tensors.items()})
        return {"latents": torch.zeros_like(tensors["latents"])} if step == 2 else {}

    latents = pipeline(
        **toy_inputs(2),
        num_inference_steps=3,
        callback_on_step_end=clear_last,
        callback_on_step_end_tensor_inputs=["latents", "prompt_embeds"],
        output_type="latent",
    ).images
    assert steps == [0, 1, 2]
    assert shapes[0] == {"latents": (2, 4, HEIGHT // 4, WIDTH // 4), "prompt_embeds": (4, 32, 16)}
    assert not latents.any()


def test_callback_interrupts_or_gives_up(pipeline):
    """Prevents: a cancelled job that keeps the machine busy."""
    steps = []

    def interrupt(_, step, __, ___):
        steps.append(step)
        return {"interrupt": True}

    assert np.isfinite(pictures(pipeline, num_inference_steps=5, callback_on_step_end=interrupt)).all()
    assert steps == [0]

    def give_up(*_):
        raise InterruptedError("cancelled")

    with pytest.raises(InterruptedError, match="cancelled"):
        pictures(pipeline, callback_on_step_end=give_up)
