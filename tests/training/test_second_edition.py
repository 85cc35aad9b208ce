"""The second edition's training, for real, on drawn pairs: both stages, export, reload and resume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ladi.commands.train import SECOND_NAMES
from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.diffusion.warping import sample_garment
from ladi.models.bending import BendingRefinement
from ladi.models.lpips import Lpips, LpipsName
from ladi.models.matting import GarmentMatting
from ladi.models.parser import LABELS, HumanParser
from ladi.models.shuffle_vae import ShuffleAutoencoder
from ladi.training import second_edition
from ladi.training.critic import Critic, adversarial_terms
from ladi.training.first_edition import Workshop
from ladi.training.first_edition_sizes import build_pipeline
from ladi.training.samples.bending import bent_batch, mirror_grids, plain_grid, shop_bent
from ladi.training.samples.cache import Cache
from ladi.training.samples.dressed import cut_and_bend, mirrored, shop_sample
from ladi.training.second_edition import STAGES, SecondWorkshop, carry_over_unet, fit_linear_map, train_second
from ladi.training.stages.autoencoder import start_from_patches
from ladi.types import LadiError
from tests.drawn_shards import write_drawn_shards
from tests.toy import LATENT_CHANNELS, TEXT_WIDTH, toy_unet

QUICK = {
    "steps": 1,
    "batch_size": 2,
    "precision": "no",
    "warmup_steps": 0,
    "log_every": 1,
    "validate_every": 9,
}
THIN = 4


def thin_lpips(name: LpipsName) -> Lpips:
    """One that sees little, and fast."""
    torch.manual_seed(0)
    lpips = Lpips(name)
    thin = [
        nn.Conv2d(THIN if number else 3, THIN, one.kernel_size, one.stride, one.padding)
        for number, one in enumerate(lpips.conv)
    ]
    lpips.conv = nn.ModuleList(thin)
    lpips.lin = nn.ModuleList(nn.Conv2d(THIN, 1, 1, bias=False) for _ in lpips.lin)
    return lpips.requires_grad_(False).eval()


@pytest.fixture(autouse=True)
def _untrained_lpips(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its weights are not part of the project; what it measures does not matter here."""
    monkeypatch.setattr(second_edition, "load_lpips", thin_lpips)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the first edition, untrained."""
    folder = tmp_path_factory.mktemp("first")
    torch.manual_seed(0)
    build_pipeline(folder / "tokenizer").save_pretrained(folder / "model")
    HumanParser(labels=LABELS).save_pretrained(folder / "model" / "parser")
    GarmentMatting().save_pretrained(folder / "model" / "matting")
    return folder / "model"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, first: Path) -> tuple[Path, Path]:
    """The shards, and a work folder in which every stage has run a step."""
    data, work = (
        write_drawn_shards(tmp_path_factory.mktemp("shards"), train=4, val=1),
        tmp_path_factory.mktemp("work"),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(second_edition, "load_lpips", thin_lpips)
        train_second(work, data, first, device="cpu", changes=QUICK)
    return data, work


def test_the_command_offers_both_stages() -> None:
    assert SECOND_NAMES == STAGES


def test_the_straight_path_alone_brings_pictures_back() -> None:
    """Prevents: an autoencoder that has to be trained before it shows anything."""
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.randn(24, 3, 6, 4), (48, 32), mode="bicubic").clamp(-1, 1)
    vae = ShuffleAutoencoder(
        latent_channels=24, widths=(8, 8, 8), encoder_units=(1,) * 3, decoder_units=(1,) * 3
    )
    start_from_patches(vae, smooth)
    with torch.no_grad():
        mean = vae.encode_with_features(smooth)[0].chunk(2, dim=1)[0]
        assert (vae.decode_with_skips(mean) - smooth).abs().mean() < 0.05


def test_a_linear_map_between_latents_is_found() -> None:
    matrix, offset = torch.randn(3, 5), torch.randn(3)
    given = torch.randn(4, 5, 6, 6)
    wanted = torch.einsum("ij,njhw->nihw", matrix, given) + offset.view(1, 3, 1, 1)
    found = fit_linear_map(given, wanted)
    assert torch.allclose(found[0], matrix, atol=1e-4) and torch.allclose(found[1], offset, atol=1e-4)


@torch.no_grad()
def test_the_carried_over_unet_answers_as_the_first_did() -> None:
    """Prevents: channels of noise, mask, pose or garment in another's place.

    Where the new latents are the old ones, mixed without loss, nothing may have changed.
    """
    torch.manual_seed(0)
    unet = toy_unet().eval()
    mix = torch.linalg.qr(torch.randn(LATENT_CHANNELS, LATENT_CHANNELS)).Q
    old = torch.randn(6, LATENT_CHANNELS, 8, 6)
    new = torch.einsum("ij,njhw->nihw", mix, old)
    grown = carry_over_unet(unet, new, old).eval()
    grown.conv_out.bias[-1] = -40.0  # believes nothing but its own answer

    def mixed(latent: torch.Tensor) -> torch.Tensor:
        return torch.einsum("ij,njhw->nihw", mix, latent)

    noisy, person, garment = (torch.randn(1, LATENT_CHANNELS, 8, 6) for _ in range(3))
    mask, pose, text = torch.ones(1, 1, 8, 6), torch.rand(1, 18, 8, 6), torch.randn(1, 3, TEXT_WIDTH)
    before = unet(torch.cat([noisy, mask, person, pose, garment], 1), 5, encoder_hidden_states=text).sample
    given = [mixed(noisy), mask, mixed(person), pose, mixed(garment), mask]
    after = grown(torch.cat(given, 1), 5, encoder_hidden_states=text).sample
    assert torch.allclose(after, mixed(before), atol=1e-3)


def test_a_bent_cut_out_is_near_where_it_was() -> None:
    """Prevents: a garment that training lays beside the person."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (128, 96, 3)).astype(np.uint8)
    worn = np.zeros((128, 96), bool)
    worn[40:90, 30:70] = True
    worn[60:66, 30:50] = False  # an arm in front
    bent, matte, alone, alone_matte = cut_and_bend(image, worn, rng)
    assert bent.shape == alone.shape == image.shape
    assert (alone[alone_matte == 0] == 255).all() and alone_matte.mean() > 0.3
    overlap = (matte > 0.5) & worn
    assert overlap.sum() > 0.75 * worn.sum()
    assert (alone != 255).any(-1).mean() > 0.3  # large in its own picture


def test_a_mirrored_sample_keeps_its_parts_together(trained: tuple[Path, Path]) -> None:
    sample = shop_sample(Cache(trained[1] / "cache", "train"), 0, None)
    twice = mirrored(mirrored(sample))
    assert np.array_equal(twice.image, sample.image) and np.allclose(twice.keypoints, sample.keypoints)
    assert np.array_equal(mirrored(sample).matte[:, ::-1], sample.matte)


def test_painter_and_critic_learn_from_their_own_terms_alone() -> None:
    """Prevents: a critic that is taught to be fooled, or a painter that is taught to be found out."""
    torch.manual_seed(0)
    critic = Critic((8, 8, 8))
    painted = torch.rand(2, 3, 32, 24, requires_grad=True)
    terms = adversarial_terms(critic, painted, torch.rand(2, 3, 32, 24), torch.ones(2, 1, 32, 24))
    (terms["fool"] + terms["match"]).backward(retain_graph=True)
    assert painted.grad is not None and painted.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in critic.parameters())
    painted.grad = None
    terms["critic"].backward()
    assert painted.grad is None
    assert all(parameter.grad is not None for parameter in critic.parameters())


def test_a_plain_grid_changes_nothing_and_a_mirror_twice_neither(
    trained: tuple[Path, Path], first: Path
) -> None:
    """Prevents: pictures and grids mirrored about different middles."""
    cache = Cache(trained[1] / "cache", "train")
    workshop = SecondWorkshop(trained[1], None, first)
    assert isinstance(workshop.pipeline.refinement, BendingRefinement)
    batch = bent_batch([shop_bent(cache, 0, None)], workshop.pipeline.tps, None)
    size = (batch["image"].shape[-2], batch["image"].shape[-1])
    same = sample_garment(batch["garment"], plain_grid(size)[None])
    assert torch.allclose(same, batch["garment"], atol=1e-4)
    flip = torch.tensor([True])
    mirrored_batch = mirror_grids(batch, flip)
    laid, turned = (sample_garment(one["garment"], one["grid"]) for one in (batch, mirrored_batch))
    assert torch.allclose(turned.flip(-1), laid, atol=1e-4)
    twice = mirror_grids(mirrored_batch, flip)
    assert all(torch.allclose(twice[name], batch[name]) for name in batch)


def test_the_model_is_exported_loaded_and_trained_on(
    trained: tuple[Path, Path], first: Path, tmp_path: Path
) -> None:
    data, work = trained
    workshop = SecondWorkshop(work, None, first)
    weights = {name: value.clone() for name, value in workshop.pipeline.unet.state_dict().items()}
    workshop.export(tmp_path / "model")
    told = [*(tmp_path / "model").rglob("*.json")]
    assert told and not any(str(first) in path.read_text() for path in told)  # nobody's folders go along
    loaded = LadiVtonPipeline.from_pretrained(tmp_path / "model")
    assert loaded.config.garment_matte and loaded.unet.grey.abs().max() > 0
    for name, value in loaded.unet.state_dict().items():
        assert torch.allclose(value, weights[name], atol=2e-3)
    train_second(
        tmp_path / "on", data, tmp_path / "model", stages=("end_to_end",), device="cpu", changes=QUICK
    )
    shared = Workshop(tmp_path / "shared", data, tmp_path / "model")
    assert shared.ready == {"warp", "parser", "matting"}  # what the first edition can go on with
    for name, value in loaded.tps.state_dict().items():
        assert torch.equal(shared.pipeline.tps.state_dict()[name], value)


def test_end_to_end_needs_an_autoencoder(first: Path, tmp_path: Path) -> None:
    data = write_drawn_shards(tmp_path / "shards", train=1, val=1)
    workshop = SecondWorkshop(tmp_path / "work", data, first)
    with pytest.raises(LadiError, match="needs autoencoder: run `python -m ladi train second"):
        workshop.stage("end_to_end", None)
    assert isinstance(workshop.samples, Workshop)
