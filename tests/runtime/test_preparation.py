"""Both pictures of a pair prepared at once, where what the garment is does not have to be found out first."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from ladi.preprocess.photo import read_photo
from ladi.progress import Stages
from ladi.runtime.preparation import Preparation
from ladi.settings import TryOnRequest
from ladi.types import GarmentError


@pytest.fixture
def request_() -> TryOnRequest:
    photo = read_photo(np.full((64, 48, 3), 200, np.uint8))
    return TryOnRequest(photo, photo, category="upper_body")


@pytest.fixture
def preparation(monkeypatch: pytest.MonkeyPatch) -> Any:
    """One whose garments wait until a person is being looked for, for a second at most."""
    nothing: Any = None
    made = Preparation("mini", (64, 48), nothing, nothing)
    begun = threading.Event()

    def person(*args: Any, **options: Any) -> Any:
        begun.set()
        return options["category"]

    def garment(*args: Any, **options: Any) -> Any:
        return SimpleNamespace(category="upper_body", waited=not begun.wait(1))

    monkeypatch.setattr(made, "person", person)
    monkeypatch.setattr(made, "garment", garment)
    return made


@pytest.mark.parametrize(("cores", "waited"), [(2, False), (1, True)])
def test_person_and_garment_are_prepared_at_once_on_more_than_one_core(
    preparation: Any, request_: TryOnRequest, monkeypatch: pytest.MonkeyPatch, cores: int, waited: bool
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: cores)
    garment, person = preparation.pair(request_, Stages())
    assert person == "upper_body"
    assert garment.waited is waited


def test_a_model_of_tops_knows_what_comes_before_it_has_seen_it(
    preparation: Any, request_: TryOnRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    garment, _ = preparation.pair(replace(request_, category="auto"), Stages())
    assert not garment.waited


def test_a_refused_garment_is_what_is_told(
    preparation: Any, request_: TryOnRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)

    def refuse(*args: Any, **options: Any) -> Any:
        raise GarmentError("This is no garment.")

    def nobody(*args: Any, **options: Any) -> Any:
        raise ValueError("nobody asked for this")

    monkeypatch.setattr(preparation, "garment", refuse)
    monkeypatch.setattr(preparation, "person", nobody)
    with pytest.raises(GarmentError, match="no garment"):
        preparation.pair(request_, Stages())
