"""For the whole suite: seeds, units of work, the embedded model, and the optional folder of shared data."""

from __future__ import annotations

import os
import queue
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.forked import Forks
from tests.spread import in_order, spread

if TYPE_CHECKING:
    from ladi.engine import Engine

ROOT = Path(__file__).resolve().parent.parent
SHARING = ("ladi.data.preparing.pictures", "ladi.evaluation.causes.diagnosis", "ladi.runtime.preparation")
"""Who looks for people with graphs that all of them share."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Before pytest-xdist looks at how its processes share the work."""
    spread(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    in_order(config, items)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    # Not at the top: the process that only hands out the work has no need of it.
    import torch

    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Clients of HTTP read one certificate instead of all of the world's authorities.

    Each client reads them anew, in 50 ms, and hundreds are made; nothing here is asked over TLS.
    """
    import certifi

    end = "-----END CERTIFICATE-----\n"
    first, *_ = Path(certifi.where()).read_text("utf-8").split(end)
    file = tmp_path_factory.mktemp("authority") / "one.pem"
    file.write_text(first + end, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture(scope="session", autouse=True)
def _graphs_are_shared() -> Iterator[None]:
    """All engines and data preparations look for people with the same few sets of mediapipe's graphs.

    A set takes half a second and 200 MB, which mediapipe does not give back with the engine. Sets do not
    remember pictures; tests of the detector itself have their own.
    """
    from ladi.preprocess.pose import PoseDetector

    idle: Any = queue.SimpleQueue()
    create = PoseDetector.__init__

    def sharing(detector: PoseDetector, *, workers: int = 2) -> None:
        create(detector, workers=workers)
        # By name: importing those who look takes seconds, in which most files of tests could be run.
        if sys._getframe(1).f_globals["__name__"] in SHARING:
            detector._idle = idle

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PoseDetector, "__init__", sharing)
        yield


@pytest.fixture(scope="session")
def embedded() -> Engine:
    """The embedded model, loaded once; its engine keeps nothing that a test could see but time."""
    from ladi.engine import Engine

    return Engine.load("mini", device="cpu")


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Runs commands in processes of their own."""
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    running = Forks()
    yield running
    running.close()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of test pictures and reference numbers beside the project; skips where it is absent."""
    folder = Path(os.environ.get("LADI_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"the shared data folder is not beside the project ({folder.name}/ is missing)")
    return folder
