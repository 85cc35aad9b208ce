"""The page with the real engine and the embedded model: one photo, all the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from skimage import data

from app.page import build_page
from app.tryon.handlers import Handlers
from ladi.engine import Engine
from ladi.preprocess.photo import read_photo
from ladi.shelf import Shelf
from ladi.weights.catalog import MODELS

pytestmark = pytest.mark.skipif(
    not (MODELS["mini"] / "model_index.json").is_file(), reason="this checkout has no embedded model"
)


@pytest.fixture(scope="module")
def client(embedded: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    patch = pytest.MonkeyPatch()
    patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
    page = build_page(Handlers(Shelf(("mini",), lambda _: embedded).get))
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield Client(address, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))
    page.close(verbose=False)
    patch.undo()


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("person") / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


@pytest.fixture(scope="module")
def garment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("garment") / "shirt.png"
    pixels = np.full((512, 384, 3), 255, np.uint8)
    pixels[80:440, 100:284] = (40, 90, 60)
    pixels[100:220, 32:352] = (40, 90, 60)
    pixels[80:440:24, 100:284] = 240
    Image.fromarray(pixels).save(path)
    return path


def test_a_photo_goes_in_and_a_photo_comes_out(client: Client, person: Path, garment: Path) -> None:
    """Prevents a page and an engine that work apart and not together."""
    sent = {"person": handle_file(person), "garment": handle_file(garment), "steps": 4, "seed": "1"}
    result, words, mask, warped, seed, _ = client.predict(**sent, api_name="/try_on")
    before, after = read_photo(person).pixels, np.asarray(Image.open(result))
    assert after.shape == before.shape
    changed = (after != before).any(axis=2)
    assert 0.05 < changed.mean() < 0.9
    np.testing.assert_array_equal(after[:40], before[:40])
    assert "4 steps" in words and seed == "1"
    assert np.asarray(Image.open(mask)).shape == np.asarray(Image.open(warped)).shape


def test_a_garment_as_the_person_gives_a_sentence(client: Client, person: Path, garment: Path) -> None:
    """Prevents painting a person where there is none, and a server that does not go on afterwards."""
    sent = {"person": handle_file(garment), "garment": handle_file(garment), "steps": 2}
    with pytest.raises(AppError, match="person"):
        client.predict(**sent, api_name="/try_on")
    client.predict(**(sent | {"person": handle_file(person)}), api_name="/try_on")
