"""Tables, folders and zip files of pairs: what is read from them, and what is refused."""

from __future__ import annotations

import os
import unicodedata
import zipfile
from pathlib import Path

import pytest

from ladi.batch.pairing import pair_up
from ladi.batch.pairs import open_pairs, read_folder, read_table
from ladi.types import PairsError


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def zipped(path: Path, *names: str, content: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return path


def pairs_of(source: Path, tmp_path: Path, **more: object) -> list[tuple[str, str]]:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return [row.names for row in open_pairs(source, workspace, **more)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("person,garment,steps\na.png,b.png,3\n", "utf-8"),
        ("Person; Garment ;steps\r\na.png; b.png;3\r\n", "utf-8-sig"),
        ("steps\tgarment\tperson\n\n3\tb.png\ta.png\n", "utf-8"),
    ],
    ids=["commas", "semicolons", "tabs"],
)
def test_tables_as_spreadsheets_write_them(tmp_path: Path, text: str, encoding: str) -> None:
    """Prevents refusing a table for its separator, its byte order mark or its columns' order."""
    [row] = read_table(write(tmp_path / "pairs.csv", text, encoding))
    assert row.names == ("a.png", "b.png") and row.values == {"steps": 3} and not row.problem
    assert row.person == tmp_path / "a.png" and row.out == "a_b.png"


def test_a_mask_is_a_file_like_the_others(tmp_path: Path) -> None:
    """Prevents a table's masks from being looked for elsewhere than its photos, or outside a zip."""
    path = write(tmp_path / "p.csv", "person,garment,mask\na,b,m.png\na,b,\na,b,/etc/hostname\n")
    with_mask, without, outside = read_table(path, inside=tmp_path)
    assert with_mask.mask == tmp_path / "m.png" and without.mask is None
    assert "outside the zip" in outside.problem


def test_names_as_other_systems_write_them(tmp_path: Path) -> None:
    """Prevents rows that find nothing because a table was written on a Mac or on Windows."""
    stored = unicodedata.normalize("NFC", "zoë.png")
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / stored).touch()
    rows = f"people\\{unicodedata.normalize('NFD', stored)},b\nhttps://a.org/x.png,b\n"
    found, address = read_table(write(tmp_path / "p.csv", f"person,garment\n{rows}"))
    assert found.person == tmp_path / "people" / stored
    assert "is an address, not a file" in address.problem


def test_people_and_garments_pair_up_whatever_the_spelling_of_accents(tmp_path: Path) -> None:
    """Prevents “zoë” and “zoë” from being two names."""
    for folder, spelling in (("people", "NFC"), ("garments", "NFD")):
        (tmp_path / folder).mkdir()
        for name in ("zoë.png", "b.png"):
            (tmp_path / folder / unicodedata.normalize(spelling, name)).touch()  # type: ignore[arg-type]
    assert len(read_folder(tmp_path)) == 2


def test_capitals_count_only_where_names_differ_in_nothing_else(tmp_path: Path) -> None:
    """Prevents “Ann.JPG” and “ann.png” from being two people, and “Ann” and “ann” from being one."""
    for name in ("people/Ann.JPG", "people/Bo.jpg", "garments/ann.png", "garments/bo.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [row.names for row in read_folder(tmp_path)] == [("Ann.JPG", "ann.png"), ("Bo.jpg", "bo.png")]
    for name in ("people/ann.jpg", "garments/Ann.png"):
        (tmp_path / name).touch()
    rows = read_folder(tmp_path)
    assert [row.names for row in rows] == [
        ("Ann.JPG", "Ann.png"),
        ("Bo.jpg", "bo.png"),
        ("ann.jpg", "ann.png"),
    ]
    assert [row.out for row in rows] == ["Ann_Ann.png", "Bo_bo.png", "ann_ann_2.png"]
    (tmp_path / "garments" / "Bo.webp").touch()
    (tmp_path / "people" / "Bo.png").touch()
    with pytest.raises(PairsError, match="one name stands for several files"):
        read_folder(tmp_path)


def test_files_of_one_name_stay_apart() -> None:
    """Prevents a phone's photos, which are all called image.jpg, from being taken for one."""
    people = [Path(f"{number}/image.jpg") for number in range(3)]
    [shirt, *_] = garments = [Path(f"cloth-{number}/image.jpg") for number in range(3)]
    rows = pair_up(people, [shirt])
    assert [row.person for row in rows] == people
    assert [row.names[0] for row in rows] == ["image.jpg", "image.jpg (2)", "image.jpg (3)"]
    assert [row.out for row in rows] == [
        "image_image.png",
        "image_image_2.png",
        "image_image_3.png",
    ]
    assert [(row.person, row.garment) for row in pair_up(people, garments)] == list(
        zip(people, garments, strict=True)
    )
    with pytest.raises(PairsError, match="one name stands for several files"):
        pair_up(people, garments[:2])


def test_a_name_is_not_that_of_another_rows_second_picture(tmp_path: Path) -> None:
    """Prevents rows that are refused for names which nobody chose."""
    table = write(tmp_path / "p.csv", "person,garment,pictures\na,b,2\na,b-2,1\na,c-3,1\na,c,8\n")
    assert [row.out for row in read_table(table)] == ["a_b.png", "a_b-2_2.png", "a_c-3.png", "a_c_2.png"]


def test_a_zip_that_was_cut_off_is_called_one(tmp_path: Path) -> None:
    """Prevents "not a zip file" for a zip whose upload broke off."""
    whole = zipped(tmp_path / "a.zip", "people/a.png", "garments/b.png").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    for local in (False, True):
        with pytest.raises(PairsError, match="a zip file that was cut off or damaged"):
            open_pairs(tmp_path / "cut.zip", tmp_path, local=local)


def test_a_list_of_two_columns(tmp_path: Path) -> None:
    """Prevents refusing the lists that the data sets come with, and file names with spaces."""
    path = write(tmp_path / "test_pairs.txt", "00006_00.jpg 00008_00.jpg\n\nmy photo.jpg\ta b.jpg\n")
    assert [row.names for row in read_table(path)] == [
        ("00006_00.jpg", "00008_00.jpg"),
        ("my photo.jpg", "a b.jpg"),
    ]


def test_every_kind_of_cell(tmp_path: Path) -> None:
    """Prevents a cell that is read as something else than it says, such as "no" as yes."""
    header = "person,garment,guidance,emasc,pose,size,clean_garment,pictures"
    path = write(tmp_path / "p.csv", f"{header}\na,b,2.5,no,Yes,512x384,keep,2\na,b,,,,,,\n")
    full, empty = read_table(path)
    assert full.values == {
        "guidance": 2.5,
        "emasc": False,
        "pose": True,
        "size": (512, 384),
        "clean_garment": "keep",
        "pictures": 2,
    }
    assert empty.values == {}


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ("a,b,maybe,", "emasc must be yes or no, got 'maybe'."),
        ("a,b,,../x.png", "out must be a plain file name"),
        ("a,b,,/tmp/x.png", "out must be a plain file name"),
        ("a,b,,.hidden", "out must be a plain file name"),
        ("a,b,,look.jpg", "The result is a PNG"),
        (f"a,b,,{'x' * 300}", "out is too long"),
        ("a,,,", "It names no garment."),
        ("a,b,,,more", "It has more cells than the header."),
        ("a\0,b,,", "It names no file."),
    ],
)
def test_what_is_wrong_with_a_row_stands_in_the_row(tmp_path: Path, cells: str, problem: str) -> None:
    """Prevents one bad cell from spoiling the table, and results outside their folder."""
    bad, good = read_table(write(tmp_path / "p.csv", f"person,garment,emasc,out\n{cells}\na,b,,\n"))
    assert problem in bad.problem and not good.problem
    assert Path(bad.out).name == bad.out


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("p.csv", b"", "no columns person and garment"),
        ("p.csv", b"person,garment\n", "has no rows"),
        ("p.csv", b"person,garment,sead\na,b,1\n", "unknown column 'sead'"),
        ("p.csv", b"person,garment,seed,seed\na,b,1,1\n", "a column twice"),
        ("p.csv", "person,garment\nÄ,b\n".encode("latin-1"), "not UTF-8"),
        ("p.csv", b"person,garment\n" + b"a" * 200_000 + b",b\n", "no proper table"),
        ("p.txt", b"a b c\n", "two columns"),
        ("p.xlsx", b"PK", "no table of pairs"),
    ],
)
def test_a_bad_table_is_refused(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    """Prevents a mistyped column from being ignored, and tracebacks for files that are no table."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PairsError, match=sentence):
        open_pairs(tmp_path / name, tmp_path / "workspace", local=True)
    with pytest.raises(PairsError, match="no file “absent.csv”"):
        open_pairs(tmp_path / "absent.csv", tmp_path / "workspace", local=True)


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    """Prevents a batch that hangs for ever before its first row, where only single photos were looked at."""
    os.mkfifo(tmp_path / "pipe.png")
    columns = "person,garment,mask\n"
    rows = read_table(
        write(tmp_path / "p.csv", f"{columns}pipe.png,a,\na,pipe.png,\na,a,pipe.png\na,/dev/zero,\n")
    )
    assert ["is no file but a pipe or a device" in row.problem for row in rows] == [True] * 4
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "pairs.csv")
    for source in (tmp_path / "folder", tmp_path / "pipe.png"):
        with pytest.raises(PairsError, match="is no file but a pipe or a device"):
            open_pairs(source, tmp_path, local=True)


def test_long_names_fit_a_file_system(tmp_path: Path) -> None:
    """Prevents a picture that is computed and then cannot be written."""
    [row] = read_table(write(tmp_path / "p.csv", f"person,garment\n{'写' * 80}.png,{'真' * 80}.png\n"))
    (tmp_path / f".{row.out}.12345678.part").write_bytes(b"")
