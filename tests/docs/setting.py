"""A folder in which a documented command can be run as it is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ladi.commands.main import main
from ladi.evaluation import variants
from ladi.training.parts import Parts
from ladi.training.stages import denoising
from ladi.weights import catalog, stock
from tests.docs.reading import ROOT
from tests.drawn_datasets import write_dress_code, write_viton_hd
from tests.evaluation.conftest import FEW_STEPS
from tests.training.conftest import TOY_RECIPE, Places
from tests.weights.published import BASE_ID, VISION_ID

EXAMPLES = ROOT / "assets" / "examples"
SHORT = "--steps 1 --batch-size 2 --workers 0 --precision no --device cpu"


class Setting:
    """An empty folder to run a command in, and what can be put into it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
        self.folder, self.patch, self._request = folder, monkeypatch, request

    def photos(self) -> None:
        """A person and a garment, alone, in a table and in folders."""
        person, garment = EXAMPLES / "person-anna.jpg", EXAMPLES / "garment-striped-tee.jpg"
        for name in ("PEOPLE", "GARMENTS"):
            (self.folder / name).mkdir()
        shutil.copy(person, self.folder / "person.jpg")
        shutil.copy(garment, self.folder / "garment.jpg")
        shutil.copy(person, self.folder / "PEOPLE" / "anna.jpg")
        shutil.copy(garment, self.folder / "GARMENTS" / "anna.jpg")
        (self.folder / "pairs.csv").write_text("person,garment\nperson.jpg,garment.jpg\n")

    def published(self) -> None:
        """A server with toy weights, and the same in one folder."""
        self._request.getfixturevalue("toy_world")
        files = self._request.getfixturevalue("toy_files")
        for place in (files, files / BASE_ID, files / VISION_ID):
            shutil.copytree(place, self.folder / "FOLDER", dirs_exist_ok=True)
        self.patch.setattr(stock, "DOWNLOADS", self.folder / "models" / "downloads")

    def downloaded(self) -> None:
        """What ``download`` leaves."""
        self.published()
        assert main(["download", "vitonhd"]) == 0

    def dataset(self) -> None:
        """Pairs as VITON-HD has them."""
        write_viton_hd(self.folder / "DATASET", "test", [0, 1])

    def training(self, model: str = "vitonhd") -> None:
        """Pairs, a toy base and a toy model."""
        places: Places = self._request.getfixturevalue("places")
        if model == "vitonhd":
            shutil.copytree(places.data, self.folder / "DIR")
        else:
            write_dress_code(self.folder / "DIR", "dresses", [0, 1, 2])
            pairs = self.folder / "DIR" / "dresses"
            shutil.copy(pairs / "test_pairs_paired.txt", pairs / "train_pairs.txt")
        shutil.copytree(places.base, self.folder / "PLACE")
        for place in (f"models/{model}", "runs/vitonhd/model"):
            if model == "vitonhd" or place.startswith("models"):
                shutil.copytree(places.model, self.folder / place)
        self.patch.setitem(catalog.MODELS, model, self.folder / "models" / model)
        self.patch.setenv("LADI_BASE_MODEL", str(places.base))
        self.patch.setenv("LADI_VISION_MODEL", str(places.vision))
        self.patch.setitem(Parts.__init__.__kwdefaults__, "recipe", TOY_RECIPE)
        self.patch.setattr(denoising, "VALIDATION_STEPS", 2)
        for name, rows in FEW_STEPS.items():
            self.patch.setattr(variants, name, rows)

    def from_scratch(self) -> None:
        """The same without a model."""
        self.training()
        shutil.rmtree(self.folder / "runs")
