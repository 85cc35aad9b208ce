"""How long sleeves are, told from a garment's picture, and learnt from labelled people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ladi.preprocess.labels import LIP
from ladi.preprocess.sleeves import checked_length, sleeve_length, sleeve_view
from ladi.runtime.loading import load_garment_networks
from ladi.training.stages.sleeves import sleeve_batch, worn_sleeve
from ladi.types import JOINT, Garment

SIZE = (256, 192)


def garment(*, long: bool) -> Garment:
    """A blue top on white, with short sleeves or with long ones that hang beside it."""
    matte = np.zeros(SIZE, np.float32)
    matte[40:210, 60:132] = 1
    matte[40:80, 36:156] = 1
    if long:
        matte[40:200, 30:50] = matte[40:200, 142:162] = 1
    image = np.where(matte[..., None] > 0, np.float32([-0.6, -0.4, 0.5]), np.float32(1))
    return Garment(
        image=torch.from_numpy(image).movedim(-1, 0)[None].float(), matte=torch.from_numpy(matte)[None, None]
    )


def test_the_shipped_network_tells_long_sleeves_from_short_ones() -> None:
    network = load_garment_networks(lining=False).sleeves
    assert network is not None
    short, long = (sleeve_length(network, garment(long=one)) for one in (False, True))
    assert short < 0.5 < 0.75 < long


def outline(arms: int = 0, droop: int = 0, cap: int = 0) -> np.ndarray:
    """A garment's matte: its body, sleeves that stick out so far and droop, or short caps."""
    matte = np.zeros(SIZE, np.float32)
    matte[60:200, 66:126] = 1
    for column in range(arms):
        top = 64 + round(column * droop / max(1, arms))
        matte[top : top + 26, [125 + column, 66 - column]] = 1
    matte[66:96, 66 - cap : 126 + cap] = 1
    return matte


def hung(wide: int, sleeves: int = 150) -> np.ndarray:
    """A matte of a garment on a hanger, so wide at most, whose sleeves touch its body and end so far down."""
    matte = np.zeros(SIZE, np.float32)
    matte[50:200, 96 - 3 * wide // 4 : 96 + 3 * wide // 4] = 1
    matte[50 : 50 + sleeves, 96 - wide : 96 + wide] = 1
    return matte


def test_sleeves_spread_out_are_long_and_caps_are_sleeves() -> None:
    """Prevents: jumpers on beds that end at the elbow, T-shirts on hangers that end at the shoulder."""
    assert checked_length(0.45, outline(arms=60, droop=70)) == 1.0
    assert checked_length(0.45, outline(arms=14)) == 0.45
    assert checked_length(0.25, outline(arms=60)) == 0.25, "a T-shirt whose sleeves stick out"
    assert checked_length(0.8, outline()) == 1.0
    assert checked_length(0.5, hung(60)) == 1.0 and checked_length(0.4, hung(60)) == 0.4
    assert checked_length(0.5, hung(80)) == 0.5, "as wide as tall: a T-shirt without much of sleeves"
    assert checked_length(0.5, hung(60, sleeves=110)) == 0.5, "sleeves that end above the hem"
    assert checked_length(0.05, outline(cap=12)) > 0.15
    assert checked_length(0.05, outline()) == 0.05
    assert checked_length(0.05, np.zeros(SIZE, np.float32)) == 0.05


def test_a_shops_picture_is_not_doubted() -> None:
    network = load_garment_networks(lining=False).sleeves
    assert network is not None
    one = replace(garment(long=False), matte=torch.from_numpy(outline(arms=60, droop=70))[None, None])
    told = {by: sleeve_length(network, replace(one, cleaned_by=by)) for by in ("kept", "alpha", "embedded")}
    assert told["kept"] == told["alpha"]
    assert told["embedded"] == checked_length(told["kept"], one.matte[0, 0].numpy())


def test_the_view_holds_the_whole_garment_wherever_it_lies() -> None:
    one = garment(long=True)
    pixels = ((one.image[0].movedim(0, -1).numpy() + 1) * 127.5).astype(np.uint8)
    matte = one.matte[0, 0].numpy()
    here = sleeve_view(pixels, matte, (64, 48))
    there = sleeve_view(np.roll(pixels, 20, 0), np.roll(matte, 20, 0), (64, 48))
    assert here.shape == (4, 64, 48) and np.abs(here - there).mean() < 0.02
    assert not here[3, [0, -1]].any() and not here[3][:, [0, -1]].any()
    assert sleeve_view(pixels, matte * 0, (64, 48)).shape == (4, 64, 48)


def test_what_is_worn_tells_where_sleeves_end() -> None:
    """Prevents: learning from arms that hair or a bag hides."""
    labels, joints = np.zeros(SIZE, np.uint8), np.zeros((18, 3))
    for side, x in (("right", 50), ("left", 140)):
        for name, y in (("shoulder", 70), ("elbow", 120), ("wrist", 170)):
            joints[JOINT[f"{side}_{name}"]] = (x, y, 1)
        labels[70:110, x - 8 : x + 8] = LIP["upper_clothes"]
        labels[110:180, x - 6 : x + 6] = LIP[f"{side}_arm"]
    share = worn_sleeve(labels, joints)
    assert share is not None and abs(share - 0.4) < 0.06
    labels[:, 30:160] = LIP["hair"]
    assert worn_sleeve(labels, joints) is None
    assert worn_sleeve(labels, joints * 0) is None


def test_a_batch_keeps_matte_and_size() -> None:
    views = torch.rand(3, 4, 64, 48)
    batch = sleeve_batch(views, torch.tensor([0.1, 0.5, 1.0]), np.array([2, 0]), np.random.default_rng(0))
    assert batch["view"].shape == (2, 4, 64, 48) and batch["share"].tolist() == [1.0, np.float32(0.1)]
    assert batch["view"][:, 3].min() >= 0 and batch["view"][:, 3].max() <= 1
