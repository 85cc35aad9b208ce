"""The real sizes, once: files as published, downloaded from loopback, converted, and two steps painted.

Minutes of work and gigabytes of disk and memory; the seconds and the peak memory of each stage are printed
(``pytest -m slow -s tests/weights/test_full_size.py``).
"""

from __future__ import annotations

import importlib.util
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.weights.published import write_base, write_checkpoints, write_vision
from tests.weights.server import serve

pytestmark = pytest.mark.slow

DISK_GB, MEMORY_GB = 24, 16
LARGEST = "unet_vitonhd.pth"


@pytest.fixture
def fill(shared_dir: Path) -> Callable[[str, Mapping[str, torch.Tensor]], dict[str, torch.Tensor]]:
    """The reference's own way of making weights from names."""
    path = Path(os.environ.get("LADI_REFERENCE", shared_dir / "reference")) / "fill.py"
    if not path.is_file():
        pytest.skip("no reference numbers: set LADI_REFERENCE to the folder that holds fill.py")
    spec = importlib.util.spec_from_file_location("reference_fill_full", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def make(component: str, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        filled = module.fill(state, "full")
        return {
            key: torch.from_numpy(filled[key])
            if key in filled
            else torch.zeros(tensor.shape, dtype=tensor.dtype)
            for key, tensor in state.items()
        }

    return make


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk with enough space, emptied afterwards; skips where there is none."""
    free = shutil.disk_usage(tmp_path).free / 1e9
    if free < DISK_GB:
        pytest.skip(f"{DISK_GB} GB of disk are needed, {free:.0f} GB are free")
    memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    if Path("/proc/meminfo").is_file():
        words = next(line for line in open("/proc/meminfo") if line.startswith("MemAvailable"))
        memory = int(words.split()[1]) / 1e6
    if memory < MEMORY_GB:
        pytest.skip(f"{MEMORY_GB} GB of memory are needed, {memory:.0f} GB are free")
    yield tmp_path
    shutil.rmtree(tmp_path)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Print seconds, and the highest memory of the process so far; mapped files count while they are read."""
    start = time.monotonic()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(f"\n{name:<12} {time.monotonic() - start:7.1f} s, peak {peak / 1e9:5.1f} GB so far", flush=True)


def test_from_published_files_to_a_picture(
    room: Path, fill: Any, shared_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents what only the real sizes show: a key, a shard, a size or a memory peak that no toy has."""
    from ladi.commands.main import main
    from ladi.weights import catalog
    from ladi.weights.networks import PUBLISHED

    photos, garments = (
        sorted((shared_dir / "data" / "hd" / name).glob("*.*"))
        for name in ("persons_upper", "garments_upper")
    )
    if not photos or not garments:
        pytest.skip("the shared folder has no data/hd/persons_upper or data/hd/garments_upper")
    origin = room / "origin"
    with stage("fill"):
        write_checkpoints(origin, PUBLISHED, fill)
        write_base(room / "base", PUBLISHED, fill)
        write_vision(room / "vision", PUBLISHED, fill)
    monkeypatch.setitem(catalog.MODELS, "vitonhd", room / "models" / "vitonhd")
    given = ["--base", str(room / "base"), "--vision", str(room / "vision")]
    with serve(origin) as server, stage("download"):
        monkeypatch.setenv("LADI_WEIGHTS_URL", server.url)
        server.faults[LARGEST] = ["drop"]
        server.faults["inversion_adapter_vitonhd.pth"] = ["truncate"]
        assert main(["download", "vitonhd", "--dir", str(room / "downloads"), *given]) == 0
        assert server.requests(LARGEST)[1] is not None, "the dropped file is taken up, not begun again"
        assert len(server.requests("inversion_adapter_vitonhd.pth")) == 2
    shutil.rmtree(origin)
    with stage("check"):
        assert main(["check", str(room / "models" / "vitonhd")]) == 0
    _paint(photos[0], garments[0])


def _paint(person: Path, garment: Path) -> None:
    """Two denoising steps at 512×384 on the CPU, through everything that a user's photo goes through."""
    from ladi.engine import Engine
    from ladi.preprocess.photo import read_photo
    from ladi.settings import Settings, TryOnRequest

    with stage("load"):
        engine = Engine.load("vitonhd", device="cpu")
    assert engine.size == (512, 384)
    request = TryOnRequest(
        person=read_photo(person),
        garment=read_photo(garment),
        category="upper_body",
        settings=Settings(steps=2, guidance=7.5, seed=1),
    )
    with stage("try on"):
        result = engine.try_on(request)
    print({name: round(seconds, 1) for name, seconds in result.timings.items()}, flush=True)
    assert result.images[0].shape == request.person.pixels.shape
    assert torch.isfinite(result.generated).all()
    assert result.generated.shape[-2:] == (512, 384)
