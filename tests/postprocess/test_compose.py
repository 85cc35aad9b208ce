"""Results put together in layers: walls and cloth continued, skin in its tone, outlines without fog."""

from __future__ import annotations

import numpy as np
import torch

from ladi.postprocess.cloth_source import ClothSource
from ladi.postprocess.compose import _of_its_shades, compose
from ladi.postprocess.continuing import continue_picture
from ladi.postprocess.kept import below_hem, settled
from ladi.postprocess.laid_cloth import without_holes
from ladi.postprocess.layers import shapes
from ladi.postprocess.layout import Layout
from ladi.postprocess.skin import toned_skin
from ladi.preprocess.frame import to_tensor
from ladi.preprocess.labels import LIP
from ladi.types import JOINT, LAYERS, Frame, Garment, PersonParts, Photo

SIZE = (256, 192)
WALL, SKIN, GARMENT, OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))
MIRROR = (10.0, 24.0)
EVERYWHERE = np.ones(SIZE, bool)


def stripes(width: int = 8) -> np.ndarray:
    """(H,W,3) uint8, upright stripes."""
    row = np.where(np.arange(SIZE[1]) // width % 2, 200, 60).astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (*SIZE, 3)).copy()


def one_hot(numbers: np.ndarray) -> torch.Tensor:
    """(H,W) → (1,K,H,W)."""
    return torch.from_numpy(np.stack([numbers == number for number in range(len(LAYERS))])[None]).float()


def test_a_wall_goes_on_with_its_own_pattern_and_what_is_known_stays() -> None:
    """Prevents: fog where a coat was, in front of bricks."""
    picture = np.ascontiguousarray(np.tile(stripes(), (1, 2, 1))[:192, :256].transpose(1, 0, 2))
    known = EVERYWHERE.copy()
    known[:, 80:96] = False
    hidden = picture.copy()
    hidden[~known] = (255, 0, 0)
    filled = continue_picture(hidden, known, EVERYWHERE, MIRROR)
    assert np.array_equal(filled[known], picture[known])
    assert np.abs(filled[:, 80:96].astype(int) - picture[:, 80:96]).mean() < 30, "stripes stay stripes"


def test_nothing_is_filled_that_is_not_wanted_or_cannot_be_known() -> None:
    picture = stripes()
    half = EVERYWHERE.copy()
    half[:, 96:] = False
    assert continue_picture(picture, half, half, MIRROR) is picture
    assert continue_picture(picture, ~EVERYWHERE, EVERYWHERE, MIRROR) is picture


def test_unsure_layers_become_one_or_the_other_with_a_narrow_edge() -> None:
    """Prevents: half-transparent sleeves and arms, where the network was of two minds."""
    share = torch.linspace(0, 1, SIZE[1]).expand(1, 1, *SIZE)
    soft = torch.cat([1 - share, torch.zeros_like(share), share, torch.zeros_like(share)], dim=1)
    large = shapes(soft, (1024, 768))
    mixed = (large.amax(1) < 0.98).float().mean()
    assert mixed < 0.02
    assert torch.allclose(large.sum(1), torch.ones(1, 1024, 768), atol=1e-4)
    assert large[0, WALL, 500, 100] == 1 and large[0, GARMENT, 500, 700] == 1


def test_specks_of_a_layer_belong_to_what_is_around_them() -> None:
    numbers = np.full(SIZE, WALL)
    numbers[50:200, 50:150] = GARMENT
    numbers[100:104, 100:104] = SKIN
    assert shapes(one_hot(numbers), SIZE)[0, GARMENT, 102, 102] > 0.999


def test_bare_arms_take_the_tone_of_the_skin_that_the_photo_shows() -> None:
    """Prevents: grey or two-coloured arms on a person whose face and hands are known."""
    photo = np.full((*SIZE, 3), 0.9, np.float32)
    known = np.zeros(SIZE, bool)
    known[20:60, 80:110] = True
    photo[known] = np.array([0.6, 0.4, 0.3]) * 2 - 1
    share = np.zeros(SIZE, np.float32)
    share[100:200, 40:60] = 1
    grey = np.zeros((*SIZE, 3), np.float32)
    toned = (toned_skin(grey, share, share, photo, known) + 1) / 2
    inner = toned[150, 50]
    assert np.abs(inner - (0.6, 0.4, 0.3)).max() < 0.06
    assert toned[150, 41].sum() < inner.sum() - 0.1, "a limb is round"
    assert np.array_equal(toned_skin(grey, share, share, photo, np.zeros(SIZE, bool)), grey)


def test_what_was_wall_stays_wall_and_a_coat_below_the_hem_stays_the_coat() -> None:
    labels = np.zeros(SIZE, np.uint8)
    labels[60:, 50:140] = LIP["coat"]
    mask = np.zeros(SIZE, bool)
    mask[50:, 30:160] = True
    outline = np.zeros(SIZE, np.float32)
    outline[60:180, 60:130] = 1
    outline[60:120, 40:60] = 1  # a sleeve ends higher than the hem
    below = below_hem(mask, labels, outline, "lip")
    assert below[200:, 60:130].all() and not below[:175].any()
    assert not below[150, 50], "where the sleeve ends the coat does not come back"
    painted = np.full((len(LAYERS), *SIZE), 0.1, np.float32)
    painted[GARMENT] = 0.7
    sure = settled(painted, labels, outline, below)
    assert (sure[OTHER][below & (labels > 0)] == 1).all()
    assert (sure[WALL][50:58, 32:36] == 1).all() and sure[GARMENT][100, 100] == np.float32(0.7)
    shirt = np.where(np.arange(SIZE[0])[:, None] < 190, labels, 0).astype(np.uint8)
    assert not below_hem(mask, shirt, outline, "lip").any()


def test_a_gap_between_sleeve_and_body_is_no_print() -> None:
    """Prevents: a strip of the garment picture's background down a sleeve."""
    matte, picture = torch.zeros(1, 1, *SIZE), torch.ones(1, 3, *SIZE)
    matte[..., 40:220, 40:150] = 1
    picture[..., 40:220, 40:150] = 0
    matte[..., 60:120, 60:64] = matte[..., 100:110, 90:100] = 0.4
    picture[..., 60:120, 60:64], picture[..., 100:110, 90:100] = 1, -0.5
    whole = without_holes(matte, picture)
    assert whole[0, 0, 90, 61] == np.float32(0.4) and whole[0, 0, 105, 95] == 1
    picture[..., 40:220, 40:150] = 0.95
    assert without_holes(matte, picture)[0, 0, 90, 61] == 1, "of white cloth nobody knows"
    matte[matte < 0.9] = 0
    assert without_holes(matte, picture)[0, 0, 90, 61] == 0, "but where somebody was sure"


def test_trousers_go_on_under_what_was_a_longer_coat() -> None:
    """Prevents: fog between a short new top and the trousers that a longer coat hid."""
    pixels = np.full((*SIZE, 3), 230, np.uint8)
    labels, keypoints = np.zeros(SIZE, np.uint8), np.zeros((18, 3), np.float32)
    labels[60:200, 50:140], labels[200:, 60:130] = LIP["coat"], LIP["pants"]
    pixels[60:200, 50:140], pixels[200:, 60:130] = (200, 30, 30), (20, 30, 90)
    for name, point in {
        "right_shoulder": (66, 70),
        "left_shoulder": (126, 70),
        "right_hip": (80, 160),
        "left_hip": (112, 160),
    }.items():
        keypoints[JOINT[name]] = (*point, 1)
    photo = Photo(pixels)
    mask = torch.zeros(1, 1, *SIZE)
    mask[..., 50:205, 40:150] = 1
    person = PersonParts(
        photo=photo,
        frame=Frame(0, 0, SIZE[1], SIZE[0], SIZE),
        image=to_tensor(pixels),
        mask=mask,
        pose_map=torch.zeros(1, 18, *SIZE),
        keypoints=keypoints,
        labels=labels,
    )
    garment = Garment(image=torch.zeros(1, 3, *SIZE), matte=torch.ones(1, 1, *SIZE))
    numbers = np.full(SIZE, WALL)
    numbers[60:160, 60:130], numbers[160:, 60:130] = GARMENT, OTHER
    painted = torch.zeros(1, 3, *SIZE)
    for stays, colour in ((False, (20, 30, 90)), (True, (200, 30, 30))):
        kept = np.zeros(SIZE, bool)
        kept[165:200, 60:130] = stays
        layout = Layout(one_hot(numbers)[0].numpy(), kept)
        whole = compose(painted, one_hot(numbers), layout, person, garment, None, SIZE).whole()
        shown = ((whole[0, :, 180, 95] + 1) * 127.5).numpy()
        assert np.abs(shown - colour).max() < 20, "what goes on below the window stays a coat" * stays


def test_a_slit_of_wall_between_two_legs_is_no_cloth_to_go_on() -> None:
    """Prevents: a white rag at the crotch, copied from the wall between the knees."""
    photo, cloth = np.full((*SIZE, 3), 40, np.uint8), np.zeros(SIZE, bool)
    cloth[150:240, 60:130] = True
    photo[150:240, 60:130] += np.random.default_rng(0).integers(0, 20, (90, 70, 1)).astype(np.uint8)
    photo[150:240, 94:96] = 230
    known = _of_its_shades(photo, cloth)
    assert not known[:, 94:96].any() and (known[:, 60:94] == cloth[:, 60:94]).all()
    photo[150:240, 60:90] = (170, 40, 40)
    assert _of_its_shades(photo, cloth)[150:240, 60:90].all(), "two colours are a pattern"


def test_wall_and_cloth_are_the_photos_and_the_garments_own_not_the_networks() -> None:
    """Prevents: the network's mush in walls, its blur in patterns."""
    photo = Photo(np.broadcast_to(np.uint8([30, 90, 30]), (*SIZE, 3)).copy())
    labels = np.zeros(SIZE, np.uint8)
    labels[80:200, 60:130] = LIP["upper_clothes"]
    mask = torch.zeros(1, 1, *SIZE)
    mask[..., 70:210, 50:140] = 1
    person = PersonParts(
        photo=photo,
        frame=Frame(0, 0, SIZE[1], SIZE[0], SIZE),
        image=to_tensor(photo.pixels),
        mask=mask,
        pose_map=torch.zeros(1, 18, *SIZE),
        keypoints=np.zeros((18, 3)),
        labels=labels,
    )
    garment = Garment(image=to_tensor(stripes()), matte=torch.ones(1, 1, *SIZE))
    numbers = np.full(SIZE, WALL)
    numbers[90:190, 70:120] = GARMENT
    grid = torch.stack(
        torch.meshgrid(torch.linspace(-1, 1, 192), torch.linspace(-1, 1, 256), indexing="xy"), -1
    )
    grey = torch.zeros(1, 3, *SIZE)
    layout = Layout(one_hot(numbers)[0].numpy(), np.zeros(SIZE, bool))
    whole = compose(grey, one_hot(numbers), layout, person, garment, ClothSource(grid[None]), SIZE).whole()
    pixels = (whole[0].movedim(0, -1).numpy() + 1) / 2
    assert np.abs(pixels[84, 64] - np.array([30, 90, 30]) / 255).max() < 0.02, (
        "wall where the old garment was"
    )
    assert pixels[100:180, 80:110].std((0, 1)).min() > 0.1, "the stripes are there"
    plain = compose(grey, one_hot(numbers), layout, person, garment, None, SIZE).whole()
    assert plain[0, :, 100:180, 80:110].abs().max() < 0.05, "without a warp the network's own"


def test_where_an_arm_goes_over_into_a_hand_a_share_of_the_photo_is_seen() -> None:
    """Prevents: an old cuff's edge around the wrist."""
    painted, seen = np.uint8([200, 150, 120]), np.uint8([150, 100, 80])
    photo = Photo(np.broadcast_to(seen, (*SIZE, 3)).copy())
    labels = np.full(SIZE, LIP["upper_clothes"], np.uint8)
    person = PersonParts(
        photo=photo,
        frame=Frame(0, 0, SIZE[1], SIZE[0], SIZE),
        image=to_tensor(photo.pixels),
        mask=torch.ones(1, 1, *SIZE),
        pose_map=torch.zeros(1, 18, *SIZE),
        keypoints=np.zeros((18, 3)),
        labels=labels,
    )
    lit = to_tensor(np.broadcast_to(painted, (*SIZE, 3)).copy())
    skin = one_hot(np.full(SIZE, SKIN))
    garment = Garment(image=lit, matte=torch.ones(1, 1, *SIZE))
    faded = np.zeros(SIZE, np.float32)
    faded[100:150], faded[150:] = 0.5, 1
    layout = Layout(skin[0].numpy(), np.zeros(SIZE, bool), faded=faded)
    whole = compose(lit, skin, layout, person, garment, None, SIZE).whole()
    rows = (whole[0].mean(-1).T + 1) * 127.5
    for row, share in ((50, 0.0), (125, 0.5), (200, 1.0)):
        wanted = torch.tensor(painted * (1 - share) + seen * share)
        assert (rows[row] - wanted).abs().max() < 4, row


def test_forearms_that_stay_bare_tell_the_tone_of_what_is_painted_above_them() -> None:
    """Prevents: pale upper arms on sunburnt forearms, where the hands are in pockets."""
    pale, burnt = np.uint8([150, 112, 96]), np.uint8([205, 120, 70])
    pixels = np.full((*SIZE, 3), 240, np.uint8)
    labels, numbers = np.zeros(SIZE, np.uint8), np.full(SIZE, WALL)
    pixels[10:50, 80:112], labels[10:50, 80:112] = pale, LIP["face"]
    pixels[60:140, 60:76], labels[60:140, 60:76] = (20, 60, 30), LIP["upper_clothes"]
    pixels[140:220, 60:76], labels[140:220, 60:76] = burnt, LIP["right_arm"]
    numbers[10:50, 80:112] = numbers[60:220, 60:76] = SKIN
    mask = torch.zeros(1, 1, *SIZE)
    mask[..., 55:230, :] = 1
    photo = Photo(pixels)
    person = PersonParts(
        photo=photo,
        frame=Frame(0, 0, SIZE[1], SIZE[0], SIZE),
        image=to_tensor(photo.pixels),
        mask=mask,
        pose_map=torch.zeros(1, 18, *SIZE),
        keypoints=np.zeros((18, 3)),
        labels=labels,
    )
    roundness = np.zeros(SIZE, np.float32)
    roundness[60:220, 60:76] = 1
    layers = one_hot(numbers)
    layout = Layout(layers[0].numpy(), np.zeros(SIZE, bool), roundness=roundness)
    grey = to_tensor(np.full((*SIZE, 3), 130, np.uint8))
    garment = Garment(image=grey, matte=torch.ones(1, 1, *SIZE))
    whole = (compose(grey, layers, layout, person, garment, None, SIZE).whole() + 1) * 127.5
    arm = whole[0, :, 90:110, 66:70].mean((1, 2)).numpy()
    # Blue beside red tells them apart, in any light.
    ratio = arm[2] / arm[0]
    assert abs(ratio - burnt[2] / burnt[0]) < abs(ratio - pale[2] / pale[0])
