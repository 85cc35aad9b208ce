"""The last stage as a whole: what a switch leaves alone, and what no switch may touch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from ladi.postprocess.finish import cut_outs, finish
from ladi.preprocess.frame import to_pixels
from ladi.preprocess.labels import LIP
from ladi.settings import Settings, Switches
from ladi.types import JOINT, LAYERS, Conditions, Frame, Garment, PersonParts, Photo

SIZE = (64, 48)
PHOTO = (192, 144)


@pytest.fixture
def scene() -> tuple[torch.Tensor, torch.Tensor, PersonParts, Garment, Conditions]:
    """A noisy photo three times the model's size, a box to repaint in it, and two pictures for that."""
    rng = np.random.default_rng(0)
    photo = Photo(rng.integers(0, 256, (*PHOTO, 3)).astype(np.uint8))
    small = photo.pixels.reshape(SIZE[0], 3, SIZE[1], 3, 3).mean(axis=(1, 3))
    image = torch.from_numpy(small / 127.5 - 1).float().movedim(-1, 0)[None]
    mask = torch.zeros(1, 1, *SIZE)
    mask[:, :, 16:48, 12:36] = 1
    joints = np.zeros((18, 3), np.float32)
    frame = Frame(0, 0, PHOTO[1], PHOTO[0], SIZE)
    labels = np.zeros(SIZE, np.uint8)
    person = PersonParts(photo, frame, image, mask, torch.zeros(1, 18, *SIZE), joints, labels)
    cloth = torch.full((1, 3, *SIZE), 0.5)
    rows, columns = torch.meshgrid(*((2 * torch.arange(side) + 1) / side - 1 for side in SIZE), indexing="ij")
    nothing = torch.zeros(1)
    conditions = Conditions(
        mask, person.pose_map, nothing, (), nothing, (), nothing, nothing, nothing, cloth, cloth,
        torch.stack([columns, rows], -1)[None],
    )  # fmt: skip
    generated = torch.from_numpy(rng.uniform(-1, 1, (2, 3, *SIZE)).astype(np.float32))
    layers = torch.from_numpy(rng.normal(0, 2, (2, 4, *SIZE)).astype(np.float32)).softmax(1)
    return generated, layers, person, Garment(cloth, torch.ones(1, 1, *SIZE)), conditions


SWITCHED = [
    Settings(),
    Settings(keep_unchanged=False),
    Settings(fine_detail=False),
    Settings(feather=0.0),
    Settings(switches=Switches(warped_garment=False)),
]


@pytest.mark.parametrize("settings", SWITCHED, ids=lambda one: str(one)[:20])
@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("told", [False, True])
def test_no_setting_touches_what_is_not_repainted(
    scene, settings: Settings, by_hand: bool, told: bool
) -> None:
    """Prevents a step after the painting from changing a face, however it is switched."""
    generated, layers, person, garment, conditions = scene
    person = replace(person, by_hand=by_hand)
    outside = np.kron(person.mask[0, 0].numpy() == 0, np.ones((3, 3), bool))
    pictures = finish(generated, layers, person, garment, conditions, settings, told=told)
    assert len(pictures) == 2 and all(one.shape == (*PHOTO, 3) for one in pictures)
    for picture in pictures:
        assert np.array_equal(picture[outside], person.photo.pixels[outside])
        assert not np.array_equal(picture, person.photo.pixels)


def test_without_pasting_back_the_networks_pictures_are_returned(scene) -> None:
    """Prevents evaluation from scoring anything but what was painted."""
    pictures = finish(*scene, Settings(paste_back=False))
    assert [one.tolist() for one in pictures] == [to_pixels(one).tolist() for one in scene[0]]


def test_nothing_that_was_given_is_changed(scene) -> None:
    """Prevents one visitor's picture from ending in another's, where preparations are remembered."""
    generated, layers, person, garment, conditions = scene
    before = [generated.clone(), person.image.clone(), person.mask.clone(), person.photo.pixels.copy()]
    finish(*scene, Settings())
    after = [generated, person.image, person.mask, person.photo.pixels]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


def test_an_empty_mask_gives_the_photo(scene) -> None:
    """Prevents a change where there was nothing to repaint."""
    generated, layers, person, garment, conditions = scene
    empty = replace(person, mask=torch.zeros_like(person.mask))
    for picture in finish(generated, layers, empty, garment, conditions, Settings()):
        assert np.array_equal(picture, person.photo.pixels)


def test_what_is_painted_over_by_hand_does_not_come_back(scene) -> None:
    """Prevents: a bag that somebody painted over, brought back because it is in front."""
    generated, layers, person, garment, conditions = scene
    labels = np.zeros(SIZE, np.uint8)
    labels[10:54, 8:40] = LIP["bag"]
    person = replace(person, labels=labels)
    shown = torch.zeros_like(layers)
    shown[:, LAYERS.index("other")] = 1
    bag = (slice(72, 120), slice(60, 90))
    made = {
        by_hand: finish(
            generated,
            shown,
            replace(person, by_hand=by_hand),
            garment,
            conditions,
            Settings(),
            told=True,
        )[0]
        for by_hand in (False, True)
    }
    assert np.abs(made[False][bag].astype(int) - person.photo.pixels[bag]).mean() < 12
    assert np.abs(made[True][bag].astype(int) - person.photo.pixels[bag]).mean() > 30


def test_the_layers_to_download_are_those_of_the_result(scene) -> None:
    """Prevents: layers of what the network painted beside a result that was put together otherwise."""
    generated, layers, person, garment, conditions = scene
    given = generated, layers, replace(person, by_hand=True), garment, conditions, Settings(feather=0.0)
    cut = cut_outs(*given, told=True)
    [picture, _] = finish(*given, told=True)
    total = sum(one[..., :3] * (one[..., 3:] / 255.0) for one in cut.values())
    inside = (slice(60, 132), slice(48, 96))
    assert total.shape == picture.shape
    assert np.abs(total[inside] - picture[inside]).mean() < 4


def test_a_mask_by_hand_that_reaches_the_windows_end_is_painted_to_its_end(scene) -> None:
    """Prevents: an old coat below the hem that stays although somebody painted over it."""
    generated, layers, person, garment, conditions = scene
    mask = torch.zeros_like(person.mask)
    mask[:, :, 16:, 12:36] = 1
    labels = np.full(SIZE, LIP["coat"], np.uint8)
    frame = replace(person.frame, height=person.frame.height - 24, width=person.frame.width - 18)
    person = replace(person, mask=mask, labels=labels, frame=frame)
    matte = torch.zeros(1, 1, *SIZE)
    matte[:, :, :40] = 1
    shown = torch.zeros_like(layers)
    shown[:, LAYERS.index("garment")] = 1
    given = replace(garment, matte=matte), conditions, Settings(feather=0.0)
    low = (slice(145, 160), slice(45, 85))
    changed = {
        by_hand: np.abs(
            finish(generated, shown, replace(person, by_hand=by_hand), *given, told=True)[0][low].astype(int)
            - person.photo.pixels[low]
        )
        for by_hand in (False, True)
    }
    assert changed[False].mean() < 5 < 30 < changed[True].mean()


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_hand_below_a_bare_arm_is_drawn_into_the_photo_but_not_beside_an_area_by_hand(
    scene, by_hand: bool
) -> None:
    """Prevents: a stump where a hand was in a coat, a hand cut off below, and one that nobody asked for."""
    generated, layers, person, garment, conditions = scene
    joints = np.zeros((18, 3), np.float32)
    for name, point in {
        "neck": (24, 14),
        "right_shoulder": (17, 17),
        "left_shoulder": (31, 17),
        "right_elbow": (15, 30),
        "right_wrist": (16, 43),
        "right_hip": (20, 40),
        "left_hip": (28, 40),
    }.items():
        joints[JOINT[name]] = (*point, 1)
    labels = np.where(person.mask[0, 0].numpy() > 0, LIP["coat"], 0).astype(np.uint8)
    labels[4:12, 20:28] = LIP["face"]
    matte = torch.zeros(1, 1, *SIZE)
    matte[..., 16:42, 19:30] = 1
    person = replace(person, keypoints=joints, labels=labels, by_hand=by_hand)
    given = generated, layers, person, replace(garment, matte=matte, sleeve=0.2), conditions
    [picture, _] = finish(*given, Settings(feather=0.0), told=True)
    changed = np.abs(picture.astype(int) - person.photo.pixels).max(2) > 0
    below = changed[147:159, 36:66]
    assert below.any() != by_hand
    assert not changed[147:, 75:].any() and not changed[180:].any(), "and nothing else"
    if not by_hand:
        assert picture[147:159, 36:66][below].min() > 0


@pytest.mark.parametrize("covered", [False, True])
def test_a_bare_forearm_is_the_photos_own_unless_a_sleeve_covers_it(scene, covered: bool) -> None:
    """Prevents: long sleeves that end where bare arms begin, and bare arms that are painted for nothing."""
    generated, layers, person, garment, conditions = scene
    bare = np.zeros(SIZE, bool)
    bare[24:40, 14:20] = True
    person = replace(person, bare=bare, labels=np.where(bare, np.uint8(LIP["right_arm"]), person.labels))
    layers = layers * 0
    layers[:, LAYERS.index("garment" if covered else "skin")] = 1
    [picture, _] = finish(generated, layers, person, garment, conditions, Settings(), told=True)
    inside = np.kron(bare, np.ones((3, 3), bool))
    assert np.array_equal(picture[inside], person.photo.pixels[inside]) != covered


def test_a_hand_that_stays_keeps_its_edge_before_the_garment(scene) -> None:
    """Prevents hands that are cut smaller, in steps, by what the mask drew them in."""
    generated, layers, person, garment, conditions = scene
    hand = np.zeros(SIZE, bool)
    hand[26:38, 18:28] = True
    edge = hand & ~ndimage.binary_erosion(hand)
    pixels = np.full((*PHOTO, 3), (40, 60, 160), np.uint8)
    pixels[np.kron(hand, np.ones((3, 3), bool))] = (210, 150, 120)
    labels = np.where(hand, LIP["right_arm"], LIP["upper_clothes"]).astype(np.uint8)
    mask = person.mask * torch.from_numpy(~(hand & ~edge))[None, None]
    image = torch.from_numpy(pixels[1::3, 1::3] / 127.5 - 1).float().movedim(-1, 0)[None]
    person = replace(person, photo=Photo(pixels), image=image, mask=mask, labels=labels, bare=edge)
    layers = layers * 0
    layers[:, LAYERS.index("garment")] = 1
    [picture, _] = finish(generated, layers, person, garment, conditions, Settings(), told=True)
    rim = np.kron(edge, np.ones((3, 3), bool))
    assert np.abs(picture[rim].astype(int) - pixels[rim]).mean() < 25
    assert np.abs(picture[50:70, 90:100].astype(int) - pixels[50:70, 90:100]).mean() > 40, "the sleeve is new"
