"""Pairs from zip files and folders: in order, and everything that is not refused by name."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path

import pytest

from ladi.batch.archive import Limits, unpack
from ladi.batch.pairs import open_pairs, read_folder
from ladi.types import PairsError
from tests.batch.test_pairs import pairs_of, write, zipped


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (("people/a.jpg", "garments/x.jpg", "garments/y.png"), [("a.jpg", "x.jpg"), ("a.jpg", "y.png")]),
        (("people/a.jpg", "people/b.jpg", "garments/x.jpg"), [("a.jpg", "x.jpg"), ("b.jpg", "x.jpg")]),
        (
            ("people/a.jpg", "people/b.jpg", "garments/b.png", "garments/a.png"),
            [("a.jpg", "a.png"), ("b.jpg", "b.png")],
        ),
        (
            (
                "set/People/a.jpg",
                "set/Garments/x.jpg",
                "__MACOSX/set/._a",
                "set/.DS_Store",
                "set/People/n.txt",
            ),
            [("a.jpg", "x.jpg")],
        ),
        (("set\\people\\a.jpg", "set\\garments\\x.jpg"), [("a.jpg", "x.jpg")]),
    ],
    ids=["one person", "one garment", "by name", "a folder made on a Mac", "made by old Windows tools"],
)
def test_a_zip_of_two_folders(tmp_path: Path, names: tuple[str, ...], pairs: list[tuple[str, str]]) -> None:
    """Prevents other pairs than the description promises."""
    assert pairs_of(zipped(tmp_path / "p.zip", *names), tmp_path) == pairs


def test_a_zip_with_a_table(tmp_path: Path) -> None:
    """Prevents reading a visitor's paths as paths of the server."""
    lines = ["person,garment", "a.png,b.png", "../../outside.png,b.png", "/etc/passwd,b.png"]
    archive = zipped(tmp_path / "p.zip", "set/a.png", "set/b.png")
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr("set/pairs.csv", "\n".join(lines))
    (tmp_path / "workspace").mkdir()
    good, *bad = open_pairs(archive, tmp_path / "workspace")
    assert good.person.read_bytes() == b"x" and not good.problem
    assert [row.problem for row in bad] == ["It names a file outside the zip file."] * 2


def test_a_folder_is_read_like_a_zip(tmp_path: Path) -> None:
    """Prevents having to pack what lies on the same disk."""
    for name in ("people/a.jpg", "garments/x.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    assert [row.names for row in read_folder(tmp_path)] == [("a.jpg", "x.jpg")]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("people/a.jpg", "people/b.jpg", "garments/a.png", "garments/c.png"), "“b” is in one of them only"),
        (("people/a.jpg", "people/a.png", "garments/a.png", "garments/b.png"), "“b” is in one of them only"),
        (("people/a.jpg", "garments/n.txt"), "“garments” holds no pictures"),
        (("a.jpg", "b.jpg"), "Put a pairs.csv into it"),
        (("../a.jpg",), "outside itself"),
        (("/people/a.jpg",), "outside itself"),
        (("people/../../a.jpg",), "outside itself"),
        (("..\\a.jpg",), "outside itself"),
        (("C:\\a.jpg",), "outside itself"),
        (("people/a", "people/a/b"), "holds a file and a folder of one name: rename one"),
        (("people/a/b", "people/a"), "holds a file and a folder of one name: rename one"),
        ((f"people/{'a' * 300}.png", "garments/a.png"), "a file whose name is too long: shorten it"),
        (("people/a.png", "people/a.png", "garments/b.png"), "two files called “people/a.png”: rename one"),
        (("people/a.png", "People/b.png", "garments/c.png"), "“People” and “people” differ in capital"),
        (("people", "garments/a.png"), "“people” must be a folder with pictures in it, not a file"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_bad_zip_is_refused(tmp_path: Path, names: tuple[str, ...], sentence: str) -> None:
    """Prevents files outside the workspace, and pairs that nobody meant."""
    archive = zipped(tmp_path / "p.zip", *names)
    with pytest.raises(PairsError, match=sentence):
        pairs_of(archive, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"p.zip", "workspace"}


def test_a_name_with_a_line_break_stays_in_one_line(tmp_path: Path) -> None:
    """Prevents lines of the log, or of a command's answer, that somebody's zip file has written."""
    archive = zipped(
        tmp_path / "p.zip", "people/a\nERROR.png", "people/b.png", "garments/c.png", "garments/d.png"
    )
    with pytest.raises(PairsError) as caught:
        pairs_of(archive, tmp_path)
    assert str(caught.value).isprintable() and "ERROR" in str(caught.value)


def test_visitors_may_send_zip_files_only(tmp_path: Path) -> None:
    """Prevents a table from naming any picture of the server."""
    with pytest.raises(PairsError, match="is not a zip file"):
        pairs_of(write(tmp_path / "p.csv", "person,garment\n/etc/a,/etc/b\n"), tmp_path)


def test_what_is_too_much_is_refused(tmp_path: Path) -> None:
    """Prevents filling the disk by a small file, by many files, or by one that lies about its size."""
    bomb = zipped(tmp_path / "bomb.zip", "people/a.png", content=bytes(8 << 20))
    assert bomb.stat().st_size < 1 << 14
    for declared in (True, False):
        if not declared:  # the size in both of its headers, rewritten
            raw = bomb.read_bytes().replace(struct.pack("<I", 8 << 20), struct.pack("<I", 10))
            bomb.write_bytes(raw)
        folder = tmp_path / f"workspace-{declared}"
        folder.mkdir()
        with pytest.raises(PairsError, match="at most 1 MB unpacked|is damaged"):
            unpack(bomb, folder, Limits(unpacked=1 << 20))
        written = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        assert written <= (0 if declared else 1 << 20)
    many = zipped(tmp_path / "many.zip", *(f"people/{index}.png" for index in range(9)), "garments/x.png")
    (tmp_path / "w").mkdir()
    with pytest.raises(PairsError, match="holds 10 files: at most 5"):
        open_pairs(many, tmp_path / "w", limits=Limits(members=5))
    with pytest.raises(PairsError, match="9 pairs: at most 8"):
        open_pairs(many, tmp_path / "w", limits=Limits(rows=8))


def test_damaged_and_locked_zips_are_refused(tmp_path: Path) -> None:
    """Prevents tracebacks of the zip library."""
    good = zipped(tmp_path / "good.zip", "people/a.png", "garments/x.png", content=bytes(range(256)) * 9)
    whole = good.read_bytes()
    damaged = tmp_path / "damaged.zip"
    start = whole.index(b"people/a.png") + len(b"people/a.png")
    damaged.write_bytes(whole[:start] + b"\xff" * 40 + whole[start + 40 :])
    locked = tmp_path / "locked.zip"
    flags = bytearray(whole)
    for offset in (whole.index(b"PK\3\4") + 6, whole.index(b"PK\1\2") + 8):
        flags[offset] |= 1
    locked.write_bytes(bytes(flags))
    for archive in (damaged, locked):
        folder = tmp_path / archive.stem
        folder.mkdir()
        with pytest.raises(PairsError, match="is damaged or protected by a password"):
            unpack(archive, folder, Limits())


def test_a_link_in_a_zip_is_a_plain_file(tmp_path: Path) -> None:
    """Prevents a link to a file of the server, which would then be read as the visitor's photo."""
    archive = tmp_path / "p.zip"
    with zipfile.ZipFile(archive, "w") as file:
        link = zipfile.ZipInfo("people/a.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("garments/x.png", "x")
    (tmp_path / "workspace").mkdir()
    [row] = open_pairs(archive, tmp_path / "workspace")
    assert not row.person.is_symlink() and row.person.read_text() == "/etc/passwd"
