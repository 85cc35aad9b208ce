"""Finding people, on a public-domain portrait; and the pose map, on numbers."""

from __future__ import annotations

import gc
import importlib
import io
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from ladi.preprocess.photo import read_photo
from ladi.preprocess.pose import PoseDetector, is_cut, mirrored
from ladi.preprocess.pose_map import body25_to_keypoints, pose_map
from ladi.types import KEYPOINT_NAMES, ModelError, PersonError, PoseDetection


@pytest.fixture(scope="module")
def detector() -> PoseDetector:
    return PoseDetector()


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    """(512,512,3): a woman from the front, with a helmet under her left arm and hips outside the picture."""
    return np.asarray(skimage.data.astronaut())


def _joint(keypoints: np.ndarray, name: str) -> np.ndarray:
    return keypoints[KEYPOINT_NAMES.index(name)]


def test_a_portrait(detector: PoseDetector, astronaut: np.ndarray) -> None:
    """Prevents left and right, rows and columns, or present and absent joints from being mixed up."""
    found = detector.detect(astronaut)
    keypoints = found.keypoints
    assert keypoints.shape == (18, 3) and keypoints.dtype == np.float32
    assert np.hypot(*(_joint(keypoints, "nose")[:2] - (223, 128))) < 25
    assert _joint(keypoints, "left_shoulder")[0] > 260 > 180 > _joint(keypoints, "right_shoulder")[0]
    assert _joint(keypoints, "left_eye")[0] > _joint(keypoints, "right_eye")[0]
    middle = (_joint(keypoints, "left_shoulder") + _joint(keypoints, "right_shoulder")) / 2
    assert np.allclose(_joint(keypoints, "neck"), middle, atol=1e-3)
    for hidden in ("left_hip", "right_knee", "left_ankle"):
        assert _joint(keypoints, hidden).tolist() == [0, 0, 0]
    assert (found.people, found.facing) == (1, "front")
    silhouette = found.silhouette
    assert silhouette.shape == (512, 512) and silhouette.dtype == np.float32
    assert silhouette.min() >= 0 and silhouette.max() <= 1
    assert silhouette[128, 223] > 0.9 and silhouette[400, 200] > 0.9
    assert silhouette[100, 330] < 0.1 and silhouette[60, 60] < 0.1


def test_an_outline_that_ends_in_a_straight_line_was_cut_off() -> None:
    """Prevents: a jacket that stays, but for a square of it, where the detector's square was too small."""
    rows, columns = np.mgrid[:200, :120]
    oval = (np.hypot((rows - 100) / 80, (columns - 60) / 40) < 1).astype(np.float32)
    assert not is_cut(oval) and not is_cut(oval * 0)
    for part in (np.s_[110:], np.s_[:70], np.s_[:, 65:], np.s_[:, :55]):
        cut = oval.copy()
        cut[part] = 0
        assert is_cut(cut)
    assert not is_cut(oval[60:140, 30:90]), "the picture's own edges cut nobody off"


def test_what_is_found_in_a_mirror_is_told_of_the_picture(
    detector: PoseDetector, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents left and right from being exchanged, and nobody from looking a second time."""
    plain = detector.detect(astronaut)
    flipped = detector.detect(np.ascontiguousarray(astronaut[:, ::-1]))
    back = mirrored(flipped)
    seen = plain.keypoints[:, 2].astype(bool) & back.keypoints[:, 2].astype(bool)
    assert seen.sum() >= 8 and np.abs(back.keypoints[seen, :2] - plain.keypoints[seen, :2]).max() < 25
    assert np.abs(back.silhouette - plain.silhouette).mean() < 0.05
    assert np.array_equal(mirrored(back).keypoints, flipped.keypoints)
    calls = iter([True, False])
    monkeypatch.setattr("ladi.preprocess.pose.is_cut", lambda _: next(calls))
    assert np.array_equal(detector.detect(astronaut).silhouette, back.silhouette)
    monkeypatch.setattr("ladi.preprocess.pose.is_cut", lambda _: True)
    again = detector.detect(astronaut)
    assert np.array_equal(again.silhouette, plain.silhouette), (
        "what was seen at first, where that is no better"
    )


def test_joints_scale_with_the_picture(detector: PoseDetector, astronaut: np.ndarray) -> None:
    """Prevents joints from coming back in the pixels of the shrunken copy that the network saw."""
    large = np.asarray(Image.fromarray(astronaut).resize((2304, 2304), Image.Resampling.BICUBIC))
    small, found = detector.detect(astronaut), detector.detect(large)
    assert np.abs(_joint(found.keypoints, "nose")[:2] / 4.5 - _joint(small.keypoints, "nose")[:2]).max() < 6
    assert found.silhouette.shape == (2304, 2304)
    assert ((found.silhouette[::9, ::9] > 0.5) == (small.silhouette[::2, ::2] > 0.5)).mean() > 0.97


def test_the_jaw_is_found_where_the_chin_is(detector: PoseDetector, astronaut: np.ndarray) -> None:
    """Prevents: a jaw in the pixels of a part, of a smaller copy or of the mirror image."""
    found = detector.detect(astronaut).jaw
    assert found is not None and found.shape == (21, 2)
    assert np.hypot(*(found[10] - (226, 183))) < 15, "the chin"
    assert found[0, 0] < found[10, 0] < found[20, 0]
    back = mirrored(detector.detect(np.ascontiguousarray(astronaut[:, ::-1]))).jaw
    assert back is not None and np.abs(back - found).max() < 15
    photo = np.full((900, 1200, 3), 200, np.uint8)
    photo[640:840, 900:1100] = np.asarray(Image.fromarray(astronaut).resize((200, 200)))
    small = detector.detect(photo).jaw
    assert small is not None and np.abs((small - (900, 640)) * 2.56 - found).max() < 20


def test_a_jaw_that_leaves_the_picture_is_mirrored_too() -> None:
    """Prevents: half a face of a close-up folded back into the picture."""
    jaw = np.array([[-8, 20], [50, -6], [130, 30]], np.float32)
    found = PoseDetection(np.zeros((18, 3), np.float32), np.zeros((80, 100), np.float32), jaw=jaw)
    back = mirrored(found).jaw
    assert back is not None and np.array_equal(back, [[-31, 30], [49, -6], [107, 20]])


def test_no_jaw_where_the_face_is_hidden(detector: PoseDetector, astronaut: np.ndarray) -> None:
    hidden = astronaut.copy()
    hidden[40:230, 150:300] = (60, 40, 30)
    found = detector.find(hidden)
    assert found is None or found.jaw is None


def test_a_small_person_in_a_large_photo(detector: PoseDetector, astronaut: np.ndarray) -> None:
    """Prevents people who take little of a wide photo from being overlooked."""
    photo = np.full((900, 1200, 3), 200, np.uint8)
    photo[640:840, 900:1100] = np.asarray(Image.fromarray(astronaut).resize((200, 200)))
    found = detector.detect(photo)
    assert np.hypot(*(_joint(found.keypoints, "nose")[:2] - (987, 690))) < 15
    assert found.silhouette[690, 987] > 0.5 and found.silhouette[:600].max() < 0.1


def test_two_people_are_counted(detector: PoseDetector, astronaut: np.ndarray) -> None:
    """Prevents the wrong one of two people from being dressed without a word."""
    assert detector.detect(np.hstack([astronaut, astronaut[:, ::-1]])).people == 2


@pytest.mark.parametrize("kind", ["blank", "noise", "coffee"])
def test_nobody(detector: PoseDetector, kind: str) -> None:
    """Prevents a try-on on a wall, a garment or a cup."""
    pictures = {
        "blank": np.full((300, 200, 3), 128, np.uint8),
        "noise": np.random.default_rng(0).integers(0, 256, (300, 200, 3)).astype(np.uint8),
        "coffee": np.asarray(skimage.data.coffee()),
    }
    assert detector.find(pictures[kind]) is None
    with pytest.raises(PersonError, match="No person found in this photo"):
        detector.detect(pictures[kind])


def test_threads_get_what_a_single_one_gets(detector: PoseDetector, astronaut: np.ndarray) -> None:
    """Prevents two users' pictures from meeting in one graph, and memories of the picture before."""
    pictures = [astronaut, astronaut[:, ::-1], astronaut[:, 40:420]]
    alone = [detector.detect(picture) for picture in pictures]
    order = [2, 1, 0, 2]
    with ThreadPoolExecutor(len(order)) as pool:
        together = list(pool.map(lambda index: detector.detect(pictures[index]), order))
    for index, found in zip(order, together, strict=True):
        assert np.array_equal(found.keypoints, alone[index].keypoints)
        assert np.array_equal(found.silhouette, alone[index].silhouette)


def test_a_detector_that_is_dropped_frees_its_graphs(astronaut: np.ndarray) -> None:
    """Prevents: ten threads and 200 MB more for every engine that a server lets go."""
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        pytest.skip("threads are counted on Linux alone")
    before = len(list(tasks.iterdir()))
    detector = PoseDetector()
    detector.find(astronaut)
    assert len(list(tasks.iterdir())) > before
    del detector
    gc.collect()
    assert len(list(tasks.iterdir())) <= before + 1


def test_start_up_is_silent(capfd: pytest.CaptureFixture[str], astronaut: np.ndarray) -> None:
    """Prevents the command's one sentence on stderr from drowning in C++ messages."""
    detector = PoseDetector()
    detector.detect(astronaut)
    detector.close()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("reason", "cure"),
    [
        (
            "libGL.so.1: cannot open shared object file: No such file or directory",
            "libGL.so.1; run `apt-get install libgl1 libglib2.0-0`",
        ),
        ("No module named 'mediapipe'", "pip install"),
    ],
)
def test_a_missing_library_names_its_cure(
    monkeypatch: pytest.MonkeyPatch, astronaut: np.ndarray, reason: str, cure: str
) -> None:
    """Prevents a bare ImportError on a slim server, and slots lost to failed starts."""

    def fail(name: str) -> None:
        raise ImportError(reason)

    monkeypatch.setattr(importlib, "import_module", fail)
    detector = PoseDetector(workers=1)
    for _ in range(2):
        with pytest.raises(ModelError, match=cure):
            detector.detect(astronaut)


def test_real_photos_of_one_person(detector: PoseDetector, shared_dir: Path) -> None:
    """Prevents false alarms: single people, some without a head, and garments with nobody."""
    folder = shared_dir / "data" / "hd"
    people = [
        "persons_full/catvton__Simon_1.png",
        "persons_full/fitdit__0083.jpg",
    ]
    people += ["persons_full/ootd__053514_0.jpg", "persons_upper/ootd__02849_00.jpg"]
    for name in people:
        found = detector.detect(read_photo(folder / name).pixels)
        assert (found.people, found.facing) == (1, "front"), name
        assert _joint(found.keypoints, "neck")[2] > 0.9, name
    garments = ["garments_upper/bilal__00006_00.jpg", "garments_upper/ootd__00126_00.jpg"]
    for name in garments:
        assert detector.find(read_photo(folder / name).pixels) is None, name


def test_a_view_from_behind(detector: PoseDetector, shared_dir: Path) -> None:
    """Prevents backs from being dressed with a garment's front without a word."""
    shard = shared_dir / "data" / "viton" / "train-06.tar"
    with tarfile.open(shard) as archive:
        member = archive.extractfile("005248.image.jpg")
        assert member is not None
        pixels = np.asarray(Image.open(io.BytesIO(member.read())).convert("RGB"))
    found = detector.detect(pixels)
    assert found.facing == "back"
    assert _joint(found.keypoints, "left_shoulder")[0] < _joint(found.keypoints, "right_shoulder")[0]


def test_body25_keeps_every_joint_but_the_middle_hip_and_the_feet() -> None:
    """Prevents legs from being read from the arms: BODY-25 has the middle of the hips at place 8."""
    body25 = np.stack([np.arange(25), np.arange(25) + 100, np.ones(25)], axis=1)
    assert body25_to_keypoints(body25)[:, 0].tolist() == [*range(8), *range(9, 19)]
    body25[3, 2] = 0
    assert body25_to_keypoints(body25)[3].tolist() == [0, 0, 0]


def test_pose_map_has_one_blob_per_joint() -> None:
    """Prevents swapped axes, another width, and ghosts in the corner for absent joints."""
    keypoints = np.zeros((18, 3), np.float32)
    keypoints[2] = (100, 300, 0.9)
    keypoints[5] = (250, 40, 0.6)
    keypoints[7] = (50, 60, 0)
    result = pose_map(keypoints, (512, 384))
    assert result.shape == (1, 18, 512, 384) and result.dtype == torch.float32
    assert result[0, 2, 300, 100] == 1 and result[0, 5, 40, 250] == 1
    assert result[0, 2, 309, 100].item() == pytest.approx(np.exp(-1), abs=1e-5)
    assert result[0, 2, 300, 118].item() == pytest.approx(np.exp(-4), abs=1e-5)
    present = result[0].amax(dim=(1, 2)) > 0
    assert present.nonzero().flatten().tolist() == [2, 5]


def test_pose_map_width_follows_the_height_or_is_given() -> None:
    """Prevents blobs of full width at the small model's size; stage 1a asks for 9 pixels there."""
    keypoints = np.zeros((18, 2), np.float32)
    keypoints[0] = (96, 128)
    scaled, wide = pose_map(keypoints, (256, 192)), pose_map(keypoints, (256, 192), sigma=9)
    assert scaled[0, 0, 128, 96 + 9].item() == pytest.approx(np.exp(-4), abs=1e-5)
    assert wide[0, 0, 128, 96 + 9].item() == pytest.approx(np.exp(-1), abs=1e-5)


def test_pose_map_between_pixels_still_peaks_at_one() -> None:
    """Prevents fractional joints from giving weaker channels than whole ones."""
    keypoints = np.zeros((18, 3), np.float32)
    keypoints[:, 2] = 1
    keypoints[:, 0] = np.linspace(0.3, 190.7, 18)
    keypoints[:, 1] = np.linspace(0.4, 254.6, 18)
    result = pose_map(keypoints, (256, 192))
    assert torch.equal(result.amax(dim=(2, 3)), torch.ones(1, 18)) and result.isfinite().all()
