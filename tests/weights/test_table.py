"""The table against the published files, and the order of places."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from ladi.weights import networks, table
from ladi.weights.hub import mirrors_of
from tests.reference.conftest import ROOT


@pytest.fixture(scope="module")
def parts():
    """The networks of the published sizes, without weights."""
    return networks.build_parts(networks.PUBLISHED, {})


def test_networks_have_exactly_the_published_keys_and_shapes(parts) -> None:
    """Prevents refusing the real files, which a strict load does for one key or one size too many."""
    folder = Path(os.environ.get("LADI_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not (folder / "manifest.json").is_file():
        pytest.skip("no reference numbers: set LADI_REFERENCE to the folder that holds manifest.json")
    manifest = json.loads((folder / "manifest.json").read_text())
    compared = set()
    for file in table.RELEASES["vitonhd"].files:
        for part in file.parts:
            name = f"warping.{part.component}" if part.entry else part.component
            shapes = {key: list(shape) for key, shape in networks.shapes_of(parts[part.component]).items()}
            assert shapes == manifest[name], name
            compared.add(name)
    assert compared == set(manifest)


def test_every_network_comes_from_one_file_of_about_the_listed_size(parts) -> None:
    """Prevents a part without weights, and a check of disk space that counts wrongly."""
    for model in table.RELEASES:
        files = [file for source in table.sources_of(model) for file in source.files if file.parts]
        assert sorted(part.component for file in files for part in file.parts) == sorted(networks.COMPONENTS)
        for file in files:
            numbers = sum(
                math.prod(shape)
                for part in file.parts
                for shape in networks.shapes_of(parts[part.component]).values()
            )
            assert file.size is not None
            # The file of the vision encoder also holds CLIP's text tower.
            assert file.size == pytest.approx(4 * numbers, rel=0.01) or file in table.VISION.files
    numbers = sum(math.prod(shape) for part in parts.values() for shape in networks.shapes_of(part).values())
    assert table.CONVERTED_BYTES["fp32"] == pytest.approx(4 * numbers, rel=0.01)


def test_the_order_of_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents being stuck when a hub name vanishes once more, and a given folder being passed over."""
    pinned = table.BASE.mirrors
    assert mirrors_of(table.BASE) == pinned
    assert mirrors_of(table.BASE, "me/mine@v1") == (table.Mirror("me/mine", "v1"), *pinned)
    monkeypatch.setenv("LADI_BASE_MODEL", "me/mine")
    assert mirrors_of(table.BASE) == (table.Mirror("me/mine"), *pinned)
    assert mirrors_of(table.BASE, str(tmp_path)) == (table.Mirror(str(tmp_path)),)
    monkeypatch.setenv("LADI_WEIGHTS_URL", "http://127.0.0.1:1")
    assert mirrors_of(table.RELEASES["vitonhd"]) == (table.Mirror("http://127.0.0.1:1"),)
