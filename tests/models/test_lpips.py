"""LPIPS: its formula, its gradients, and known numbers where its weights are."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ladi.files import ROOT
from ladi.models.lpips import SCALE, SHIFT, Lpips, LpipsName
from ladi.types import ModelError
from ladi.weights import lpips as weights
from ladi.weights.lpips import load_lpips, renamed

NAMES: tuple[LpipsName, ...] = ("alex", "vgg")


def random_lpips(name: LpipsName) -> Lpips:
    network = Lpips(name)
    for head in network.lin:
        nn.init.uniform_(head.weight, 0, 1)
    return network


def seeded_pictures() -> tuple[torch.Tensor, torch.Tensor]:
    """A drawn picture (1,3,64,48) in [-1,1], and the same with noise; numpy's draws never change."""
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[0:64, 0:48]
    picture = np.stack([np.sin(rows / 5), np.cos(columns / 7), np.sin((rows + columns) / 9)])
    noisy = np.clip(picture + rng.normal(0, 0.3, picture.shape), -1, 1)
    return torch.from_numpy(picture)[None].float(), torch.from_numpy(noisy)[None].float()


@pytest.fixture(params=NAMES)
def published(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Lpips:
    """LPIPS with its weights, from where the user has them or from beside the project."""
    beside = Path(os.environ.get("LADI_SHARED", ROOT.parent / "shared")) / "nets"
    if not os.environ.get(weights.VARIABLE) and not weights.FOLDER.is_dir() and beside.is_dir():
        monkeypatch.setenv(weights.VARIABLE, str(beside))
    name = request.param
    folder = Path(os.environ.get(weights.VARIABLE) or weights.FOLDER)
    if not (folder / weights.FILES[name]).is_file():
        pytest.skip(
            f"the weights of LPIPS are not here: {weights.FILES[name]} in {weights.VARIABLE} or models/nets"
        )
    return load_lpips(name)


@pytest.mark.parametrize("name", NAMES)
def test_equal_pictures_are_at_no_distance_and_the_order_does_not_matter(name: LpipsName) -> None:
    network, (one, other) = random_lpips(name), seeded_pictures()
    batch, others = torch.cat([one, other, one]), torch.cat([one, one, other])
    same, there, back = network(batch, others).tolist()
    assert same == 0
    assert there == pytest.approx(back, rel=1e-5) and there > 0


@pytest.mark.parametrize(("name", "taps"), [("alex", (0, 1, 2, 3, 4)), ("vgg", (1, 3, 6, 9, 12))])
def test_distance_follows_the_papers_formula(name: LpipsName, taps: tuple[int, ...]) -> None:
    """Σ over layers of the mean of w·(â−b̂)², features of unit length (Zhang et al., 2018, equation 1)."""
    network, pictures = random_lpips(name), seeded_pictures()
    seen: list[list[np.ndarray]] = []
    hooks = [
        network.conv[tap].register_forward_hook(
            lambda _, __, out: seen[-1].append(out.clamp(min=0)[0].numpy())
        )
        for tap in taps
    ]
    expected = 0.0
    with torch.no_grad():
        for picture in pictures:
            seen.append([])
            network.features(picture)
    for hook in hooks:
        hook.remove()
    for one, other, head in zip(*seen, network.lin, strict=True):
        units = [features / np.sqrt((features**2).sum(0)) for features in (one, other)]
        weight = head.weight.flatten().numpy()
        expected += float(np.einsum("c,chw->hw", weight, (units[0] - units[1]) ** 2).mean())
    assert float(network(*pictures)) == pytest.approx(expected, rel=1e-4)


def test_pictures_are_brought_to_imagenets_range() -> None:
    """Prevents: a shift in [0,1] for pictures in [-1,1]. The mean colour must reach the convolutions as 0."""
    network, seen = random_lpips("vgg"), []
    network.conv[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    mean, brighter = (
        (torch.tensor(SHIFT) + step * torch.tensor(SCALE)).view(1, 3, 1, 1).expand(1, 3, 16, 16)
        for step in (0, 1)
    )
    network(mean, brighter)
    assert seen[0].allclose(torch.ones(()), atol=1e-6) and seen[1].allclose(torch.zeros(()), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_the_first_picture_alone(name: LpipsName) -> None:
    network, (one, other) = random_lpips(name), seeded_pictures()
    one.requires_grad_()
    other.requires_grad_()
    network(one, other).sum().backward()
    assert one.grad is not None and one.grad.isfinite().all() and one.grad.abs().sum() > 0
    assert other.grad is None
    assert all(parameter.grad is None for parameter in network.parameters())


def test_gradients_are_finite_where_nothing_fires() -> None:
    """Prevents: the length's root at 0, whose gradient is not a number and spoils a training for good."""
    network, (one, other) = random_lpips("vgg"), seeded_pictures()
    for convolution in network.conv:
        nn.init.constant_(convolution.bias, -100)
    one.requires_grad_()
    network(one, other).sum().backward()
    assert one.grad is not None and one.grad.isfinite().all()


def test_weights_stay_in_float32() -> None:
    """Prevents: lengths of features rounded to half precision when the networks around it are cast."""
    assert random_lpips("alex").half().conv[0].weight.dtype is torch.float32


def test_too_small_pictures_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="at least 31 pixels a side, got 64×20"):
        Lpips("alex")(torch.zeros(1, 3, 64, 20), torch.zeros(1, 3, 64, 20))


def test_distances_with_the_published_weights(published: Lpips) -> None:
    """Regression: the network was checked on LPIPS's own example pictures (0.722 and 0.138 by AlexNet)."""
    expected = {"alex": 0.3895, "vgg": 0.3554}[published.name]
    one, other = seeded_pictures()
    assert float(published(one, other)) == pytest.approx(expected, abs=2e-4)
    assert float(published(one, one)) == 0


def test_more_noise_is_farther(published: Lpips) -> None:
    """Prevents: heads that belong to other layers, under which distances lose their meaning."""
    one, other = seeded_pictures()
    distances = [float(published(one + share * (other - one), one)) for share in (0.25, 0.5, 1.0)]
    assert distances == sorted(distances)


def test_file_is_found_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in half precision, as they are handed out, is computed with in float32."""
    network = random_lpips("alex")
    save_file(
        {key: value.half() for key, value in network.state_dict().items()}, tmp_path / weights.FILES["alex"]
    )
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))
    loaded = load_lpips("alex")
    assert loaded.conv[0].weight.dtype is torch.float32
    assert loaded.lin[4].weight.allclose(network.lin[4].weight, atol=1e-3)
    with pytest.raises(ModelError, match="holds no vgg16-lpips.safetensors"):
        load_lpips("vgg")


def test_another_networks_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file(Lpips("alex").state_dict(), tmp_path / weights.FILES["vgg"])
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))
    with pytest.raises(ModelError, match="does not hold the weights of LPIPS"):
        load_lpips("vgg")


def test_without_weights_the_reason_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr(weights, "HEADS", {})
    with pytest.raises(ModelError, match="put alexnet-lpips.safetensors into"):
        load_lpips("alex")


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("alex", (0, 3, 6, 8, 10)), ("vgg", (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28))],
)
def test_torchvisions_numbers_become_ours(name: LpipsName, numbers: tuple[int, ...]) -> None:
    """Prevents: a layer at another number than torchvision's, into which its weights would not load."""
    network = random_lpips(name)
    state = network.state_dict()
    theirs = {"classifier.0.weight": torch.zeros(1)}
    for ours, number in enumerate(numbers):
        theirs |= {f"features.{number}.{kind}": state[f"conv.{ours}.{kind}"] for kind in ("weight", "bias")}
    heads = {f"lin{number}.model.1.weight": head.weight for number, head in enumerate(network.lin)}
    fresh = Lpips(name)
    fresh.load_state_dict(renamed(theirs, heads))
    assert all(fresh.state_dict()[key].equal(value) for key, value in state.items())


def test_autocast_changes_the_distance_little() -> None:
    """Prevents: squared differences computed in half precision when a training runs under autocast."""
    network, (one, other) = random_lpips("alex"), seeded_pictures()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = network(one, other)
    assert found.dtype is torch.float32
    assert float(found) == pytest.approx(float(network(one, other)), rel=0.02)
