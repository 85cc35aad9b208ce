"""VGG-19's loss: torchvision's numbering, five slices, and what is said where there are no weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from ladi.training import perceptual
from ladi.training.perceptual import DEVIATION, MEAN, VggLoss, load_vgg, vgg19_features
from ladi.types import LadiError
from ladi.weights import fetch
from ladi.weights.digests import sha256_of
from tests.training.conftest import write_vgg
from tests.weights.server import serve


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "PAUSES", ())
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_the_layers_stand_where_torchvision_has_them() -> None:
    """Prevents: weights that load into the wrong places, or a slice that ends elsewhere."""
    with torch.device("meta"):
        layers = vgg19_features()
        loss = VggLoss()
    places = [index for index, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    assert places == [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    assert [tuple(layers[index].weight.shape[:2]) for index in (0, 5, 10, 19, 28)] == [
        *[(64, 3), (128, 64), (256, 128), (512, 256), (512, 512)]
    ]
    assert loss.ends == [2, 7, 12, 21, 30]  # after relu1_1, relu2_1, relu3_1, relu4_1, relu5_1


def test_the_loss_is_the_weighted_sum_over_slices(tmp_path: Path) -> None:
    """Prevents: weights in the wrong order, and pictures in the wrong range."""
    loss = load_vgg(write_vgg(tmp_path / "vgg.pth"))
    one, other = torch.rand(2, 3, 64, 48) * 2 - 1, torch.rand(2, 3, 64, 48) * 2 - 1
    assert float(loss(one, one)) == 0
    with torch.no_grad():
        first = []
        for picture in (one, other):
            shrunk = functional.interpolate((picture + 1) / 2, (256, 256), mode="bilinear")
            normal = (shrunk - torch.tensor(MEAN)[:, None, None]) / torch.tensor(DEVIATION)[:, None, None]
            first.append(functional.relu(loss.features[0](normal)))
        seen = [loss.slices(picture) for picture in (one, other)]
    assert torch.allclose(seen[0][0], first[0], atol=1e-5)
    terms = [float((a - b).abs().mean()) for a, b in zip(*seen, strict=True)]
    expected = sum(
        weight * term for weight, term in zip((1 / 32, 1 / 16, 1 / 8, 1 / 4, 1), terms, strict=True)
    )
    assert abs(float(loss(one, other)) - expected) < 1e-5


def test_gradients_reach_the_prediction_and_no_weight(tmp_path: Path) -> None:
    """Prevents: a loss that trains VGG, or nothing."""
    loss = load_vgg(write_vgg(tmp_path / "vgg.pth"))
    predicted = torch.zeros(1, 3, 32, 24, requires_grad=True)
    loss(predicted, torch.ones(1, 3, 32, 24)).backward()
    assert predicted.grad is not None and float(predicted.grad.abs().sum()) > 0
    assert all(weight.grad is None for weight in loss.parameters())


def test_half_precision_leaves_it_as_it_is(tmp_path: Path) -> None:
    """Prevents: features rounded to half precision when frozen parts are cast."""
    loss = load_vgg(write_vgg(tmp_path / "vgg.pth"))
    assert loss.to(torch.float16).features[0].weight.dtype is torch.float32


def test_the_weights_are_fetched_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents: half a gigabyte at every start."""
    origin = tmp_path / "origin"
    origin.mkdir()
    file = write_vgg(origin / "vgg19.pth")
    name = f"vgg19-{sha256_of(file)[:8]}.pth"
    file.rename(origin / name)
    monkeypatch.setattr(perceptual, "FILE", name)
    with serve(origin) as server:
        monkeypatch.setattr(perceptual, "MIRRORS", (server.url,))
        for _ in range(2):
            load_vgg(folder=tmp_path / "models")
        assert server.requests(name) == [None]
    (tmp_path / "models" / name).write_bytes(b"PK broken")
    with pytest.raises(LadiError, match="is not the file that was first seen"):
        load_vgg(folder=tmp_path / "models")
    with pytest.raises(LadiError, match="SHA-256 does not begin with"):
        load_vgg(tmp_path / "models" / name)


def test_without_a_network_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents: a connection error in place of the address, the folder and the way without."""
    monkeypatch.setattr(perceptual, "MIRRORS", ("http://127.0.0.1:9",))
    with pytest.raises(
        LadiError, match=r"could not be fetched.*Put http://.*vgg19-dcbb9e9d.pth into .*--vgg.*--no-vgg"
    ):
        load_vgg(folder=tmp_path / "models")
    assert not (tmp_path / "models" / perceptual.FILE).exists()


def test_other_weights_are_refused(tmp_path: Path) -> None:
    """Prevents: a loss with random weights."""
    torch.save({"features.0.weight": torch.zeros(3, 3, 3, 3)}, tmp_path / "short.pth")
    with pytest.raises(LadiError, match="does not hold VGG-19's weights"):
        load_vgg(tmp_path / "short.pth")
