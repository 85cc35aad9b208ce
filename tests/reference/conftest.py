"""Where the published implementation's numbers lie, and how their weights and inputs are made."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """The folder of reference numbers, from ``LADI_REFERENCE``; skips where it is absent."""
    folder = Path(os.environ.get("LADI_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not (folder / "salt.txt").is_file():
        pytest.skip("no reference numbers: set LADI_REFERENCE to the folder that holds salt.txt")
    return folder


@pytest.fixture(scope="session")
def salt(reference_dir: Path) -> str:
    """The word from which all weights and inputs of this set of numbers are derived."""
    return (reference_dir / "salt.txt").read_text().strip()


@pytest.fixture(scope="session")
def _fill_module(reference_dir: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_fill", reference_dir / "fill.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def values(_fill_module: ModuleType, salt: str) -> Callable[..., torch.Tensor]:
    """``values(name, shape, scale=1.0)``: a deterministic input."""

    def make(name: str, shape: tuple[int, ...], scale: float = 1.0) -> torch.Tensor:
        return torch.from_numpy(_fill_module.values(name, shape, salt, scale))

    return make


@pytest.fixture(scope="session")
def fill(
    _fill_module: ModuleType, salt: str
) -> Callable[[Mapping[str, torch.Tensor]], dict[str, torch.Tensor]]:
    """``fill(state_dict)``: the same keys with deterministic values; integer buffers are kept."""

    def make(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        filled = {key: torch.from_numpy(array) for key, array in _fill_module.fill(state, salt).items()}
        return {key: filled.get(key, tensor) for key, tensor in state.items()}

    return make


@pytest.fixture(scope="session")
def assert_close() -> Callable[[torch.Tensor | np.ndarray, np.ndarray], None]:
    """Equal within 1e-3 of the expected output's range, the tolerance of the reference."""

    def check(actual: torch.Tensor | np.ndarray, expected: np.ndarray, tolerance: float = 1e-3) -> None:
        array = actual.detach().numpy() if isinstance(actual, torch.Tensor) else actual
        assert array.shape == expected.shape
        error = np.abs(array - expected).max()
        bound = tolerance * (expected.max() - expected.min())
        assert error <= bound, f"largest error {error:.3g}, allowed {bound:.3g}"

    return check
