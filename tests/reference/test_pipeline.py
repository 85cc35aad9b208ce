"""The sampling pipeline against the published implementation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ladi.diffusion.conditioning import encode_text
from ladi.settings import Switches
from ladi.types import Conditions
from tests.reference.filled import PLACEHOLDER_ID, empty_ids, filled_pipeline, text_ids

CASES = {
    "default_8": (8, 7.5, 1234, Switches()),
    "no_emasc_8": (8, 7.5, 1234, Switches(emasc=False)),
    "no_cfg_8": (8, 1.0, 1234, Switches()),
    "cond_rate_half_8": (8, 5.0, 1234, Switches(cloth_cond_rate=0.5)),
    "no_pose_8": (8, 5.0, 1234, Switches(pose=False)),
    "seed7_20": (20, 3.0, 7, Switches()),
}


@pytest.fixture(scope="module")
def pipeline(reference_dir, fill):
    """The pipeline with the reference's weights."""
    return filled_pipeline(reference_dir, fill)


@pytest.fixture(scope="module")
def conditions(pipeline, values) -> Conditions:
    """Computed once: that every case reproduces its numbers from them shows that they can be reused."""
    mask = torch.zeros(2, 1, 128, 96)
    mask[:, :, 40:100, 24:72] = 1
    mask[1, :, 60:70] = 1
    with torch.no_grad():
        return pipeline.encode_conditions(
            torch.tanh(values("person", (2, 3, 128, 96))),
            mask,
            torch.sigmoid(values("posemap", (2, 18, 128, 96))),
            torch.zeros(2, 3, 128, 96),
            warped_garment=torch.tanh(values("warped", (2, 3, 128, 96))),
            prompt_embeds=encode_text(
                pipeline.text_encoder, text_ids(), values("pte", (2, 16, 32)), PLACEHOLDER_ID
            ),
            negative_prompt_embeds=encode_text(pipeline.text_encoder, empty_ids()),
        )


@pytest.mark.parametrize("name", CASES)
def test_sampling(name, pipeline, conditions, reference_dir, assert_close):
    """Prevents: other channels, draws in another order, guidance the wrong way round, misplaced skips."""
    steps, guidance, seed, switches = CASES[name]
    images = pipeline(
        conditions=conditions,
        num_inference_steps=steps,
        guidance_scale=guidance,
        switches=switches,
        generator=torch.Generator().manual_seed(seed),
        output_type="np",
    ).images
    assert_close(images, np.load(reference_dir / "pipeline.npz")[name])
