"""Damaged data sets, named file by file before a training finds out."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ladi.commands.check import SHOWN, describe
from ladi.commands.main import main
from ladi.data.checking.dataset import Report, check_dataset
from ladi.data.opening import recognise_layout
from tests.drawn_datasets import FULL, write_dress_code, write_viton_hd
from tests.drawn_shards import drawn_sample, write_drawn_shards, write_shard

SIX = [10, 11, 12, 13, 14, 18]
"""Drawn people of colours that nobody would confuse; likewise the two of the training split."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every layout without a fault: ``hd``, ``dc`` and ``shards``."""
    root = tmp_path_factory.mktemp("whole")
    write_viton_hd(root / "hd", "test", SIX)
    write_viton_hd(root / "hd", "train", [27, 29])
    write_dress_code(root / "dc", "upper_body", [10, 11])
    write_dress_code(root / "dc", "dresses", [12, 13])
    write_drawn_shards(root / "shards", train=3, val=2)
    return root


@pytest.fixture
def hd(whole: Path, tmp_path: Path) -> Path:
    """A copy of the VITON-HD one, to spoil."""
    return shutil.copytree(whole / "hd", tmp_path / "hd")


def check(root: Path, *splits: str) -> Report:
    layout = recognise_layout(root)
    assert layout is not None
    return check_dataset(root, layout, splits or None, threads=2)


def told(report: Report, level: str = "fault") -> dict[str, set[str]]:
    """Files by the kind of what is wrong with them."""
    kinds: dict[str, set[str]] = {}
    for issue in report.issues:
        if issue.level == level:
            kinds.setdefault(issue.kind, set()).add(issue.file)
    return kinds


def truncate(path: Path, share: float = 0.6) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


@pytest.mark.parametrize(
    ("name", "pairs", "files"),
    [
        ("hd", {"train": 2, "test": 6}, 40),
        ("dc", {"test": 4}, 20),
        ("shards", {"train": 3, "val": 2}, 25),
    ],
)
def test_whole_data_have_no_fault(
    whole: Path, name: str, pairs: dict[str, int], files: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents warnings about nothing, after which nobody reads the others."""
    report = check(whole / name)
    assert report.issues == ()
    assert (report.pairs, report.files) == (pairs, files)
    assert main(["check", str(whole / name), "--threads", "2"]) == 0
    assert "whole and consistent" in capsys.readouterr().out


def test_every_kind_of_damage_is_named_by_its_file(hd: Path) -> None:
    """Prevents a night's training ending at the file that a minute's check would have found."""
    test = hd / "test"
    (test / "openpose_json" / "00010_00_keypoints.json").unlink()
    (test / "image-parse-v3" / "00011_00.png").unlink()
    (test / "cloth" / "00012_00.jpg").unlink()
    truncate(test / "image" / "00011_00.jpg")
    truncate(test / "image-parse-v3" / "00012_00.png")
    truncate(test / "openpose_json" / "00013_00_keypoints.json")
    (test / "cloth" / "00014_00.jpg").write_bytes(b"")
    Image.open(test / "image" / "00012_00.jpg").resize((384, 512)).save(test / "image" / "00012_00.jpg")
    labels = np.asarray(Image.open(test / "image-parse-v3" / "00014_00.png")).copy()
    labels[:9, :9] = 77
    Image.fromarray(labels).save(test / "image-parse-v3" / "00014_00.png")
    Image.new("RGB", FULL).save(test / "image-parse-v3" / "00018_00.png")
    body = [3000.0, 3000.0, 0.9] * 25
    pose = {"people": [{"pose_keypoints_2d": body}]}
    (test / "openpose_json" / "00018_00_keypoints.json").write_text(json.dumps(pose))
    report = check(hd, "test")
    assert told(report) == {
        "missing": {
            "test/openpose_json/00010_00_keypoints.json",
            "test/image-parse-v3/00011_00.png",
            "test/cloth/00012_00.jpg",
        },
        "broken": {
            "test/image/00011_00.jpg",
            "test/image-parse-v3/00012_00.png",
            "test/openpose_json/00013_00_keypoints.json",
            "test/cloth/00014_00.jpg",
        },
        "wrong size": {"test/image/00012_00.jpg"},
        "labels": {"test/image-parse-v3/00014_00.png", "test/image-parse-v3/00018_00.png"},
        "joints outside": {"test/openpose_json/00018_00_keypoints.json"},
    }
    messages = {issue.file: issue.message for issue in report.faults}
    assert messages["test/image/00012_00.jpg"] == "is 384×512 pixels instead of 768×1024"
    assert messages["test/image-parse-v3/00014_00.png"].endswith("does not know: 77")


def test_what_is_only_odd_is_a_warning(hd: Path) -> None:
    """Prevents a good data set being refused for one photo in which nobody was found."""
    test = hd / "test"
    (test / "openpose_json" / "00010_00_keypoints.json").write_text('{"people": []}')
    Image.new("L", FULL).save(test / "image-parse-v3" / "00011_00.png")
    Image.new("L", FULL).save(test / "cloth-mask" / "00012_00.jpg")
    (test / "cloth-mask" / "00013_00.jpg").unlink()
    lines = (hd / "test_pairs.txt").read_text()
    (hd / "test_pairs.txt").write_text(lines + lines.splitlines()[0] + "\n")
    report = check(hd, "test")
    assert report.faults == []
    assert told(report, "warning") == {
        "empty pose": {"test/openpose_json/00010_00_keypoints.json"},
        "nobody labelled": {"test/image-parse-v3/00011_00.png"},
        "empty garment mask": {"test/cloth-mask/00012_00.jpg"},
        "missing": {"test/cloth-mask/00013_00.jpg"},
        "listed twice": {"test: 00010_00"},
    }
    shutil.rmtree(test / "cloth-mask")
    assert told(check(hd, "test"), "warning")["no garment masks"] == {"test/cloth-mask"}


def test_the_same_picture_under_two_names_is_found(hd: Path) -> None:
    """Prevents a set counting one photo for many, as half of the original VITON is."""
    image, cloth = hd / "test" / "image", hd / "test" / "cloth"
    shutil.copy(image / "00010_00.jpg", image / "00012_00.jpg")
    Image.open(image / "00011_00.jpg").save(image / "00014_00.jpg", quality=40)
    shutil.copy(cloth / "00010_00.jpg", cloth / "00013_00.jpg")
    duplicates = {issue.file: issue.message for issue in check(hd).warnings if issue.kind == "duplicate"}
    assert duplicates == {
        "test/image/00012_00.jpg": "is the same file as test/image/00010_00.jpg",
        "test/image/00014_00.jpg": "looks the same as test/image/00011_00.jpg",
        "test/cloth/00013_00.jpg": "is the same file as test/cloth/00010_00.jpg",
    }


def test_pairs_in_train_and_test_are_faults_whatever_they_are_called(hd: Path) -> None:
    """Prevents numbers measured on what was trained on: 1,365 of the original VITON's test pairs."""
    train, test = hd / "train", hd / "test"
    shutil.copy(train / "image" / "00027_00.jpg", test / "image" / "00010_00.jpg")
    shutil.copy(train / "cloth" / "00027_00.jpg", test / "cloth" / "00010_00.jpg")
    # Saved again, so that not one byte agrees.
    for folder in ("image", "cloth"):
        Image.open(train / folder / "00029_00.jpg").save(test / folder / "00011_00.jpg", quality=50)
    shutil.copy(train / "image" / "00027_00.jpg", test / "image" / "00018_00.jpg")
    report = check(hd)
    found = {issue.file: issue.message for issue in report.faults}
    assert found == {
        "test: 00010_00": "stands in train (as 00027_00) too",
        "test: 00011_00": "stands in train (as 00029_00) too",
    }
    assert told(report, "warning")["photo in two splits"] == {"test: 00018_00"}
    assert not check(hd, "test").faults, "one split by itself has no pair twice"


def test_shards_are_named_by_sample_and_part(tmp_path: Path) -> None:
    """Prevents "sample 4711 is broken" without saying in which of eight files."""
    parts = [drawn_sample(number) for number in range(10, 15)]
    del parts[0]["pose.json"]
    parts[1]["image.jpg"] = parts[1]["image.jpg"][:1500]
    parts[2]["pose.json"] = b"[1, 2]"
    parts[3]["pose.json"] = b"[]"
    small = io.BytesIO()
    Image.open(io.BytesIO(parts[4]["parse.png"])).resize((96, 128)).save(small, "PNG")
    parts[4]["parse.png"] = small.getvalue()
    write_shard(tmp_path / "val-00.tar", {f"s{number}": files for number, files in enumerate(parts)})
    write_shard(tmp_path / "val-01.tar", {"t": drawn_sample(20)})
    truncate(tmp_path / "val-01.tar", 0.2)
    report = check(tmp_path)
    assert told(report) == {
        "missing": {"val-00.tar: s0.pose.json"},
        "broken": {"val-00.tar: s1.image.jpg", "val-00.tar: s2.pose.json", "val-01.tar"},
        "wrong size": {"val-00.tar: s4.parse.png"},
    }
    assert told(report, "warning") == {"empty pose": {"val-00.tar: s3.pose.json"}}


def test_dress_code_is_looked_at_in_all_its_categories(whole: Path, tmp_path: Path) -> None:
    """Prevents a check of the first category that calls the whole set good."""
    root = shutil.copytree(whole / "dc", tmp_path / "dc")
    (root / "dresses" / "label_maps" / "000013_4.png").unlink()
    (root / "upper_body" / "test_pairs_unpaired.txt").unlink()
    shutil.copy(
        whole / "hd" / "test" / "image-parse-v3" / "00010_00.png",
        root / "upper_body" / "label_maps" / "000010_4.png",
    )
    assert told(check(root)) == {
        "missing": {"dresses/label_maps/000013_4.png", "upper_body/test_pairs_unpaired.txt"},
    }, "LIP's labels 2, 5, 9, 13, 14 and 15 are all known to Dress Code"
    joints = root / "dresses" / "keypoints" / "000012_2.json"
    joints.write_text(json.dumps({"keypoints": [[700.0, 900.0, 0.9, 0]] * 18}))
    assert told(check(root))["joints outside"] == {"dresses/keypoints/000012_2.json"}, "384×512, not 768×1024"


def test_a_split_without_its_list_is_still_looked_at(hd: Path) -> None:
    """Prevents one missing list hiding everything else that is missing."""
    (hd / "test_pairs.txt").unlink()
    (hd / "test" / "image" / "00010_00.jpg").unlink()
    faults = told(check(hd, "test"))
    assert faults == {"missing": {"test_pairs.txt", "test/image/00010_00.jpg"}}


def test_the_command_shortens_lists_and_reports_all(
    hd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents a screen of a thousand lines, and a report that is as short as the screen."""
    shutil.rmtree(hd / "test" / "openpose_json")
    shutil.rmtree(hd / "test" / "cloth")
    report = tmp_path / "report.json"
    arguments = ["check", str(hd), "--split", "test", "--report", str(report)]
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert "fault: missing (12)" in shown.out and "… and 2 more" in shown.out
    assert "have faults: 12 missing (warnings: none)." in shown.err
    content = json.loads(report.read_text())
    assert len(content["faults"]) == 12 and content["pairs"] == {"test": 6}
    assert content["faults"][0].keys() == {"level", "kind", "file", "message"}
    assert len([line for line in describe(check(hd, "test").issues) if "is missing" in line]) == SHOWN
    assert main(["check", str(hd), "--split", "dev"]) == 2
    assert "has no split dev: choose from train, test" in capsys.readouterr().err
    assert main(["check", str(hd), "--threads", "0"]) == 2
    assert main(["check", str(hd), "--report", str(tmp_path / "absent" / "r.json")]) == 2
    assert "--report" in capsys.readouterr().err


def test_a_folder_of_nothing_says_what_can_be_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents "it has no model_index.json" for somebody who meant a data set."""
    assert main(["check", str(tmp_path)]) == 2
    assert "no data set: shards" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("where", "kinds"),
    [
        ("data/vitonhd-sample", {"missing": 6}),
        ("data/dresscode-sample", {"missing": 14}),
        ("reference/inputs/vitonhd", {}),
        ("reference/inputs/dresscode", {}),
    ],
)
def test_real_samples_are_described_as_they_are(shared_dir: Path, where: str, kinds: dict[str, int]) -> None:
    """Prevents rules that hold for our drawings and not for real files: six garments are not in the one
    sample; the other has no lists, no garments, and two people without their photo."""
    report = check(shared_dir / where)
    assert {kind: len(files) for kind, files in told(report).items()} == kinds
    if where == "data/dresscode-sample":
        assert {"dresses/images/051994_0.jpg", "upper_body/images/048466_0.jpg"} <= told(report)["missing"]
