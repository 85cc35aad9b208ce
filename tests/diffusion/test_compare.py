"""Cells computed together are the pictures that they would be alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ladi.diffusion.compare import Cell, batch_key, check_cells, latent_key, run_cells
from ladi.settings import Switches
from ladi.types import SettingError
from tests.toy import pictures, seeded, toy_inputs, toy_pipeline

PLAIN = Cell("full", steps=3, guidance=2.0, seed=5)


@pytest.fixture(scope="module")
def pipeline():
    return toy_pipeline()


@pytest.fixture(scope="module")
def conditions(pipeline):
    """Two garments on one person."""
    inputs = toy_inputs(2)
    with torch.no_grad():
        return [
            pipeline.encode_conditions(
                **{name: value[:1] for name, value in inputs.items()}
                | {"garment": inputs["garment"][row : row + 1]}
            )
            for row in range(2)
        ]


CELLS = [
    PLAIN,
    *(
        replace(PLAIN, label=name, switches=Switches(**{name: False}))
        for name in ("emasc", "pseudo_words", "warped_garment", "pose", "garment_skips")
    ),
    replace(PLAIN, label="rate", switches=Switches(cloth_cond_rate=0.4)),
    replace(PLAIN, label="steps", steps=2),
    replace(PLAIN, label="guidance", guidance=4.0),
    replace(PLAIN, label="unguided", guidance=1.0),
    replace(PLAIN, label="seed", seed=6),
    replace(PLAIN, label="garment", request_index=1),
]


def test_every_cell_equals_its_own_call(pipeline, conditions) -> None:
    """Prevents: rows of a shared batch that leak into each other, or get another's switches or noise."""
    made = run_cells(pipeline, conditions, CELLS)
    assert [picture.cell.label for picture in made] == [cell.label for cell in CELLS]
    for picture, cell in zip(made, CELLS, strict=True):
        alone = pictures(
            pipeline,
            conditions=conditions[cell.request_index],
            num_inference_steps=cell.steps,
            guidance_scale=cell.guidance,
            switches=cell.switches,
            generator=seeded(cell.seed),
        )
        ours = ((picture.image + 1) / 2)[0].movedim(0, -1).numpy()
        assert abs(ours - alone[0]).max() < 2e-3, cell.label
        assert picture.seconds > 0


def test_cells_share_what_they_can(pipeline, conditions, monkeypatch) -> None:
    """Prevents: a comparison that costs as much as its single runs."""
    rows = []
    forward = pipeline.unet.forward
    monkeypatch.setattr(
        pipeline.unet, "forward", lambda sample, *a, **k: rows.append(len(sample)) or forward(sample, *a, **k)
    )
    run_cells(pipeline, conditions, CELLS[:6])
    # EMASC and garment skips only change the decoding: four different latents, guided, in one batch.
    assert rows == [8, 8, 8]


def test_large_batches_are_split(pipeline, conditions, monkeypatch) -> None:
    rows = []
    forward = pipeline.unet.forward
    monkeypatch.setattr(
        pipeline.unet, "forward", lambda sample, *a, **k: rows.append(len(sample)) or forward(sample, *a, **k)
    )
    cells = [replace(PLAIN, seed=seed, steps=1) for seed in range(3)]
    run_cells(pipeline, conditions, cells, most=4)
    assert rows == [4, 2]


def test_keys_tell_apart_what_differs() -> None:
    assert latent_key(PLAIN) == latent_key(replace(PLAIN, switches=Switches(emasc=False)))
    assert latent_key(PLAIN) != latent_key(replace(PLAIN, switches=Switches(pose=False)))
    assert batch_key(PLAIN) == batch_key(replace(PLAIN, guidance=7.0, seed=1))
    assert batch_key(PLAIN) != batch_key(replace(PLAIN, guidance=1.0))


def test_progress_reaches_the_end_and_may_stop(pipeline, conditions) -> None:
    """Prevents: a Cancel that waits for the last cell."""
    shares: list[float] = []
    run_cells(pipeline, conditions, CELLS, progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0)

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cells(pipeline, conditions, CELLS, progress=stop)


def test_a_cell_may_use_another_sampler(pipeline, conditions) -> None:
    made = run_cells(pipeline, conditions, [PLAIN, replace(PLAIN, sampler="dpm++")])
    assert (made[0].image - made[1].image).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": 0}, "far off: steps must be a whole number from 1 to 100, got 0."),
        ({"guidance": float("nan")}, "far off: guidance must be a number from 0 to 30, got nan."),
        ({"seed": -1}, "far off: seed must be"),
        ({"sampler": "dice"}, "far off: sampler must be"),
        ({"switches": Switches(cloth_cond_rate=2)}, "far off: cloth_cond_rate must be"),
    ],
)
def test_a_cell_outside_its_range_is_refused_by_name(change, words) -> None:
    """Prevents: a comparison that fails in the middle of sampling, with words about tensors."""
    check_cells(CELLS)
    with pytest.raises(SettingError, match=words):
        check_cells([PLAIN, replace(PLAIN, label="far off", **change)])
