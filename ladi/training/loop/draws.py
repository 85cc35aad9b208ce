"""Random numbers that belong to samples, not to processes.

Every sample of a step draws from a generator of its own, which depends on the seed, the step and the sample's
place in the whole batch. However many processes or accumulated parts a batch is cut into, and wherever a run
was resumed, each sample meets the same noise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

_PURPOSE = 2
"""Keeps these numbers apart from those that make batches."""


class Draws:
    """The random numbers of some samples of one step, on the CPU.

    Args:
        seed: of the training.
        step: whose samples they are.
        places: of the samples in the whole batch.
    """

    def __init__(self, seed: int, step: int, places: Iterable[int]) -> None:
        self._generators = []
        for place in places:
            state = np.random.SeedSequence([seed, _PURPOSE, step, place]).generate_state(1, np.uint64)
            self._generators.append(torch.Generator().manual_seed(int(state[0] >> 1)))

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self._generators)

    def normal(self, shape: Sequence[int]) -> torch.Tensor:
        """Standard normal numbers, so many for each sample: (B,*shape)."""
        return torch.stack([torch.randn(tuple(shape), generator=each) for each in self._generators])

    def integers(self, high: int) -> torch.Tensor:
        """One integer from 0 to ``high`` − 1 for each sample: (B,)."""
        return torch.cat([torch.randint(high, (1,), generator=each) for each in self._generators])

    def chance(self, probability: float, shape: Sequence[int] = ()) -> torch.Tensor:
        """True with a probability: (B,*shape)."""
        uniform = [torch.rand(tuple(shape), generator=each) for each in self._generators]
        return torch.stack(uniform) < probability


def window_on(mask: torch.Tensor, size: tuple[int, int], draws: Draws, unit: int = 1) -> tuple[slice, slice]:
    """A random crop for a whole batch that holds some of its masks.

    Args:
        mask: (B,1,H,W), above 0 where something is.
        size: height and width of the crop, at most the pictures'.
        draws: the first sample's decide.
        unit: pixels that the crop's edges are multiples of.

    Returns:
        Rows and columns.
    """
    height, width = mask.shape[-2:]
    rows = torch.nonzero(mask.amax((0, 1, 3)) > 0)[:, 0]
    middle = int(rows[int(draws.integers(len(rows))[0])]) if len(rows) else height // 2
    tall, wide = min(size[0], height), min(size[1], width)
    top = min(max(middle - tall // 2, 0), height - tall) // unit * unit
    left = int(draws.integers((width - wide) // unit + 1)[0]) * unit
    return slice(top, top + tall), slice(left, left + wide)


@contextmanager
def dropout_from(draws: Draws, modules: Iterable[nn.Module]) -> Iterator[None]:
    """Inside, the dropout layers of some modules draw from each sample's own numbers.

    Their inputs must have the samples first. Dropout that a library calls as a function is not reached.
    """

    def drop(
        layer: nn.Module, inputs: tuple[torch.Tensor, ...], _output: torch.Tensor
    ) -> torch.Tensor | None:
        assert isinstance(layer, nn.Dropout)
        if not layer.training or layer.p == 0:
            return None
        kept = draws.chance(1 - layer.p, inputs[0].shape[1:])
        return inputs[0] * kept.to(inputs[0]) / (1 - layer.p)

    layers = {layer for module in modules for layer in module.modules() if isinstance(layer, nn.Dropout)}
    hooks = [layer.register_forward_hook(drop) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
