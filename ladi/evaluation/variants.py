"""The rows of the tables: the full method, the baselines, and the paper's ablation with a few rows of ours.

It names them and says which part each leaves out; ``generate.py`` makes their pictures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from ladi.settings import Switches

EmascKind = Literal["nonlinear", "linear"]

GREY, WARPED = "grey", "warped garment pasted"
BASELINES = (GREY, WARPED)
"""What no diffusion is needed for: a grey mask, and the warped garment cut out by the mask."""
STEPS = (4, 8, 20, 50)
"""The numbers of steps that the ablation tries beside the full method's own."""
SAMPLED = (("dpm++", 8), ("unipc", 8), ("dpm++", 20), ("unipc", 20))
"""Other samplers that it tries, and in how many steps: they are known to need fewer than DDIM."""


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    name: str
    switches: Switches = field(default_factory=Switches)
    steps: int | None = None
    guidance: float | None = None
    emasc: EmascKind | None = None
    """Another kind of EMASC than the model's own, which must have been trained; none = the model's own."""
    sampler: str | None = None
    """A choice of the setting ``sampler``; none = the model's own."""
    why: str | None = None
    """Why this row cannot be computed, where it cannot."""

    @property
    def slug(self) -> str:
        """The name as a folder's."""
        return slug(self.name)


def slug(name: str) -> str:
    """A row's name as a folder's: ``no warped garment`` → ``no-warped-garment``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def ablation(
    full: Variant, *, own: EmascKind = "nonlinear", why_not_other: str | None = None
) -> list[Variant]:
    """The paper's ablation, and rows of ours, around the full method.

    Args:
        full: the full method.
        own: the kind of EMASC that the model has.
        why_not_other: why there is no EMASC of the other kind; none = there is one.

    Returns:
        The full method first.
    """
    other: EmascKind = "linear" if own == "nonlinear" else "nonlinear"
    return [
        full,
        replace(full, name="no EMASC", switches=Switches(emasc=False)),
        replace(full, name=f"{other} EMASC", emasc=other, why=why_not_other),
        replace(full, name="no pseudo-words", switches=Switches(pseudo_words=False)),
        replace(full, name="no warped garment", switches=Switches(warped_garment=False)),
        replace(full, name="no pose", switches=Switches(pose=False)),
        replace(full, name="no garment skips", switches=Switches(garment_skips=False)),
        *(replace(full, name=f"{steps} steps", steps=steps) for steps in STEPS if steps != full.steps),
        *(
            replace(full, name=f"{sampler}, {steps} steps", sampler=sampler, steps=steps)
            for sampler, steps in SAMPLED
            if sampler != full.sampler
        ),
    ]
