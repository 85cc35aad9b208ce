"""Many settings side by side: one preparation, one starting noise, and no step computed twice.

```
cells ─► group by what the UNet's batch must share ─► one denoising per group, a row per different latent
                                                  └─► decode each cell with its own skips ─► pictures
```

Cells that differ only in how they decode (EMASC, garment skips) share a latent; cells that differ in what the
UNet is shown (pose, words, warped garment, guidance) share its batches. It knows tensors and conditions;
photos and layout are the page's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch

from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.diffusion.samplers import make_sampler
from ladi.diffusion.sampling import DrawnLatents, Sampling
from ladi.settings import Settings, Switches, check_settings
from ladi.types import Conditions, Finding, SettingError


@dataclass(frozen=True)
class Cell:
    """One picture of a comparison."""

    label: str
    steps: int
    guidance: float
    seed: int
    switches: Switches = field(default_factory=Switches)
    request_index: int = 0
    """Which of the comparison's requests (person with garment) it shows, and so which of its conditions."""
    sampler: str | None = None
    """A choice of the setting ``sampler``; the model's own if none."""


@dataclass(frozen=True)
class CellPicture:
    """What became of a cell."""

    cell: Cell
    image: torch.Tensor
    """(1,3,H,W) in [-1,1]."""
    layers: torch.Tensor | None
    """(1,K,H,W), what its pixels show, from models that tell."""
    seconds: float
    """Its share of the time of every batch that it was in."""


@dataclass(frozen=True)
class Compared:
    """A cell's picture as it is shown."""

    cell: Cell
    image: np.ndarray
    """(H,W,3) uint8 RGB, as a result's pictures."""
    seconds: float
    findings: tuple[Finding, ...] = ()
    """What is worth knowing of its photo and its garment."""


def check_cells(cells: Sequence[Cell]) -> None:
    """Raises SettingError for whatever in a cell is outside its range, and names the cell."""
    for cell in cells:
        settings = Settings(cell.steps, cell.guidance, cell.seed, cell.sampler, switches=cell.switches)
        try:
            check_settings(settings)
        except SettingError as error:
            raise SettingError(f"{cell.label}: {error}") from error


def latent_key(cell: Cell) -> tuple[Any, ...]:
    """Cells with the same key have the same latent: everything but how it is decoded."""
    switches = replace(cell.switches, emasc=True, garment_skips=True)
    return (cell.request_index, cell.steps, max(cell.guidance, 1.0), cell.seed, cell.sampler, switches)


def batch_key(cell: Cell) -> tuple[Any, ...]:
    """Cells with the same key can go through the UNet in one batch: same steps, same share with garment."""
    return (cell.steps, cell.sampler, cell.switches.cloth_cond_rate, cell.guidance > 1)


def _with_switches(conditions: Conditions, switches: Switches) -> Conditions:
    """Conditions of one picture in which what its cell switches off is off, but for the garment's latent.

    That one is drawn first, so ``_denoise`` takes it away; EMASC and garment skips are the decoder's.
    """
    return replace(
        conditions,
        pose_map=conditions.pose_map * switches.pose,
        prompt_embeds=conditions.prompt_embeds if switches.pseudo_words else conditions.plain_prompt_embeds,
        warped_matte=None
        if conditions.warped_matte is None
        else conditions.warped_matte * switches.warped_garment,
    )


def _stack(rows: Sequence[Conditions]) -> Conditions:
    """One batch from several conditions of one row each, without what only decoding needs."""
    left_out = {"person_features": (), "garment_features": (), "warp_grid": None, "coarse_garment": None}
    stacked: dict[str, Any] = dict(left_out)
    for entry in fields(Conditions):
        if entry.name in left_out:
            continue
        parts = [getattr(row, entry.name) for row in rows]
        stacked[entry.name] = None if parts[0] is None else torch.cat(parts)
    return Conditions(**stacked)


@torch.no_grad()
def run_cells(
    pipeline: LadiVtonPipeline,
    conditions: Sequence[Conditions],
    cells: Sequence[Cell],
    *,
    most: int = 8,
    progress: Callable[[float], None] | None = None,
) -> list[CellPicture]:
    """Computes all cells.

    Args:
        pipeline: the model.
        conditions: one row each, such as one per garment.
        cells: what to compute; a cell equals a call of the pipeline with its settings, within rounding.
        most: rows that go through the UNet at once; guided rows count twice.
        progress: called with the share of the UNet's work that is done; it may raise to stop.

    Returns:
        One picture per cell, in their order.
    """
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    chosen: dict[tuple[Any, ...], Cell] = {}
    for cell in cells:
        key = latent_key(cell)
        if key not in chosen:
            chosen[key] = cell
            groups.setdefault(batch_key(cell), []).append(key)
    batches = []
    for (*_, guided), keys in groups.items():
        rows = max(1, most // 2 if guided else most)
        batches += [keys[start : start + rows] for start in range(0, len(keys), rows)]
    work = sum(chosen[keys[0]].steps * len(keys) for keys in batches)
    done = 0
    latents: dict[tuple[Any, ...], torch.Tensor] = {}
    seconds: dict[tuple[Any, ...], float] = {}
    for keys in batches:
        members = [chosen[key] for key in keys]

        def after_step(
            _: Any, step: int, __: Any, ___: Any, before: int = done, rows: int = len(keys)
        ) -> None:
            if progress is not None:
                progress((before + (step + 1) * rows) / work)

        started = time.perf_counter()
        made = _denoise(pipeline, conditions, members, after_step)
        for row, key in enumerate(keys):
            latents[key] = made[row : row + 1]
            seconds[key] = (time.perf_counter() - started) / len(keys)
        done += members[0].steps * len(keys)
    pictures = []
    sharing = {key: sum(latent_key(cell) == key for cell in cells) for key in latents}
    for cell in cells:
        if progress is not None:
            progress(1.0)
        key, started = latent_key(cell), time.perf_counter()
        image, layers = pipeline.decode_with_layers(
            latents[key], conditions[cell.request_index], cell.switches
        )
        spent = time.perf_counter() - started + seconds[key] / sharing[key]
        pictures.append(
            CellPicture(cell, image.clamp(-1, 1).cpu(), None if layers is None else layers.cpu(), spent)
        )
    pipeline.maybe_free_model_hooks()
    return pictures


def _denoise(
    pipeline: LadiVtonPipeline,
    conditions: Sequence[Conditions],
    members: Sequence[Cell],
    after_step: Callable[..., None],
) -> torch.Tensor:
    """Latents (B,L,h,w) of cells that share a batch."""
    first = members[0]
    stacked = _stack([_with_switches(conditions[cell.request_index], cell.switches) for cell in members])
    # On the CPU, one for each, so that a cell has the noise that it would have alone.
    generators = [torch.Generator("cpu").manual_seed(cell.seed) for cell in members]
    draws = pipeline.prepare_latents(stacked, generators)
    shown = torch.tensor([float(cell.switches.warped_garment) for cell in members])
    draws = DrawnLatents(
        draws.noise, draws.garment * shown.to(draws.garment).reshape(-1, 1, 1, 1), draws.person
    )
    return pipeline.denoise(
        stacked,
        draws,
        Sampling(
            steps=first.steps,
            guidance=[cell.guidance for cell in members],
            switches=Switches(cloth_cond_rate=first.switches.cloth_cond_rate),
        ),
        generator=generators,
        callback=after_step,
        scheduler=make_sampler(first.sampler, pipeline.scheduler),
    )
