"""Latents of mirrored pairs, and batches that mix them with the others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ladi.training.cache import MIRRORED_JOINTS, Cache, to_images
from ladi.training.latents import LATENT_NAMES, MIRRORED_NAMES, add_latents
from ladi.training.tryon import latent_batch
from tests.toy import HEIGHT, WIDTH, toy_vae

CPU = torch.device("cpu")
COUNT = 12


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """Noise for pictures; masks and joints that lie on one side."""
    folder = tmp_path / "train"
    folder.mkdir()
    rng = np.random.default_rng(0)
    pictures = {
        name: rng.integers(0, 256, (COUNT, HEIGHT, WIDTH, 3), np.uint8)
        for name in ("image", "garment", "warped")
    }
    mask = np.zeros((COUNT, HEIGHT, WIDTH), np.uint8)
    mask[:, 8:40, 4:20] = 1
    keypoints = np.zeros((COUNT, 18, 3), np.float32)
    keypoints[:, 2] = (10, 20, 1)  # the right shoulder alone
    for name, value in {**pictures, "mask": mask, "keypoints": keypoints}.items():
        np.save(folder / f"{name}.npy", value)
    (folder / "ids.json").write_text(json.dumps([str(number) for number in range(COUNT)]))
    return Cache(tmp_path, "train")


def test_mirrored_latents_are_those_of_mirrored_pictures(cache: Cache) -> None:
    """Prevents: latents mirrored instead of pictures, which no encoder gives."""
    torch.manual_seed(0)
    vae = toy_vae()
    add_latents(cache, vae, device=CPU, names=(*LATENT_NAMES, *MIRRORED_NAMES))
    picture = to_images(cache["warped"][:1])
    with torch.no_grad():
        expected, _ = vae.encode_with_features(picture.flip(-1))
    found = torch.from_numpy(np.asarray(cache["garment_moments_mirrored"][:1], np.float32))
    torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-2)
    assert not np.allclose(found, cache["garment_moments"][:1, ..., ::-1], atol=0.02)


def test_a_mirrored_sample_is_mirrored_as_a_whole(cache: Cache) -> None:
    """Prevents: a person whose pose, mask or garment stayed on the other side."""
    add_latents(cache, toy_vae(), device=CPU)
    indices = np.arange(COUNT)
    plain = latent_batch(cache, indices, np.random.default_rng(0), 16)
    add_latents(cache, toy_vae(), device=CPU, names=MIRRORED_NAMES)
    mixed = latent_batch(cache, indices, np.random.default_rng(0), 16)
    mirrored = []
    for row in range(COUNT):
        kept = bool(torch.equal(mixed["mask"][row], plain["mask"][row]))
        mirrored.append(not kept)
        pose = plain["pose_map"][row]
        expected = {
            "mask": plain["mask"][row] if kept else plain["mask"][row].flip(-1),
            "garment": plain["garment"][row] if kept else plain["garment"][row].flip(-1),
            "pose_map": pose if kept else pose.flip(-1)[MIRRORED_JOINTS],
            **{
                name: torch.from_numpy(np.asarray(cache[name if kept else twin][row], np.float32))
                for name, twin in zip(LATENT_NAMES, MIRRORED_NAMES, strict=True)
            },
        }
        for name, value in expected.items():
            assert torch.equal(mixed[name][row], value), name
    assert 2 < sum(mirrored) < COUNT - 2
    right, left = (mixed["pose_map"][mirrored][:, joint].sum() for joint in (2, 5))
    assert left > 0 and right == 0
