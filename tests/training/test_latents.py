"""People before other walls and with other skin, their latents, and batches that mix them with the others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ladi.preprocess.labels import LIP
from ladi.training.samples.augment import CHANGED_SHARE, vary_person
from ladi.training.samples.cache import Cache, to_images
from ladi.training.samples.latents import LATENT_NAMES, VARIED_NAMES, add_latents, varied_people
from ladi.training.stages.tryon import latent_batch
from ladi.types import MIRRORED_JOINTS
from tests.toy import HEIGHT, WIDTH, toy_vae

CPU = torch.device("cpu")
COUNT = 12
WALL, FACE, CLOTH = np.s_[2:6, 2:10], np.s_[13:21, 18:30], np.s_[34:56, 18:30]
SKIN, BLUE = (210, 160, 135), (40, 60, 160)


def drawn_person() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A face over a blue top before a white wall; its labels; its silhouette."""
    image = np.full((HEIGHT, WIDTH, 3), 231, np.uint8)
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for part, colour, label in (
        (np.s_[8:26, 14:34], SKIN, LIP["face"]),
        (np.s_[26:60, 10:38], BLUE, LIP["upper_clothes"]),
    ):
        image[part], labels[part] = colour, label
    return image, labels, np.where(labels > 0, 255, 0).astype(np.uint8)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """The drawn person with noise for garments; mask and joints that lie on one side."""
    folder = tmp_path / "train"
    folder.mkdir()
    rng = np.random.default_rng(0)
    image, labels, silhouette = (np.stack([part] * COUNT) for part in drawn_person())
    mask = np.zeros((COUNT, HEIGHT, WIDTH), np.uint8)
    mask[:, 8:40, 4:20] = 1
    keypoints = np.zeros((COUNT, 18, 3), np.float32)
    keypoints[:, 2] = (10, 20, 1)  # the right shoulder alone
    arrays = {
        "image": image,
        "labels": labels,
        "silhouette": silhouette,
        "mask": mask,
        "keypoints": keypoints,
        **{name: rng.integers(0, 256, (COUNT, HEIGHT, WIDTH, 3), np.uint8) for name in ("garment", "warped")},
    }
    for name, value in arrays.items():
        np.save(folder / f"{name}.npy", value)
    (folder / "ids.json").write_text(json.dumps([str(number) for number in range(COUNT)]))
    return Cache(tmp_path, "train")


def test_walls_and_skin_change_and_garments_do_not_unless_the_light_does() -> None:
    """Prevents: a garment in another colour than the one that it is warped from."""
    image, labels, silhouette = drawn_person()
    draws = [vary_person(image, labels, silhouette, np.random.default_rng(seed)) for seed in range(80)]
    assert np.array_equal(draws[3], vary_person(image, labels, silhouette, np.random.default_rng(3)))
    factors = {
        name: np.array([one[part].mean((0, 1)) / image[part].mean((0, 1)) for one in draws])
        for name, part in (("wall", WALL), ("face", FACE), ("cloth", CLOTH))
    }
    lit = np.abs(factors["cloth"] - 1).max(1) > 0.02
    assert abs(lit.mean() - CHANGED_SHARE) < 0.2 and factors["cloth"].min() > 0.6
    for name in ("wall", "face"):
        changed = np.abs(factors[name] / factors["cloth"] - 1).max(1) > 0.03
        assert abs(changed.mean() - CHANGED_SHARE) < 0.2, name
    relative = factors["face"] / factors["cloth"]
    assert relative.max() < 1.05 and relative[:, 0].min() < 0.5  # never paler; sometimes dark
    assert (relative[:, 0] >= relative[:, 2] - 0.03).all()  # and never bluer


def test_varied_latents_are_those_of_mirrored_pictures(cache: Cache) -> None:
    """Prevents: latents mirrored instead of pictures, which no encoder gives."""
    torch.manual_seed(0)
    vae = toy_vae()
    add_latents(cache, vae, device=CPU, names=(*LATENT_NAMES, *VARIED_NAMES))
    people = to_images(varied_people(cache, np.arange(1)))
    assert not torch.equal(people, to_images(varied_people(cache, np.arange(1, 2))))
    for name, picture in (("image", people), ("garment", to_images(cache["warped"][:1]))):
        with torch.no_grad():
            expected, _ = vae.encode_with_features(picture.flip(-1))
        found = torch.from_numpy(np.asarray(cache[f"{name}_moments_varied"][:1], np.float32))
        torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-2)


def test_a_varied_sample_is_mirrored_as_a_whole(cache: Cache) -> None:
    """Prevents: a person whose pose, mask or garment stayed on the other side."""
    add_latents(cache, toy_vae(), device=CPU)
    indices = np.arange(COUNT)
    plain = latent_batch(cache, indices, np.random.default_rng(0), 16)
    add_latents(cache, toy_vae(), device=CPU, names=VARIED_NAMES)
    mixed = latent_batch(cache, indices, np.random.default_rng(0), 16)
    varied = []
    for row in range(COUNT):
        kept = bool(torch.equal(mixed["mask"][row], plain["mask"][row]))
        varied.append(not kept)
        pose = plain["pose_map"][row]
        expected = {
            "mask": plain["mask"][row] if kept else plain["mask"][row].flip(-1),
            "garment": plain["garment"][row] if kept else plain["garment"][row].flip(-1),
            "pose_map": pose if kept else pose.flip(-1)[MIRRORED_JOINTS],
            **{
                name: torch.from_numpy(np.asarray(cache[name if kept else twin][row], np.float32))
                for name, twin in zip(LATENT_NAMES, VARIED_NAMES, strict=True)
            },
        }
        for name, value in expected.items():
            assert torch.equal(mixed[name][row], value), name
    assert 2 < sum(varied) < COUNT - 2
    right, left = (mixed["pose_map"][varied][:, joint].sum() for joint in (2, 5))
    assert left > 0 and right == 0
