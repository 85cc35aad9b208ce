"""Contact sheets: rows of pictures to look at while something trains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch


def sheet(columns: Sequence[torch.Tensor]) -> np.ndarray:
    """Lays batches of pictures out as rows.

    Args:
        columns: batches (B,3,H,W) in [-1,1] of equal size; each becomes one row, sample beside sample.

    Returns:
        (rows·H, B·W, 3) uint8.
    """
    rows = [torch.cat(list(batch.float().clamp(-1, 1)), dim=-1) for batch in columns]
    whole = torch.cat(rows, dim=-2).movedim(0, -1)
    return ((whole + 1) * 127.5).round().byte().numpy()
