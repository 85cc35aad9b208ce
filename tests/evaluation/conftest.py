"""A toy model on disk, drawn pairs, and a short way to evaluate one on the other."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ladi.evaluation.run
from ladi.evaluation import variants
from ladi.evaluation.options import Options
from ladi.evaluation.run import evaluate
from tests.drawn_shards import write_drawn_shards
from tests.toy import toy_pipeline

Evaluate = Callable[..., dict[str, Any]]
NAMES = ["000100", "000101", "000102"]
"""Of the drawn validation pairs."""
FEW_STEPS: dict[str, Any] = {
    "STEPS": (2, 3, 4, 5),
    "SAMPLED": (("dpm++", 2), ("unipc", 2), ("dpm++", 3), ("unipc", 3)),
}
"""As many rows of the ablation as there are, in a sixth of the steps."""
LOAD = functools.cache(ladi.evaluation.run.load_networks)


def pictures(folder: Path) -> dict[str, np.ndarray]:
    """Name → pixels of every picture of a folder."""
    return {path.stem: np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))}


def times(folder: Path) -> dict[str, int]:
    """When each picture was written."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in sorted(folder.rglob("*.png"))}


def scores(result: dict[str, Any], rows: str = "rows") -> dict[str, dict[str, Any]]:
    """Row → its scores."""
    return {row["row"]: row["scores"] for row in result[rows]}


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy pipeline's folder."""
    folder = tmp_path_factory.mktemp("model")
    toy_pipeline().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shards with three validation pairs."""
    return write_drawn_shards(tmp_path_factory.mktemp("shards"), train=1, val=3)


@pytest.fixture(scope="session")
def evaluated(model: Path, data: Path) -> Evaluate:
    """``evaluated(out=…)`` evaluates the toy model, loaded once, in one step, with options replaced."""

    def run(**options: Any) -> dict[str, Any]:
        given: dict[str, Any] = {"data": data, "model": str(model), "steps": 1, "guidance": 1.0}
        given |= {"device": "cpu", "metrics": ("ssim", "masked_error", "fid"), "causes": False}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ladi.evaluation.run, "load_networks", LOAD)
            for name, rows in FEW_STEPS.items():
                patch.setattr(variants, name, rows)
            return evaluate(Options(**{**given, **options}))

    return run


@pytest.fixture
def run(evaluated: Evaluate, tmp_path: Path) -> Evaluate:
    """The same, into ``tmp_path / "out"`` unless told otherwise."""
    return lambda **options: evaluated(**{"out": tmp_path / "out", **options})
