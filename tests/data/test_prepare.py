"""Your own photos become a data set: the real networks on our own example pictures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ladi.commands.main import main
from ladi.data.checking.dataset import check_dataset
from ladi.data.opening import open_dataset
from ladi.data.preparing.pairing import find_pictures, other_garments, read_pairs_file
from ladi.data.sample import DatasetError
from ladi.preprocess.mask import inpaint_mask

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Anna, with a garment of her name, and Ben without; a cut-off photo; two garments."""
    folder = tmp_path_factory.mktemp("own")
    for place in ("people", "garments"):
        (folder / place).mkdir()
    for name in ("anna", "ben"):
        shutil.copy(EXAMPLES / f"person-{name}.jpg", folder / "people" / f"{name}.jpg")
    shutil.copy(EXAMPLES / "garment-roll-neck.jpg", folder / "garments" / "anna.jpg")
    shutil.copy(EXAMPLES / "garment-printed-tee.jpg", folder / "garments" / "my tee.jpg")
    (folder / "people" / "cut off.jpg").write_bytes((EXAMPLES / "person-ben.jpg").read_bytes()[:3000])
    (folder / "people" / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def prepared(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``prepare`` makes of them."""
    out = tmp_path_factory.mktemp("prepared")
    assert main(command(pictures, out)) == 2
    return out


def command(pictures: Path, out: Path, *options: str) -> list[str]:
    return ["prepare", str(pictures / "people"), str(pictures / "garments"), "--out", str(out), *options]


def times(folder: Path) -> dict[str, int]:
    """When each picture and record was written."""
    files = [path for path in folder.rglob("*") if path.parent.name not in ("test", "train")]
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in files if path.is_file()}


def test_what_was_prepared_opens_like_any_other_data_set(prepared: Path) -> None:
    """Prevents a folder that our own loaders cannot read, or masks that miss the clothes."""
    paired, unpaired = (open_dataset(prepared, order=order) for order in ("paired", "unpaired"))
    assert (paired.ids, paired.garment_ids) == (["anna"], ["anna"])
    assert (unpaired.ids, unpaired.garment_ids) == (["anna", "ben"], ["my tee", "my tee"])
    for dataset in (paired, unpaired):
        for sample in map(dataset.__getitem__, range(len(dataset))):
            assert sample.image.shape == (512, 384, 3) and sample.scheme == "lip"
            mask = inpaint_mask(
                sample.labels, sample.keypoints, category=sample.category, scheme=sample.scheme
            )
            shoulders = sample.keypoints[[2, 5], :2].astype(int)
            assert mask[shoulders[:, 1], shoulders[:, 0]].all(), "the clothes must be repainted"
            nose = sample.keypoints[0, :2].astype(int)
            assert not mask[nose[1], nose[0]] and 0.1 < mask.mean() < 0.6
            assert sample.garment_mask is not None and 0.3 < sample.garment_mask.mean() < 0.9
            assert (sample.garment[~sample.garment_mask] > 230).mean() > 0.9, "the garment lies on near-white"
    tee = unpaired[0].garment_mask
    assert tee is not None and tee[200:400, 150:230].all(), "a pale shirt's mask has no holes"


def test_a_failed_picture_is_told_and_recorded_and_stops_no_other(
    pictures: Path, prepared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents a night's work ending at the first damaged file, or its being lost without a word."""
    assert main(command(pictures, prepared)) == 2
    shown = capsys.readouterr()
    assert "cut off.jpg: “cut off.jpg” is damaged or incomplete" in shown.err
    assert "2 of 3 people and 2 of 2 garments are ready" in shown.out
    assert "pairs: 1 worn, 2 to try on" in shown.out
    note = json.loads((prepared / "test" / "prepared.json").read_text())
    assert list(note["failed"]) == ["person cut off.jpg"] and note["finished"]
    assert note["settings"]["size"] == [256, 192]


def test_the_same_command_goes_on_where_it_stopped(pictures: Path, prepared: Path, tmp_path: Path) -> None:
    """Prevents hours of work being done twice, and a half-written picture being taken for a whole one."""
    out = tmp_path / "copy"
    shutil.copytree(prepared, out)
    before = times(out)
    lost = out / "test" / "people" / "upper_body"
    (lost / "keypoints" / "ben.json").unlink()  # as an interruption leaves it: the picture without its record
    (lost / "image" / "ben.png").write_bytes(b"half")
    (out / "test" / "unpaired.csv").unlink()
    with pytest.raises(DatasetError, match="unpaired.csv is missing: run the same"):
        open_dataset(out, order="unpaired")
    assert main(command(pictures, out)) == 2
    changed = {name for name, when in times(out).items() if before.get(name) != when}
    assert {Path(name).stem for name in changed} == {"ben"}
    again, first = open_dataset(out, order="unpaired")[1], open_dataset(prepared, order="unpaired")[1]
    assert np.array_equal(again.image, first.image) and np.array_equal(again.labels, first.labels)


def test_a_picture_that_was_replaced_is_prepared_again(
    pictures: Path, prepared: Path, tmp_path: Path
) -> None:
    """Prevents an old garment's pixels under a new garment's name."""
    own, out = tmp_path / "own", tmp_path / "out"
    shutil.copytree(pictures, own)
    shutil.copytree(prepared, out)
    shutil.copy(EXAMPLES / "garment-striped-tee.jpg", own / "garments" / "my tee.jpg")
    before = open_dataset(out, order="unpaired")[0].garment
    assert main(command(own, out)) == 2
    assert not np.array_equal(open_dataset(out, order="unpaired")[0].garment, before)


def test_other_settings_do_not_mix_with_what_is_there(
    pictures: Path, prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents a folder half at one size and half at another."""
    before = times(prepared)
    assert main(command(pictures, prepared, "--size", "512x384")) == 2
    assert "other settings (size [256, 192], now [512, 384])" in capsys.readouterr().err
    assert times(prepared) == before
    assert open_dataset(prepared).ids == ["anna"], "refusing must not touch the lists"
    out = tmp_path / "copy"
    shutil.copytree(prepared, out)
    assert main(command(pictures, out, "--size", "512x384", "--anew")) == 2
    record = json.loads((out / "test" / "people" / "upper_body" / "keypoints" / "anna.json").read_text())
    assert record["size"] == [512, 384]


def test_splits_lie_side_by_side_and_pairs_come_from_a_list(
    pictures: Path, prepared: Path, tmp_path: Path
) -> None:
    """Prevents training pictures overwriting test pictures of the same name."""
    out, listed = tmp_path / "out", tmp_path / "pairs.csv"
    shutil.copytree(prepared, out)
    listed.write_text("person,garment\nben.jpg,my tee.jpg\n")
    assert (
        main(command(pictures, out, "--split", "train", "--pairs", str(listed), "--unpaired", str(listed)))
        == 0
    )
    assert open_dataset(out, "train").ids == ["ben"] and open_dataset(out, "test").ids == ["anna"]
    assert open_dataset(out, "train").garment_ids == ["my tee"]


def test_what_was_prepared_is_checked_like_any_other_data_set(prepared: Path, tmp_path: Path) -> None:
    """Prevents an interrupted or damaged preparation being evaluated as if it were whole."""
    assert not check_dataset(prepared, "prepared").faults
    out = shutil.copytree(prepared, tmp_path / "out")
    (out / "test" / "people" / "upper_body" / "labels" / "ben.png").unlink()
    (out / "test" / "paired.csv").write_text("person,garment,category\nanna,anna,shoes\n")
    note = json.loads((out / "test" / "prepared.json").read_text())
    (out / "test" / "prepared.json").write_text(json.dumps({**note, "finished": False}))
    assert {issue.kind: issue.file for issue in check_dataset(out, "prepared").faults} == {
        "unfinished": "test/prepared.json",
        "list": "test/paired.csv",
        "missing": "test/people/upper_body/labels/ben.png",
    }


@pytest.mark.slow  # two processes import everything anew: half a minute
def test_two_processes_make_the_same_files(pictures: Path, prepared: Path, tmp_path: Path) -> None:
    """Prevents results that depend on how many processes there were."""
    assert main(command(pictures, tmp_path, "--processes", "2")) == 2
    one, two = ({p.relative_to(root): p for p in root.rglob("*.*")} for root in (prepared, tmp_path))
    assert one.keys() == two.keys()
    assert all(one[name].read_bytes() == two[name].read_bytes() for name in one if one[name].is_file())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--category", "dresses"], "'mini' was not trained for dresses"),
        (["--size", "100x75"], "size must be 256x192 to 1024x768"),
        (["--model", "absent"], "The model 'absent' is unknown"),
        (["--garment-background", "magic"], "--garment-background must be one of auto"),
        (["--processes", "0"], "--processes must be a whole number from 1"),
        (["--pairs", "absent.csv"], "There is no list of pairs absent.csv"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(
    pictures: Path, tmp_path: Path, options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents hours of work that end in an error, and folders left behind by a mistyped command."""
    assert main(command(pictures, tmp_path / "out", *options)) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_else_is_left_alone(pictures: Path, tmp_path: Path) -> None:
    """Prevents ``--anew`` or a wrong ``--out`` deleting somebody's pictures."""
    (tmp_path / "test" / "people").mkdir(parents=True)
    mine = tmp_path / "test" / "people" / "mine.jpg"
    mine.write_bytes(b"mine")
    assert main(command(pictures, tmp_path, "--anew")) == 2
    assert mine.read_bytes() == b"mine"


def test_lists_are_read_however_they_are_written(tmp_path: Path) -> None:
    """Prevents names with spaces being cut in two, and a misspelt name being passed over."""
    people = {"a b": Path("p/a b.jpg"), "c": Path("p/c.png")}
    garments = {"x": Path("g/x.jpg"), "y z": Path("g/y z.webp")}
    file = tmp_path / "list"
    for text in (
        "Person;Garment;note\n\na b.jpg;y z;1\nc;g/x.jpg;2\n",
        'a b,"y z.webp"\nc.png,x\n',
        "a b\ty z\nc\tx\n",
    ):
        file.write_text(text)
        assert read_pairs_file(file, people, garments) == [("a b", "y z"), ("c", "x")]
    file.write_text("c.png x.jpg more\n")
    assert read_pairs_file(file, people, garments) == [("c", "x")]
    file.write_text("c,x\nd,x\n")
    with pytest.raises(DatasetError, match="Line 2 of .* names the person 'd'"):
        read_pairs_file(file, people, garments)
    file.write_text("c,\n")
    with pytest.raises(DatasetError, match="Line 1 of .* must name a person and a garment"):
        read_pairs_file(file, people, garments)
    file.write_text("person,garment\n")
    with pytest.raises(DatasetError, match="names no pair"):
        read_pairs_file(file, people, garments)


def test_other_garments_are_not_worn_and_of_the_worn_kind() -> None:
    """Prevents trousers on somebody framed for tops, and unpaired pairs that are paired ones."""
    kinds = {"t1": "upper_body", "p": "lower_body", "t2": "upper_body", "d": "dresses"}
    worn = [("anna", "t1"), ("ben", "p"), ("carla", "d"), ("carla", "t2")]
    pairs = other_garments(["anna", "ben", "carla", "dora"], worn, kinds)  # type: ignore[arg-type]
    assert pairs == [("anna", "t2"), ("carla", "t1"), ("dora", "d")]


def test_two_pictures_of_one_name_and_empty_folders_are_refused(tmp_path: Path) -> None:
    """Prevents one of two pictures silently taking the other's place."""
    with pytest.raises(DatasetError, match="holds no pictures of people"):
        find_pictures(tmp_path, "people")
    for name in ("a.jpg", "a.PNG", ".hidden.jpg"):
        (tmp_path / name).touch()
    with pytest.raises(DatasetError, match="Two pictures of people are called 'a'"):
        find_pictures(tmp_path, "people")
    (tmp_path / "a.jpg").unlink()
    assert list(find_pictures(tmp_path, "people")) == ["a"]
    with pytest.raises(DatasetError, match="There is no folder"):
        find_pictures(tmp_path / "absent", "people")
