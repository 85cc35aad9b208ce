"""What a garment's picture shows of its inside: told, learnt from labelled people, and taken away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ladi.models.lining import GarmentLining
from ladi.preprocess.labels import LIP
from ladi.preprocess.lining import find_lining, without_lining
from ladi.runtime.loading import load_garment_networks
from ladi.training.stages.lining import carried_back, lining_batch, told_and_weight
from ladi.types import Garment

SIZE = (256, 192)
CLOTH, INSIDE, GROUND = (-0.5, -0.2, 0.5), (-0.75, -0.6, 0.1), 0.93


def tee(*, neck: bool = True) -> Garment:
    """A blue T-shirt on near-white, the darker inside of whose back is seen through the neck."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    matte = ((columns > 50) & (columns < 142) & (rows > 20) & (rows < 240)).astype(np.float32)
    matte[20:90, 20:172] = 1
    matte[rows < 26] = 0
    inside = ((columns - 96) ** 2 / 26**2 + (rows - 26) ** 2 / 30**2 < 1) & (rows >= 26)
    image = np.where(matte[..., None] > 0, np.float32(CLOTH), np.float32(GROUND))
    if neck:
        image = np.where(inside[..., None], np.float32(INSIDE), image)
    return Garment(
        image=torch.from_numpy(image).movedim(-1, 0)[None].float(), matte=torch.from_numpy(matte)[None, None]
    )


def told(probability: float, where: tuple[slice, slice]) -> GarmentLining:
    """A network that is sure of one place."""

    class Told(GarmentLining):
        def forward(self, picture: torch.Tensor) -> torch.Tensor:
            answer = torch.full((len(picture), 1, *self.size), -20.0)
            answer[:, :, where[0], where[1]] = float(np.log(probability / (1 - probability)))
            return answer

    return Told()


def test_the_shipped_network_finds_the_inside_behind_the_neck() -> None:
    """Prevents: a label and the back's lining before the neck of whoever wears the garment."""
    network = load_garment_networks(lining=True).lining
    assert network is not None
    garment = tee()
    bare = without_lining(network, garment)
    assert bare.matte[0, 0, 30:44, 90:102].mean() < 0.3
    assert bare.matte[0, 0, 70:230, 60:132].min() > 0.95
    assert bare.image[0, :, 32:40, 92:100].mean() > 0.6


def test_what_is_taken_away_leaves_the_ground_and_nothing_else_changes() -> None:
    garment = replace(tee(), fine=torch.nn.functional.interpolate(tee().image, scale_factor=2))
    middle = slice(13, 20), slice(44, 52)  # of 128 × 96, the same in a mirror
    bare = without_lining(told(0.9, middle), garment)
    assert not bare.matte[0, 0, 30:36, 92:100].any()
    assert bare.image[0, :, 30:36, 92:100].std() < 1e-3
    assert abs(float(bare.image[0, 0, 32, 96]) - GROUND) < 1e-3
    assert bare.fine is not None and abs(float(bare.fine[0, 0, 64, 192]) - GROUND) < 1e-3
    assert torch.equal(bare.image[..., 60:, :], garment.image[..., 60:, :])
    assert without_lining(told(0.1, middle), garment) is garment


def test_what_is_taken_away_is_told_and_fine_cloth_at_its_edge_is_unmixed() -> None:
    """Prevents: a dashed white line along necklines."""
    garment = replace(tee(), fine=torch.nn.functional.interpolate(tee().image, scale_factor=2))
    bare = without_lining(told(0.9, (slice(13, 20), slice(44, 52))), garment)
    assert bare.lining is not None and garment.lining is None
    assert torch.allclose(bare.matte + bare.lining, garment.matte, atol=1e-6)
    assert bare.fine is not None and garment.fine is not None
    kept = (bare.fine == garment.fine).all(1)
    assert ((bare.fine - GROUND).abs().amax(1)[~kept] < 1e-3).all(), "either its own or the ground"


UPPER_PART = slice(13, 23), slice(36, 60)  # of 128 × 96: the inside as far as row 46 of 56


def test_what_the_network_left_of_the_inside_goes_too() -> None:
    """Prevents: a grey wedge below the neck, where the network's soft edge cuts a lining through."""
    bare = without_lining(told(0.9, UPPER_PART), tee())
    assert bare.matte[0, 0, 48:54, 90:102].max() < 0.1
    assert bare.matte[0, 0, 70:230, 60:132].min() > 0.95


def test_a_keyhole_is_open() -> None:
    """Prevents: the white of a shop's picture on the chest, seen through a slit below the neck."""
    garment = tee()
    hole = slice(42, 58), slice(94, 99)
    garment.image[0, :, hole[0], hole[1]] = GROUND
    bare = without_lining(told(0.9, UPPER_PART), garment)
    assert bare.matte[0, 0, 48:56, 95:98].max() < 0.1


def test_a_print_in_the_linings_colour_stays() -> None:
    """Prevents: holes in patterns that happen to lie below the neck."""
    garment = tee()
    stripes = torch.tensor(INSIDE)[None, :, None, None]
    for row in range(100, 236, 8):
        garment.image[:, :, row : row + 3, 60:130] = stripes
    bare = without_lining(told(0.9, UPPER_PART), garment)
    assert bare.matte[0, 0, 49:54, 90:102].min() > 0.9


def test_collars_beside_the_neck_stay() -> None:
    garment = tee(neck=False)
    collar = slice(30, 46), slice(118, 134)
    garment.image[0, :, collar[0], collar[1]] = GROUND
    bare = without_lining(told(0.9, UPPER_PART), garment)
    assert bare.matte[0, 0, 32:44, 122:132].min() > 0.9


def test_what_has_its_like_on_the_other_side_is_a_collar() -> None:
    """Prevents: a glittering collar bitten away up to its outline; a label has no like."""
    sides = ((slice(44, 56), slice(84, 92)), (slice(44, 56), slice(100, 108)))
    for both in (True, False):
        garment = tee(neck=False)
        for down, across in sides[: 1 + both]:
            garment.image[0, :, down, across] = GROUND
        bare = without_lining(told(0.9, UPPER_PART), garment)
        left = bare.matte[0, 0, 49:55, 85:91]
        assert (left.min() > 0.9) == both, both
        assert bare.matte[0, 0, 70:230, 60:132].min() > 0.95


def test_a_doubt_takes_away_a_part() -> None:
    network, garment = told(0.28, (slice(0, 128), slice(0, 96))), tee(neck=False)
    found = find_lining(network, garment.image, garment.matte)
    assert found.shape == (1, 1, 128, 96) and (found - 0.28).abs().max() < 1e-4
    bare = without_lining(network, garment).matte[garment.matte > 0]
    assert 0.3 < bare.min() <= bare.max() < 0.7


def test_models_whose_garments_keep_it_are_not_asked() -> None:
    """Prevents: another warp in the published models than the published one."""
    assert load_garment_networks(lining=False).lining is None


def test_what_a_person_shows_is_carried_back_to_the_picture() -> None:
    """Prevents: learning from hair, which lies before the cloth as well as behind it."""
    labels = np.zeros(SIZE, np.uint8)
    labels[:60], labels[60:] = LIP["neck"], LIP["upper_clothes"]
    labels[:, 150:] = LIP["hair"]
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    same = np.stack([(columns + 0.5) / 96 - 1, (rows + 0.5) / 128 - 1], -1).astype(np.float32)
    neck, cloth = carried_back(same, labels, (128, 96))
    assert (neck[:30, :74] == 4).all() and (cloth[31:, :74] == 4).all()
    assert not neck[31:].any() and not cloth[:30].any() and not (neck + cloth)[:, 76:].any()
    beyond = carried_back(same + 5, labels, (128, 96))
    assert not beyond.any()
    batch = {
        "hiding": torch.from_numpy(np.stack([neck, cloth]))[None].float(),
        "view": torch.ones(1, 4, 128, 96),
    }
    share, weight = told_and_weight(batch)
    assert share[0, 0, 10, 10] == 1 and share[0, 0, 100, 10] == 0
    assert weight[0, 0, 10, 10] == 1 and weight[0, 0, 10, 90] == 0


def test_a_batch_moves_picture_and_answer_together() -> None:
    views, hiding = torch.zeros(2, 4, 128, 96).half(), torch.zeros(2, 2, 128, 96, dtype=torch.uint8)
    views[:, 3, 40:80, 30:60] = 1
    hiding[:, 0, 40:80, 30:60] = 9
    batch = lining_batch(views, hiding, np.array([1, 0]), np.random.default_rng(0))
    agree = ((batch["view"][:, 3] > 0.5) == (batch["hiding"][:, 0] > 4)).float().mean()
    assert agree > 0.98 and batch["view"].shape == (2, 4, 128, 96)
    still = lining_batch(views, hiding, np.array([1, 0]), None)
    assert torch.equal(still["view"], views[[1, 0]].float())
