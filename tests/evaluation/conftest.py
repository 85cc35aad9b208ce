"""A toy model on disk, drawn pairs, and a short way to evaluate one on the other."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ladi.evaluation.run
from ladi.evaluation.options import Options
from ladi.evaluation.run import evaluate
from tests.drawn_shards import write_drawn_shards
from tests.toy import toy_pipeline

Evaluate = Callable[..., dict[str, Any]]
LOAD = functools.cache(ladi.evaluation.run.load_networks)


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


@pytest.fixture
def run(model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    """``run(…)`` evaluates the toy model in one step, with options replaced; it is loaded from disk once."""
    monkeypatch.setattr(ladi.evaluation.run, "load_networks", LOAD)

    def evaluated(**options: Any) -> dict[str, Any]:
        given: dict[str, Any] = {"data": data, "out": tmp_path / "out", "model": str(model)}
        given |= {"steps": 1, "guidance": 1.0, "device": "cpu", "metrics": ("ssim", "masked_error", "fid")}
        given |= {"causes": False}
        return evaluate(Options(**{**given, **options}))

    return evaluated
