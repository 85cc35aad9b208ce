"""Networks that stay in float32 when the pipeline around them is cast to half precision.

The warping runs in float32 as published: a grid rounded to half precision moves pixels. This module keeps
such weights as they are; that inputs are float32 too is the business of ``ladi/diffusion/conditioning.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

HALF_PRECISION = (torch.float16, torch.bfloat16)


class KeepFloat32(nn.Module):
    """Mixin: casts to half precision move the module, but leave its float32 weights as they are.

    A class that uses it also lists its parts in ``_keep_in_fp32_modules``, which does the same for diffusers'
    loading.
    """

    config: Any

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Any:
        """The one function through which PyTorch casts and moves every parameter and buffer."""

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            moved = fn(tensor)
            if tensor.dtype is torch.float32 and moved.dtype in HALF_PRECISION:
                return tensor.to(moved.device)
            return moved

        return super()._apply(keep, recurse)
