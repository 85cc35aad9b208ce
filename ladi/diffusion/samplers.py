"""Which samplers may take the place of a model's own, by the names that users know.

All are diffusers' schedulers with the model's own noise levels, and draw nothing at random, so that a seed
means one picture. How a sampler is run is ``sampling.py``'s business.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ladi.settings import settings_table

if TYPE_CHECKING:
    from diffusers import SchedulerMixin


CLASSES = {
    "ddim": "DDIMScheduler",
    "dpm++": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
    "euler": "EulerDiscreteScheduler",
}
"""diffusers' class of each choice in the table of settings."""


def make_sampler(name: str | None, own: Any) -> SchedulerMixin:
    """A scheduler for one sampling.

    Args:
        name: a choice of the setting ``sampler``; ``None`` gives a copy of the model's own.
        own: the model's scheduler, whose noise levels and prediction type are taken.

    Raises:
        SettingError: there is no such sampler.
    """
    settings_table()["sampler"].check(name)
    if name is None:
        return copy.deepcopy(own)
    import diffusers

    return getattr(diffusers, CLASSES[name]).from_config(own.config)
