"""The measures without truth, on drawn pictures whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import photo_measures as measures
from ladi.types import Frame

SIZE = (120, 90)
PHOTO = np.full((*SIZE, 3), 200, np.uint8)
BLUE, RED, SKIN = np.array([20, 40, 160]), np.array([200, 30, 30]), np.array([220, 180, 150])
WHOLE = np.s_[30:90, 20:70]


def region(place: tuple[slice, ...] = WHOLE) -> np.ndarray:
    marked = np.zeros(SIZE, bool)
    marked[place] = True
    return marked


def filled(colour: np.ndarray, where: np.ndarray, onto: np.ndarray = PHOTO) -> np.ndarray:
    return np.where(where[..., None], colour.astype(np.uint8), onto)


def joints(**places: tuple[float, float]) -> np.ndarray:
    found = np.zeros((18, 3))
    for name, place in places.items():
        found[measures.JOINT[name]] = (*place, 1)
    return found


BODY = joints(
    left_shoulder=(60, 35),
    right_shoulder=(30, 35),
    left_hip=(55, 85),
    right_hip=(35, 85),
    left_elbow=(75, 60),
    left_wrist=(80, 95),
)


def judge(result: np.ndarray, new: np.ndarray, colour: np.ndarray = RED) -> measures.LeftOver:
    old = region()
    must = measures.must_change(old, new, BODY, scale=1.0)
    warped = filled(colour, new, np.zeros_like(PHOTO))
    return measures.left_over(filled(BLUE, old), result, must, new, warped, SKIN)


def test_nothing_is_left_when_all_is_painted_and_all_when_nothing_is() -> None:
    old = region()
    assert judge(filled(RED, old), old).share == 0
    assert judge(filled(BLUE, old), old).share == 1


def test_a_strip_that_was_forgotten_is_counted() -> None:
    """The region loses two pixels all around; of what is left the strip is a known share."""
    result = filled(RED, region())
    strip = np.s_[50:60, 20:70]
    result[strip] = BLUE
    found = judge(result, region())
    assert found.share == pytest.approx(10 / 56)
    assert found.where.sum() == 10 * 46


def test_nearly_the_photos_colour_still_counts() -> None:
    """Prevents: a strip that pasting has shifted by a little counting as painted."""
    assert judge(filled(BLUE + 8, region()), region()).share == 1
    assert judge(filled(BLUE + 40, region()), region()).share == 0


def test_blue_under_blue_cannot_be_judged() -> None:
    """Prevents: a garment of the old one's colour counting as left over."""
    found = judge(filled(BLUE, region()), region(), colour=BLUE + 10)
    assert found.share is None and found.judged == 0


def test_a_sleeve_beside_the_new_garment_must_go() -> None:
    """Outside the new garment the old one turns into skin; prevents: only the warp's outline being judged."""
    new = region(np.s_[30:90, 20:50])
    result = filled(RED, new, filled(BLUE, region()))
    left = judge(result, new)
    assert left.where.any() and not left.where[new].any()
    assert judge(filled(SKIN, region() & ~new, result), new).share == 0


def test_what_hangs_below_hips_and_garment_may_stay() -> None:
    """A coat under a short top: below the hips only what the new garment or an arm covers must change."""
    coat, top = region(np.s_[30:115, 20:70]), region(np.s_[30:80, 20:70])
    must = measures.must_change(coat, top, BODY, scale=1.0)
    assert must[84, 40] and not must[90:, 20:60].any()
    longer = measures.must_change(coat, region(np.s_[30:100, 20:70]), BODY, scale=1.0)
    assert longer[95, 40] and not longer[101:].any()


def test_erosion_is_in_model_pixels() -> None:
    """At half a model pixel per photo pixel, two of the model's are four of the photo's."""
    must = measures.must_change(region(), region(), BODY, scale=0.5)
    rows = np.flatnonzero(must.any(1))
    assert (rows[0], rows[-1]) == (34, 85)


def test_wall_is_kept_only_bit_for_bit() -> None:
    person = region(np.s_[40:120, 35:55])
    same = measures.wall_kept(PHOTO, filled(RED, person), person, person, scale=1.0)
    assert (same.everywhere, same.near) == (1, 1)
    halo = PHOTO.copy()
    halo[40:120, 20:26] -= 1
    found = measures.wall_kept(PHOTO, halo, person, person, scale=1.0)
    assert found.everywhere is not None and found.near is not None
    assert found.near < found.everywhere < 1


def test_wall_beside_either_silhouette_is_not_judged() -> None:
    """Prevents: a wider new sleeve counting as painted wall."""
    before, after = region(np.s_[40:120, 40:50]), region(np.s_[40:120, 30:60])
    painted = filled(RED, region(np.s_[40:120, 24:66]))
    assert measures.wall_kept(PHOTO, painted, before, after, scale=1.0).everywhere == 1
    found = measures.wall_kept(PHOTO, painted, before, before, scale=1.0).everywhere
    assert found is not None and found < 1


def test_no_wall_no_number() -> None:
    everywhere = np.ones(SIZE, bool)
    assert measures.wall_kept(PHOTO, PHOTO, everywhere, everywhere, 1.0) == (None, None)


def test_colour_is_compared_where_both_say_garment() -> None:
    new, seen = region(), region(np.s_[30:90, 20:45])
    warped = filled(np.array([100, 100, 100]), new)
    result = filled(np.array([151, 100, 100]), seen, PHOTO)
    difference, share = measures.garment_colour(result, warped, new, seen)
    assert difference == pytest.approx(51 / 255 / 3)
    assert share == pytest.approx(0.5)
    assert measures.garment_colour(result, warped, new, region(np.s_[0:2, 0:2])) == (None, 0)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((240, 238, 235), "white"),
        ((25, 25, 30), "black"),
        ((130, 130, 130), "coloured"),
        ((250, 240, 150), "coloured"),
        ((20, 10, 90), "coloured"),
    ],
)
def test_tone_is_the_medians(colour: tuple[int, int, int], name: str) -> None:
    """Pale yellow is not white, navy not black; a print of a third of the pixels changes nothing."""
    picture = filled(np.array(colour), region())
    picture[30:45, 20:70] = (255, 0, 0)
    assert measures.tone(picture, region()) == name


def test_a_window_lies_over_the_photo_where_it_was_cut_from() -> None:
    """Prevents: regions half a window or half a pixel beside what they mark."""
    frame = Frame(left=10, top=20, width=60, height=80, size=(40, 30))
    window = np.zeros((40, 30), bool)
    window[10:20, 6:12] = True
    placed = measures.over_photo(window, frame, SIZE)
    expected = np.zeros(SIZE, bool)
    expected[40:60, 22:34] = True
    assert (placed == expected).all()
    model_joint = np.zeros((18, 3))
    model_joint[0] = (6, 10, 1)
    assert measures.joints_over_photo(model_joint, frame)[0].tolist() == [22, 40, 1]


def test_trunk_and_arms_follow_the_joints() -> None:
    trunk, arms = measures.trunk(BODY, SIZE), measures.near_arms(BODY, SIZE)
    assert trunk[60, 45] and not trunk[60, 80] and not measures.trunk(joints(), SIZE).any()
    assert arms[60, 75] and arms[90, 79] and not arms[60, 30]
