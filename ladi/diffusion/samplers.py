"""Which samplers may take the place of a model's own, by the names that users know.

All are diffusers' schedulers with the model's own noise levels, and draw nothing at random, so that a seed
means one picture. How a sampler is run is ``sampling.py``'s business.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ladi.settings import SAMPLERS, check_sampler

if TYPE_CHECKING:
    from diffusers import SchedulerMixin


def make_sampler(name: str | None, own: Any) -> SchedulerMixin:
    """A scheduler for one sampling.

    Args:
        name: in ``SAMPLERS``; ``None`` gives a copy of the model's own.
        own: the model's scheduler, whose noise levels and prediction type are taken.

    Raises:
        SettingError: there is no such sampler.
    """
    check_sampler(name)
    if name is None:
        return copy.deepcopy(own)
    import diffusers

    return getattr(diffusers, SAMPLERS[name]).from_config(own.config)
