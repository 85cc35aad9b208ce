"""Which people are to wear which garments: a table, a folder or a zip file, read into rows.

A table (csv, tsv or txt) has a header line with the columns ``person`` and ``garment``, and whichever of
the settings, ``mask`` and ``out`` are wanted; an empty cell is the default. A txt file without a header holds
two columns. Paths are relative to the table. A folder or a zip file holds such a table called ``pairs.csv``
(or .tsv, .txt), or else two folders, ``people`` and ``garments``: one person wears every garment, one garment
is worn by everybody, and otherwise files pair up by their names.

Pictures are not opened here; zip files are ``archive.py``'s, and who belongs to whom is ``pairing.py``'s.
"""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ladi.batch.archive import Limits, unpack, wanted
from ladi.batch.pairing import MOST_NAME_BYTES, Row, name_results, pair_up
from ladi.files import PICTURES
from ladi.naming import find_file
from ladi.settings import settings_table
from ladi.types import PairsError, PhotoError, SettingError

TABLES = ("pairs.csv", "pairs.tsv", "pairs.txt")
"""What the table in a folder or a zip file may be called."""
PEOPLE, GARMENTS = "people", "garments"
FILES = ("person", "garment", "mask")
"""The columns with names of files; the last may be missing."""
MOST_BYTES = 32 << 20
"""Of a table."""


def open_pairs(
    source: str | Path, workspace: Path, *, local: bool = False, limits: Limits | None = None
) -> list[Row]:
    """The rows of a table, a folder or a zip file.

    Args:
        source: the file or folder.
        workspace: an empty folder, into which a zip is unpacked; whoever made it deletes it.
        local: the source is this machine's user's own. Otherwise only zip files are taken, because a table
            could name any file of the machine.
        limits: how much it may be.

    Raises:
        PairsError: in one sentence, why it cannot be used. What is wrong with one row stands in the row.
    """
    limits = limits or Limits()
    try:
        path = find_file(source)
    except PhotoError as error:
        raise PairsError(str(error)) from None
    if not path.exists():
        raise PairsError(f"There is no file “{path.name}”; check the path.")
    if path.is_file() and zipfile.is_zipfile(path):
        unpack(path, workspace, limits)
        return _limited(read_folder(workspace, inside=workspace), limits)
    if path.is_file() and _begins_as_zip(path):
        raise PairsError(f"“{path.name}” is a zip file that was cut off or damaged: make or send it again.")
    if not local:
        raise PairsError(f"“{path.name}” is not a zip file: put the pictures into one, with a pairs.csv.")
    if path.is_dir():
        return _limited(read_folder(path), limits)
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise PairsError(
            f"“{path.name}” is no table of pairs: give a csv, tsv, txt or zip file, or a folder."
        )
    return _limited(read_table(path), limits)


def open_pictures(people: Sequence[Path], garments: Sequence[Path], limits: Limits) -> list[Row]:
    """The rows of pictures that were sent one by one.

    Raises:
        PairsError: they do not pair up, or are too many.
    """
    return _limited(pair_up(people, garments), limits)


def _begins_as_zip(path: Path) -> bool:
    """Whether a file without a zip file's end has its beginning."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def read_folder(folder: Path, *, inside: Path | None = None) -> list[Row]:
    """The rows of a folder with a table, or with ``people`` and ``garments``; see ``open_pairs``.

    Args:
        folder: may hold all that in one folder of its own, as zip files often do.
        inside: as in ``read_table``.
    """
    while True:
        entries = defaultdict(list)
        for entry in sorted(folder.iterdir()):
            if wanted(entry.name):
                entries[entry.name.lower()].append(entry)
        for name in TABLES:
            if name in entries:
                return read_table(_only(entries[name]), inside=inside)
        if PEOPLE in entries and GARMENTS in entries:
            return pair_up(_pictures(_only(entries[PEOPLE])), _pictures(_only(entries[GARMENTS])))
        inner = [entry for alike in entries.values() for entry in alike]
        if len(inner) != 1 or not inner[0].is_dir():
            raise PairsError("Put a pairs.csv into it, or two folders called people and garments.")
        folder = inner[0]


def _only(alike: Sequence[Path]) -> Path:
    """What has a name that may be written with capitals; raises PairsError where two have it."""
    if len(alike) > 1:
        one, other = (path.name for path in alike[:2])
        raise PairsError(f"“{one}” and “{other}” differ in capital letters only: put everything into one.")
    return alike[0]


def read_table(path: Path, *, inside: Path | None = None) -> list[Row]:
    """The rows of a csv, tsv or txt file.

    Args:
        path: the table.
        inside: a folder that the pictures must lie in; elsewhere is refused, row by row.

    Raises:
        PairsError: it cannot be read, a column is unknown or missing, or there are no rows.
    """
    try:
        if find_file(path).stat().st_size > MOST_BYTES:
            raise PairsError(f"“{path.name}” is too large for a table: at most {MOST_BYTES >> 20} MB.")
        text = path.read_bytes().decode("utf-8-sig")
    except PhotoError as error:
        raise PairsError(str(error)) from None
    except UnicodeDecodeError:
        raise PairsError(f"“{path.name}” is not UTF-8 text: save it as CSV UTF-8.") from None
    except OSError as error:
        raise PairsError(f"“{path.name}” cannot be opened ({error.strerror}).") from None
    try:
        header, cells = _cells(text, path.name)
    except csv.Error as error:
        raise PairsError(f"“{path.name}” is no proper table ({error}): save it as CSV again.") from None
    rows: list[Row] = []
    for number, line in enumerate(cells, 1):
        named = dict(zip(header, (cell.strip() for cell in line), strict=False))
        row = _read_row(number, named, path.parent, inside)
        surplus = len(line) > len(header) and any(cell.strip() for cell in line[len(header) :])
        rows.append(replace(row, problem="It has more cells than the header.") if surplus else row)
    if not rows:
        raise PairsError(f"“{path.name}” has no rows: write one for each pair, below the header.")
    return name_results(rows)


def _limited(rows: list[Row], limits: Limits) -> list[Row]:
    if len(rows) > limits.rows:
        raise PairsError(
            f"These are {len(rows)} pairs: at most {limits.rows} at once, so send them in parts."
        )
    return rows


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise PairsError(f"“{folder.name}” must be a folder with pictures in it, not a file.")
    found = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in PICTURES]
    if not found:
        raise PairsError(f"The folder “{folder.name}” holds no pictures.")
    return found


def _cells(text: str, name: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows; comma, semicolon and tab are told apart by the first line."""
    lines = [line for line in text.splitlines() if line.strip()]
    first = lines[0] if lines else ""
    for delimiter in (",", ";", "\t"):
        header = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=delimiter), [])]
        if {"person", "garment"} <= set(header):
            unknown = [column for column in header if column not in {*FILES, "out", *settings_table()}]
            if unknown or len(set(header)) != len(header):
                wrong = f"an unknown column {unknown[0]!r}" if unknown else "a column twice"
                known = ", ".join([*FILES, "out", *settings_table()])
                raise PairsError(f"“{name}” has {wrong}; the columns are {known}.")
            # Read as one text, not line by line: a quoted cell may contain a line break.
            reader = csv.reader(io.StringIO(text), delimiter=delimiter)
            rows = [cells for cells in reader if any(cell.strip() for cell in cells)]
            return header, rows[1:]
    if name.lower().endswith(".txt"):
        pairs = [line.split("\t") if "\t" in line else line.split() for line in lines]
        wrong_line = next((line for line, pair in zip(lines, pairs, strict=True) if len(pair) != 2), None)
        if wrong_line is None:
            return ["person", "garment"], pairs
        raise PairsError(f"“{name}” must have two columns, or tabs between them; got {wrong_line[:60]!r}.")
    raise PairsError(f"“{name}” has no columns person and garment: name them in its first line.")


def _read_row(number: int, cells: Mapping[str, str], folder: Path, inside: Path | None) -> Row:
    """One row; what is wrong with it becomes its problem."""
    written = [cells.get(column, "") for column in FILES]
    paths, problem = _locate(written, folder, inside)
    values = {}
    for column, setting in settings_table().items():
        if not (text := cells.get(column, "")):
            continue
        try:
            values[column] = setting.read(text)
        except SettingError as error:
            problem = problem or str(error)
    out = cells.get("out", "")
    if out and (trouble := _bad_name(out)):
        problem, out = problem or trouble, ""
    mask = paths[2] if written[2] else None
    return Row(number, paths[0], paths[1], (written[0], written[1]), out, values, mask, problem)


def _locate(names: Sequence[str], folder: Path, inside: Path | None) -> tuple[list[Path], str]:
    """Where the files of a row lie, by the order of ``FILES``, and why they cannot be used, if so."""
    paths = [folder / name for name in names]
    if "" in names[:2]:
        return paths, "It names no person." if not names[0] else "It names no garment."
    if any("\0" in name for name in names):
        return paths, "It names no file."
    try:
        paths = [find_file(name, folder, home=inside is None) for name in names]
    except PhotoError as error:
        return paths, str(error)
    if inside is not None and not all(path.resolve().is_relative_to(inside.resolve()) for path in paths):
        return paths, "It names a file outside the zip file."
    return paths, ""


def _bad_name(out: str) -> str:
    """Why a result cannot be called so; nothing where it can."""
    if out != Path(out).name or "\\" in out or "\0" in out or out.startswith("."):
        return f"out must be a plain file name, got {out!r}."
    if Path(out).suffix.lower() in PICTURES - {".png"}:
        return f"The result is a PNG: give out a name that ends in .png, not {out!r}."
    if len(os.fsencode(out)) > MOST_NAME_BYTES:
        return f"out is too long for a file's name: at most {MOST_NAME_BYTES} bytes."
    return ""
