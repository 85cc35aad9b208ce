"""What kind of garment a cut-out shows, by its picture: a small network of ours, not part of the paper.

How a cut-out is brought to its size, and what is made of its answer, stands in ``ladi/preprocess``.
"""

from __future__ import annotations

import torch
from torch import nn

SIDE = 48
"""Pixels of the square that it looks at."""
_HALVINGS = 4
_DROPPED = 0.3


class GarmentKind(nn.Module):
    """Picture and matte → logits of kinds.

    Args:
        kinds: how many are told apart.
        widths: channels at half size, a quarter, an eighth (twice) and a sixteenth.
    """

    def __init__(self, kinds: int, widths: tuple[int, int, int, int] = (16, 32, 56, 80)) -> None:
        super().__init__()
        half, quarter, eighth, last = widths
        self.a = _layer(4, half, 2)
        self.b = _layer(half, quarter, 2)
        self.c = _layer(quarter, eighth, 2)
        self.c2 = _layer(eighth, eighth, 1)
        self.d = _layer(eighth, last, 2)
        self.drop = nn.Dropout(_DROPPED)
        self.head = nn.Linear(last * (SIDE // 2**_HALVINGS + 1), kinds)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """(B,4,S,S), as ``seen`` gives it, S being ``SIDE`` → (B,kinds) logits."""
        shapes = self.c(self.b(self.a(picture)))
        shapes = self.d(shapes + self.c2(shapes))  # [B,last,S/16,S/16]
        # What is above and what is below counts, what is left and what is right does not.
        rows = shapes.mean(3).flatten(1)
        return self.head(self.drop(torch.cat([rows, shapes.amax((2, 3))], 1)))


def seen(colours: torch.Tensor, matte: torch.Tensor) -> torch.Tensor:
    """What the network looks at: colours (B,3,S,S) around the middle grey that is no garment, and the matte.

    Args:
        colours: in [0,1].
        matte: (B,1,S,S) in [0,1].
    """
    return torch.cat([(colours - 0.5) * matte * 2.5, matte], 1)


def _layer(channels: int, width: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )
