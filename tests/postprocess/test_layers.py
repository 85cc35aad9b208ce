"""Layers: taken apart at the model's size, put together at the photo's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ladi.postprocess.kept import WIDE, below_hem, keep, to_the_bottom
from ladi.postprocess.layers import enlarge, own_colours, recompose, sharpened
from ladi.postprocess.paste import paste_back
from ladi.preprocess.labels import LIP
from ladi.types import LAYERS, Frame, Photo

SMALL, LARGE = (64, 48), (256, 192)
WALL, SKIN, GARMENT, OTHER = range(4)


def halves(left: int, right: int) -> torch.Tensor:
    """Probabilities with a soft edge in the middle."""
    share = torch.sigmoid((torch.arange(SMALL[1]) - SMALL[1] / 2 + 0.5) / 0.8).expand(1, *SMALL)
    layers = torch.zeros(1, len(LAYERS), *SMALL)
    layers[:, left], layers[:, right] = 1 - share, share
    return layers


def painted(layers: torch.Tensor, left: float, right: float, first: int, second: int) -> torch.Tensor:
    return (layers[:, first] * left + layers[:, second] * right)[:, None].expand(1, 3, *SMALL)


def test_an_edge_stays_narrow_when_it_is_enlarged() -> None:
    """Prevents: edges airbrushed over a dozen pixels of a larger photo."""
    layers = halves(WALL, GARMENT)
    soft = painted(layers, 1.0, -1.0, WALL, GARMENT)
    plain = torch.nn.functional.interpolate(soft, LARGE, mode="bicubic")[0, 0, 100]
    again = recompose(soft, layers, LARGE).whole()[0, 0, 100]

    def width(row: torch.Tensor) -> int:
        return int(((row > -0.8) & (row < 0.8)).sum())

    assert width(plain) > 12
    assert width(again) <= 5
    assert again[:80].min() > 0.95 and again[-80:].max() < -0.95


@pytest.mark.parametrize("times", [1, 2, 3, 4, 5, 1.5])
def test_enlarging_is_bicubic(times: float) -> None:
    """Prevents a faster way with other pixels, at the border above all."""
    picture = torch.randn(2, 3, 20, 14, generator=torch.Generator().manual_seed(0))
    size = (round(20 * times), round(14 * times))
    plain = torch.nn.functional.interpolate(picture, size, mode="bicubic", align_corners=False)
    torch.testing.assert_close(enlarge(picture, size), plain, rtol=0, atol=1e-4)


def test_one_layer_is_enlarged_as_it_is() -> None:
    layers = torch.zeros(1, len(LAYERS), *SMALL)
    layers[:, SKIN] = 1
    picture = torch.rand(1, 3, *SMALL) - 0.5
    expected = torch.nn.functional.interpolate(picture, LARGE, mode="bicubic").clamp(-1, 1)
    assert torch.allclose(recompose(picture, layers, LARGE).whole(), expected, atol=2e-3)


def test_shares_sum_to_one() -> None:
    shares = sharpened(torch.rand(2, 4, *SMALL).softmax(1), LARGE)
    assert shares.shape == (2, 4, *LARGE)
    assert torch.allclose(shares.sum(1), torch.ones(2, *LARGE), atol=1e-4)


def test_a_layers_colour_goes_on_beyond_its_edge() -> None:
    """Prevents: a pale fringe of wall inside the garment's edge."""
    layers = halves(WALL, GARMENT)
    picture = painted(layers, 1.0, -1.0, WALL, GARMENT)
    garment = own_colours(picture, layers[:, GARMENT : GARMENT + 1])
    assert garment[0, 0, 30, 22:].max() < -0.85


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A grey wall, an old sleeve left of the new one, all inside the mask: labels, photo, mask."""
    labels = np.zeros(SMALL, np.uint8)
    labels[:, 16:40] = LIP["upper_clothes"]
    photo = np.zeros((*SMALL, 3), np.float32)
    photo[:, 16:40] = 0.9
    return labels, photo, np.ones(SMALL, bool)


def test_the_wall_that_both_show_is_the_photos_own_and_the_old_sleeve_is_not() -> None:
    """Prevents: repainted walls, and the old garment's edge left beside the new one."""
    labels, photo, mask = scene()
    shown = np.zeros((4, *SMALL), np.float32)
    shown[WALL, :, :24] = shown[GARMENT, :, 24:40] = shown[WALL, :, 40:] = 1
    kept = keep(mask, labels, photo, photo * 0, shown)
    assert not kept.painted[:, :12].any() and not kept.painted[:, 46:].any()
    assert kept.painted[:, 15:41].all()


def test_wall_that_nothing_new_covers_stays_whatever_was_painted() -> None:
    """Prevents: fog with a hard edge where the network thought of cloth beside the person."""
    labels, photo, mask = scene()
    shown = np.zeros((4, *SMALL), np.float32)
    shown[GARMENT] = 1
    outline = np.zeros(SMALL, np.float32)
    outline[:, 20:36] = 1
    kept = keep(mask, labels, photo, photo * 0, shown, outline)
    assert not kept.painted[:, :12].any() and kept.painted[:, 15:41].all()
    outline[:, 4:36] = 1  # a sleeve beside the old one
    assert keep(mask, labels, photo, photo * 0, shown, outline).painted[:, 4:41].all()


def test_an_old_garment_that_goes_on_below_the_window_stays_below_the_new_hem() -> None:
    """Prevents: dresses and long coats that end in fog where the window happens to."""
    labels, photo, mask = scene()
    shown = np.zeros((4, *SMALL), np.float32)
    shown[GARMENT, :, 16:40] = shown[WALL, :, :16] = shown[WALL, :, 40:] = 1
    outline = np.zeros(SMALL, np.float32)
    hem = SMALL[0] // 2
    outline[:hem, 20:36] = 1
    below = below_hem(mask, labels, outline, "lip")
    kept = keep(mask, labels, photo, photo * 0, shown, outline, below)
    assert kept.painted[:hem, 16:40].all() and not kept.painted[hem + 6 :].any()
    assert keep(mask, labels, photo, photo * 0, shown, outline).painted[:, 16:40].all()
    labels[-8:] = 0  # a short jacket that ends within the window
    below = below_hem(mask, labels, outline, "lip")
    assert keep(mask, labels, photo, photo * 0, shown, outline, below).painted[hem:-12, 18:38].all()


def test_a_gap_between_body_and_sleeve_is_no_cut_of_the_hem() -> None:
    """Prevents: a spike of the old dress between the new hem and a sleeve beside it."""
    labels, _, mask = scene()
    labels, mask = (np.repeat(np.repeat(one, 4, 0), 4, 1) for one in (labels, mask))
    outline = np.zeros(mask.shape, np.float32)
    hem = len(mask) * 3 // 4
    outline[:hem, 64:132] = outline[: hem + 8, 142:160] = outline[: hem - 18, 132:142] = 1
    below = below_hem(mask, labels, outline, "lip")
    assert below[-1, 64:160].all() and not below[: hem + 1, 64:160].any()


def test_skin_of_another_colour_is_painted() -> None:
    labels, photo, mask = scene()
    labels[:] = LIP["left_arm"]
    shown = np.zeros((4, *SMALL), np.float32)
    shown[SKIN] = 1
    assert not keep(mask, labels, photo, photo, shown).painted.any()
    assert keep(mask, labels, photo, photo - 0.8, shown).painted.all()


@pytest.mark.parametrize(("label", "rim"), [("left_arm", 3), ("neck", 6)])
def test_skin_beside_an_old_garment_gives_no_soft_edge_and_only_arms_stay_close_to_it(
    label: str, rim: int
) -> None:
    """Prevents: bracelets of old cuff, lines of old collar, and arms with a seam along them."""
    tall = (256, 192)
    labels, mask = np.full(tall, LIP[label], np.uint8), np.ones(tall, bool)
    labels[:, :96] = LIP["upper_clothes"]
    shown = np.zeros((4, *tall), np.float32)
    shown[SKIN] = 1
    photo = np.zeros((*tall, 3), np.float32)
    kept = keep(mask, labels, photo, photo, shown, rims=WIDE)
    assert not kept.same[:, :99].any() and kept.same[:, 99:].all()
    assert kept.painted[:, 96 : 96 + rim].all() and not kept.painted[:, 97 + rim :].any()


def test_a_bare_arm_stays_with_its_edge_and_its_shaded_side() -> None:
    """Prevents: frayed arms, where a painted one lies a pixel beside the photo's or is lit otherwise."""
    tall = (256, 192)
    labels, mask = np.zeros(tall, np.uint8), np.ones(tall, bool)
    labels[:, :60] = LIP["upper_clothes"]
    labels[:, 90:120] = LIP["left_arm"]
    photo = np.zeros((*tall, 3), np.float32)
    photo[:, 112:120] = -0.9
    shown = np.zeros((4, *tall), np.float32)
    shown[GARMENT, :, :60] = shown[WALL, :, 60:92] = shown[SKIN, :, 92:122] = shown[WALL, :, 122:] = 1
    kept = keep(mask, labels, photo, photo * 0, shown, rims=WIDE)
    assert not kept.painted[:, 80:].any() and kept.painted[:, :60].all()
    shown[SKIN, :, 122:140], shown[WALL, :, 122:140] = 1, 0  # another arm than the photo's
    assert keep(mask, labels, photo, photo * 0, shown, rims=WIDE).painted[:, 126:140].all()
    assert keep(mask, labels, photo, photo - 0.9, shown, rims=WIDE).painted[:, 94:110].all()


@pytest.mark.parametrize("angle", [0.0, 10.0])
def test_the_soft_edge_is_left_out_where_photo_and_painting_differ(angle: float) -> None:
    """Prevents: a dark old sleeve that shines through along the new one's edge."""
    photo = Photo(np.zeros((*SMALL, 3), np.uint8))
    frame = Frame(0, 0, SMALL[1], SMALL[0], SMALL, angle=angle)
    mask = np.zeros(SMALL, bool)
    mask[10:-10, 10:-10] = True
    white = np.full((*SMALL, 3), 255, np.uint8)
    nowhere, everywhere = np.zeros(SMALL, bool), np.ones(SMALL, bool)
    hard = paste_back(photo, white, mask, frame, feather=4, same=nowhere)
    assert set(np.unique(hard)) <= {0, 255} or angle
    soft_share = ((hard > 0) & (hard < 255)).mean()
    assert soft_share < 0.05  # a window that leans has no straight edge to be hard along
    soft = paste_back(photo, white, mask, frame, feather=4, same=everywhere)
    assert (soft == paste_back(photo, white, mask, frame, feather=4)).all() and (soft[mask] < 255).any()
    assert ((soft > 0) & (soft < 255)).mean() > 2 * soft_share


def test_layers_by_themselves_put_on_each_other_give_the_picture() -> None:
    """Prevents: layers for other programs with a fringe, or whose edges do not meet."""
    layers = halves(WALL, GARMENT)
    picture = painted(layers, 1.0, -1.0, WALL, GARMENT)
    made = recompose(picture, layers, LARGE)
    cut = made.cut_outs()
    assert set(cut) == {"wall", "garment"} and all(one.shape == (*LARGE, 4) for one in cut.values())
    total = sum(one[..., :3] * (one[..., 3:] / 255.0) for one in cut.values())
    whole = ((made.whole()[0].movedim(0, -1) + 1) * 127.5).numpy()
    assert np.abs(total - whole).max() < 3


def test_an_empty_sleeve_beside_an_arm_is_no_coat_that_goes_on() -> None:
    """Prevents: black strips in the air where a coat hung over the shoulders."""
    region = np.zeros((256, 192), bool)
    region[180:, 60:120] = True
    region[180:230, 150:160] = True
    left = to_the_bottom(region)
    assert left[:, 60:120].sum() == region[:, 60:120].sum() and not left[:, 150:].any()
    assert not to_the_bottom(region[:200] & False).any()
