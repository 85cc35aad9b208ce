"""Newly painted arms take the tone of the face."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from ladi.postprocess.grain import grain_of
from ladi.postprocess.grey import LUMA
from ladi.postprocess.skin import (
    match_skin,
    near_arms,
    reddish,
    side_of_light,
    surely_bare,
    toned_skin,
    with_chains,
)
from ladi.types import KEYPOINT_NAMES

H, W = 256, 192
BROWN, PALE, GREY = (0.42, 0.27, 0.19), (0.95, 0.80, 0.74), (0.85, 0.85, 0.85)
TONES = [(0.98, 0.86, 0.78), (0.87, 0.68, 0.55), (0.66, 0.47, 0.35), (0.42, 0.27, 0.19), (0.23, 0.15, 0.11)]


def on(colour: tuple[float, float, float]) -> np.ndarray:
    """[0,1] to [-1,1]."""
    return np.array(colour, np.float32) * 2 - 1


@pytest.fixture
def scene() -> dict[str, Any]:
    """A brown face above a grey wall; the network has painted both arms pale, and a red garment between."""
    photo = np.empty((H, W, 3), np.float32)
    photo[:] = on(GREY)
    labels = np.zeros((H, W), np.uint8)
    photo[20:60, 80:112], labels[20:60, 80:112] = on(BROWN), 13
    generated = photo.copy()
    generated[90:180, 40:54] = on(PALE)
    generated[90:180, 138:152] = on(PALE)
    generated[80:200, 60:132] = on((0.8, 0.2, 0.15))
    painted = np.zeros((H, W), bool)
    painted[70:210, 30:162] = True
    garment = np.zeros((H, W), np.float32)
    garment[80:200, 60:132] = 1
    keypoints = np.zeros((18, 3), np.float32)
    for name, x, y in (
        ("right_shoulder", 52, 88),
        ("right_elbow", 46, 135),
        ("right_wrist", 46, 178),
        ("left_shoulder", 140, 88),
        ("left_elbow", 146, 135),
        ("left_wrist", 146, 178),
    ):
        keypoints[KEYPOINT_NAMES.index(name)] = (x, y, 1)
    return {
        "generated": generated,
        "photo": photo,
        "labels": labels,
        "painted": painted,
        "keypoints": keypoints,
        "garment": garment,
    }


def test_painted_arms_take_the_tone_of_the_face(scene: dict[str, Any]) -> None:
    """Prevents: a dark-skinned person with pale arms."""
    after = scene["generated"] + match_skin(**scene)
    np.testing.assert_allclose(after[130, 47], on(BROWN), atol=0.06)
    np.testing.assert_allclose(after[130, 145], on(BROWN), atol=0.06)


def test_garment_wall_and_what_is_kept_do_not_change(scene: dict[str, Any]) -> None:
    """Prevents: a red sleeve that turns into skin, a brown halo on the wall, and a face that changes."""
    change = np.abs(match_skin(**scene))
    assert change[100:190, 66:126].max() < 0.02  # the garment
    assert change[90:200, :36].max() < 0.02  # the wall beside the arm
    assert not change[:60].any()


def test_shaded_skin_is_hardly_brightened(scene: dict[str, Any]) -> None:
    """Prevents: a neck in shade, or arms beside a dark garment, that glow."""
    shaded = tuple(value / 2 for value in BROWN)
    for arm in (slice(40, 54), slice(138, 152)):
        scene["generated"][90:180, arm] = on(shaded)  # type: ignore[arg-type]
    after = (scene["generated"] + match_skin(**scene))[130, 47]
    brighter = (after + 1) / 2 / np.array(shaded)
    assert brighter.min() > 1.05 and brighter.max() < 1.2


def test_shading_stays(scene: dict[str, Any]) -> None:
    """Prevents: arms as flat as paper."""
    scene["generated"][90:180, 40:47] -= 0.2
    after = scene["generated"] + match_skin(**scene)
    assert after[130, 50, 0] - after[130, 43, 0] > 0.05


def test_without_a_face_or_without_painted_skin_nothing_changes(scene: dict[str, Any]) -> None:
    """Prevents: a tone that is guessed."""
    assert not match_skin(**scene | {"labels": np.zeros((H, W), np.uint8)}).any()
    wall = np.empty((H, W, 3), np.float32)
    wall[:] = on(GREY)
    assert not match_skin(**scene | {"generated": wall}).any()
    assert not match_skin(**scene | {"keypoints": np.zeros((18, 3), np.float32)}).any()


@pytest.mark.parametrize("tone", TONES)
def test_skin_of_every_tone_looks_like_skin(tone: tuple[float, float, float]) -> None:
    """Prevents: a measure that knows pale skin only."""
    assert reddish(np.array([[tone]], np.float32))[0, 0] > 0.5
    assert reddish(np.array([[GREY]], np.float32))[0, 0] == 0
    assert reddish(np.array([[(0.2, 0.3, 0.6)]], np.float32))[0, 0] == 0


def test_arms_reach_as_far_as_their_joints(scene: dict[str, Any]) -> None:
    zone = near_arms(scene["keypoints"], (H, W))
    assert zone[130, 46] == 1 and zone[130, 96] == 0 and zone[240, 46] == 0


def test_painted_skin_has_the_photos_grain() -> None:
    """Prevents: arms of plastic beside a face with grain."""
    rng, known = np.random.default_rng(1), np.zeros((256, 192), bool)
    known[30:80, 70:120] = True
    plain = np.full((256, 192, 3), 150, np.uint8)
    noisy = np.clip(plain + rng.normal(0, 4, (256, 192, 1)), 0, 255).astype(np.uint8)
    # Faint spots are there on every skin, grain only where the photo has it.
    fine = [one - cv2.blur(one, (5, 5)) for one in (grain_of(plain, known), grain_of(noisy, known))]
    assert fine[0].std() < 6e-3 and 0.006 < fine[1].std() < 0.02
    assert 0.02 < grain_of(plain, known).std() < 0.035
    assert not grain_of(noisy, known & False).any()
    assert np.array_equal(grain_of(noisy, known), grain_of(noisy, known))


@pytest.mark.parametrize("slope", [-0.2, 0.0, 0.2])
def test_a_face_tells_from_which_side_light_falls(slope: float) -> None:
    photo, face = np.full((256, 192, 3), -1, np.float32), np.zeros((256, 192), bool)
    face[30:70, 80:112] = True
    photo[:] = (0.3 + slope * (np.arange(192) - 96) / 16)[None, :, None]
    assert np.sign(round(side_of_light(photo, face), 3)) == np.sign(slope)
    assert side_of_light(photo, face & False) == 0


HAND = (0.83, 0.66, 0.55)


@pytest.mark.parametrize(
    ("hand", "used"), [(HAND, True), ((0.5, 0.5, 0.48), False), ((0.85, 0.78, 0.35), False)]
)
def test_arms_are_paler_than_the_face_and_as_bare_hands_are(
    hand: tuple[float, float, float], used: bool
) -> None:
    """Prevents: arms as red as cheeks, and grey or yellow ones where a glove or a bag is taken for a hand."""
    red = np.array((0.85, 0.55, 0.45))
    photo = np.zeros((H, W, 3), np.float32)
    photo[20:60, 80:112], photo[200:220, 40:60] = on(tuple(red)), on(hand)
    face, arms = np.zeros((H, W), bool), np.zeros((H, W), bool)
    face[20:60, 80:112] = arms[200:220, 40:60] = True
    share = np.zeros((H, W), np.float32)
    share[90:180, 40:60] = 1
    toned = toned_skin(photo * 0, share, share, photo, face | arms, share, arms)
    arm = (toned[120, 50] + 1) / 2

    def redness(colour: np.ndarray) -> float:
        return float((colour[0] - colour[2]) / colour.mean())

    plain = toned_skin(photo * 0, share, share, photo, face, share, arms)[120, 50]
    assert redness((plain + 1) / 2) == pytest.approx(0.75 * redness(red), rel=0.08)
    assert (plain + 1).mean() / 2 > 1.05 * red.mean(), "in the light of the face's brighter half"
    near = abs(redness(arm) - redness(np.array(hand))) < abs(
        redness((plain + 1) / 2) - redness(np.array(hand))
    )
    assert near if used else np.allclose(toned[120, 50], plain, atol=0.02)


@pytest.mark.parametrize("tone", TONES)
def test_a_painted_neck_lies_in_the_shade_of_the_chin(tone: tuple[float, float, float]) -> None:
    """Prevents: a chin that runs into the chest without a line, all lit from before."""
    photo, face, share = np.zeros((H, W, 3), np.float32), np.zeros((H, W), bool), np.zeros((H, W), np.float32)
    photo[20:60, 80:112], face[20:60, 80:112] = on(tone), True
    share[60:110, 70:122] = 1
    toned = (toned_skin(photo, share, share, photo, face, share * 0, face & False, face) + 1) / 2
    chin, chest = toned[64, 96], toned[90, 96]
    assert 0.6 < chin.mean() / np.mean(tone) < 0.85 and chest.mean() / np.mean(tone) > 0.9
    assert chin[0] / chin[2] > chest[0] / chest[2], "what is in the shade is redder, not greyer"
    plain = (toned_skin(photo, share, share, photo, face, share * 0, face & False) + 1) / 2
    assert plain[64, 96].mean() / np.mean(tone) > 0.85


def test_painted_arms_take_the_light_of_the_hand_at_their_end() -> None:
    photo, share = np.zeros((H, W, 3), np.float32), np.zeros((H, W), np.float32)
    face, hand = np.zeros((H, W), bool), np.zeros((H, W), bool)
    photo[20:60, 80:112], face[20:60, 80:112] = on((0.85, 0.6, 0.5)), True
    photo[180:200, 40:56], hand[180:200, 40:56] = on((0.7, 0.5, 0.42)), True
    share[90:180, 40:56] = 1
    toned = (toned_skin(photo, share, share, photo, face | hand, share + hand, hand, face) + 1) / 2
    assert np.abs(toned[177, 48] - (0.7, 0.5, 0.42)).max() < 0.03
    assert toned[100, 48].mean() > toned[177, 48].mean() + 0.005
    unsure = share.copy()
    unsure[140:170, 46:52] = 0.4
    patched = (toned_skin(photo, unsure, unsure, photo, face | hand, share + hand, hand, face) + 1) / 2
    assert np.abs(patched[150, 49] - toned[150, 49]).max() < 0.02, "no patch where a layer was unsure"


def test_a_neckline_has_no_dark_rim() -> None:
    """Prevents: a brown seam where a neck ends at a collar; towards the wall a neck is round."""
    photo, face = np.full((256, 192, 3), -1, np.float32), np.zeros((256, 192), bool)
    face[20:60, 76:116] = True
    photo[face] = (0.6, 0.2, 0.1)
    share = np.zeros((256, 192), np.float32)
    share[60:110, 80:112] = 1
    body = share > 0.5
    body[110:200, 50:140] = True
    alone, dressed = (toned_skin(photo, share, share, photo, face, body=one)[..., 0] for one in (None, body))
    assert dressed[107, 96] > dressed[95, 96] - 0.03 > alone[107, 96]
    assert dressed[95, 81] < dressed[95, 96] - 0.05


def test_arms_are_nearly_as_their_hands_are() -> None:
    """Prevents: pale, shining arms between a sleeve and a hand in the shade."""
    photo, share = np.zeros((H, W, 3), np.float32), np.zeros((H, W), np.float32)
    face, hand = np.zeros((H, W), bool), np.zeros((H, W), bool)
    photo[20:60, 80:112], face[20:60, 80:112] = on((0.8, 0.6, 0.5)), True
    photo[220:240, 40:56], hand[220:240, 40:56] = on((0.6, 0.45, 0.38)), True
    share[90:150, 40:56] = 1  # so far away that nothing is joined
    arm = (toned_skin(photo, share, share, photo, face | hand, share, hand, face)[120, 48] + 1) / 2
    assert 0.99 < arm.mean() / 0.477 < 1.15, "the face is 1.33 times as light"
    seams = hand.copy()
    seams[:230] = False
    kept = hand & ~seams
    told = toned_skin(photo, share, share, photo, face | kept, share, hand, face, seams=seams)
    assert np.allclose((told[120, 48] + 1) / 2, arm, atol=1e-3), "what is painted over tells the tone as well"


def test_a_slim_forearm_between_a_coats_edges_is_the_photos() -> None:
    """Prevents: a strip of the photo's skin, like a scar, in an arm that is painted on both sides of it."""
    worn, bare = np.zeros((H, W), bool), np.zeros((H, W), bool)
    worn[60:200, 40:70] = worn[60:200, 78:110] = True
    bare[100:200, 70:78] = True
    assert surely_bare(bare, bare, worn)[110:190, 71:77].all()
    assert surely_bare(bare, bare & False, worn).sum(1).max() <= 2, "a neck is drawn in farther"
    assert np.array_equal(surely_bare(bare, bare, worn & False), bare), "nothing is taken away"


def test_the_shade_of_pale_arms_is_faint() -> None:
    """Prevents: fair arms with brown rims and a burnt core, like neon tubes."""

    def contrast(tone: tuple[float, float, float]) -> float:
        face, share = np.zeros((256, 192), bool), np.zeros((256, 192), np.float32)
        face[20:50, 80:110] = True
        share[100:150, 40:60] = 1
        photo = np.full((256, 192, 3), 0.1, np.float32)
        photo[face] = np.array(tone) * 2 - 1
        light = np.where(np.arange(192)[None] < 50, 0.7, 1.0) * share
        toned = (toned_skin(photo, share, share, photo, face, light, face & False, face) + 1) / 2
        return float(toned[125, 44] @ LUMA / (toned[125, 56] @ LUMA))

    dark, fair = contrast((0.45, 0.31, 0.24)), contrast((0.93, 0.82, 0.76))
    assert dark < 0.78 and fair > dark + 0.04


def test_a_chain_on_a_neck_stays_and_a_collar_below_it_does_not() -> None:
    """Prevents: crumbs of a necklace on a painted neck."""
    neck = np.zeros((H, W), bool)
    neck[60:100, 80:112] = True
    alike = neck.copy()
    alike[74:80, 80:112] = alike[90:100, 80:112] = False
    whole = with_chains(alike, neck)
    assert whole[74:80, 84:108].all(), "the chain"
    assert not whole[92:100].any(), "the collar"
    assert not whole[~neck].any()
    assert not with_chains(np.zeros_like(neck), neck).any()
