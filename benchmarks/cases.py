"""What is said of inputs that people really give, before anything is painted.

``python -m benchmarks.cases --data FOLDER [--kinds]``

Each input is prepared as a try-on would prepare it, and it is told whether it was refused, doubted or taken
without a word: the small cases of ``cases``, and trousers, skirts and dresses given to a model that knows
tops (the ten of ``hd``, and the tenth of ``garments-cc0-lower`` that a checksum of their names draws). With
``--kinds`` also how many photos of ``garments-cc0`` and ``garments-cc0-lower`` are told to be what they are,
and what follows from it; that takes minutes.

The pictures belong to other people: keep them out of the project.
"""

from __future__ import annotations

import argparse
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ladi.engine import Engine
from ladi.models.matting import GarmentMatting
from ladi.preprocess.category import choose_category
from ladi.preprocess.cleaner import GarmentCleaner
from ladi.preprocess.given_mask import read_mask
from ladi.preprocess.kind import judge
from ladi.preprocess.large import shrink_photo
from ladi.preprocess.photo import read_photo
from ladi.types import Finding, LadiError
from ladi.weights.catalog import HELPERS

LOWER, TOPS = "garments-cc0-lower", "garments-cc0"
NO_TOPS = ("garments_dress", "garments_lower")
"""Folders of ``hd``."""
PERSONS = "persons_upper"
"""Likewise; the masks of the cases are laid over the first photo of their size."""
MASKS_SIZE = (1024, 768)
_TENTH = 10
KINDS = {"pants": "trousers", "skirt": "skirt", "shorts": "skirt", "dress": "dress"}
"""What the first words of the names of amateurs' garments mean; all others are tops."""
MUST = {
    "mask_layer_rgba.png": "its opaque strokes are the mask",
    "mask_agnostic_gray.png": "refused or doubted: a picture, not a mask",
    "mask_inverted.png": "doubted",
    "mask_0_1.png": "read as a mask",
    "g_two.jpg": "doubted; the larger is used",
    "g_screenshot.jpg": "found in it, or doubted",
    "g_black_on_black2.jpg": "doubted",
    "g_all_transparent.png": "refused",
    "g_solid.jpg": "refused",
    "p_strap.jpg": "strap and bag stay, or it is said",
    "p_gray.jpg": "stays grey outside the garment",
    "p_far_20.jpg": "found, or “come nearer”",
    "p_tiny.png": "refused: too few pixels",
}
"""What must come of each case."""


@dataclass(frozen=True)
class Row:
    """What came of one input."""

    name: str
    came: str
    """``refused``, ``doubted`` or ``silent``."""
    said: str
    """All sentences on it."""


def outcome(name: str, prepare: Callable[[], Iterable[Finding]]) -> Row:
    """What comes of an input.

    Args:
        name: of the input.
        prepare: gives the findings, or raises the LadiError of a refusal.
    """
    try:
        findings = tuple(prepare())
    except LadiError as error:
        return Row(name, "refused", str(error))
    return Row(name, "doubted" if findings else "silent", " ".join(one.message for one in findings))


def is_drawn(name: str) -> bool:
    """Whether a photo of ``garments-cc0-lower`` is of the tenth that is tried."""
    return zlib.crc32(f"{LOWER}/{name}".encode()) % _TENTH == 0


def kind_of(name: str) -> str:
    """What an amateurs' garment is, by the first word of its file's name."""
    return KINDS.get(name.split("-")[0].split("__")[0], "top")


def cases(data: Path, engine: Engine) -> Iterator[Row]:
    """All inputs of ``cases``, in the order of ``MUST``."""
    photos = (read_photo(path) for path in sorted((data / "hd" / PERSONS).iterdir()))
    person = next(photo for photo in photos if photo.size == MASKS_SIZE)
    for name in MUST:
        path = data / "cases" / name

        def prepare(path: Path = path) -> Iterable[Finding]:
            if path.name.startswith("mask"):
                mask = read_mask(path, person.size)
                return engine.prepare_person(person, mask=mask).findings
            if path.name.startswith("g_"):
                return engine.prepare_garment(read_photo(path)).findings
            return engine.prepare_person(read_photo(path)).findings

        yield outcome(name, prepare)


def no_tops(data: Path, engine: Engine) -> Iterator[Row]:
    """Trousers, skirts and dresses, given to a model that knows tops."""
    paths = [path for folder in NO_TOPS for path in sorted((data / "hd" / folder).iterdir())]
    paths += [path for path in sorted((data / LOWER).iterdir()) if is_drawn(path.name)]
    for path in paths:
        name = f"{path.parent.name}/{path.name}"
        yield outcome(name, lambda path=path: engine.prepare_garment(read_photo(path)).findings)  # type: ignore[misc]


def kinds(data: Path) -> dict[str, Counter[str]]:
    """How many photos of each kind are told rightly, refused and doubted by their kind alone."""
    matting = GarmentMatting.from_pretrained(HELPERS, subfolder="matting", local_files_only=True).eval()
    cleaner = GarmentCleaner(matting)
    told: dict[str, Counter[str]] = {}
    for path in sorted([*(data / LOWER).iterdir(), *(data / TOPS).iterdir()]):
        photo, _ = shrink_photo(read_photo(path))
        judged = judge(photo.pixels, cleaner.settle(cleaner.cut_out(photo, "auto"), photo.pixels).matte)
        _, findings = choose_category("auto", judged, trained=["upper_body"])
        counts = told.setdefault(kind_of(path.name), Counter())
        levels = {one.level for one in findings}
        counts["all"] += 1
        counts["right"] += judged is not None and judged.kind == kind_of(path.name)
        counts["refused" if "error" in levels else "doubted" if levels else "silent"] += 1
    return told


def counted(rows: Sequence[Row]) -> str:
    """How many rows were refused, doubted and silent, in a sentence."""
    came = Counter(row.came for row in rows)
    return f"Of {len(rows)}: {came['refused']} refused, {came['doubted']} doubted, {came['silent']} silent."


def main() -> None:
    """Prepare all of it, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help=f"holds cases, hd, {LOWER} and {TOPS}")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--kinds", action="store_true", help="also tell the kinds of all amateurs' photos")
    options = parser.parse_args()
    engine = Engine.load(options.model, device="cpu")
    print("| input | must be | now | what is said |\n|---|---|---|---|")
    rows = list(cases(options.data, engine))
    for row in rows:
        print(f"| `{row.name}` | {MUST[row.name]} | {row.came} | {row.said} |", flush=True)
    print(f"\n{counted(rows)}\n\n| no top | now | what is said |\n|---|---|---|")
    rows = []
    for row in no_tops(options.data, engine):
        rows.append(row)
        print(f"| `{row.name}` | {row.came} | {row.said} |", flush=True)
    print(f"\n{counted(rows)}")
    if options.kinds:
        print("\n| kind | told rightly | refused | doubted | silent |\n|---|--:|--:|--:|--:|")
        for kind, counts in kinds(options.data).items():
            came = " | ".join(str(counts[name]) for name in ("refused", "doubted", "silent"))
            print(f"| {kind} | {counts['right']} of {counts['all']} | {came} |")


if __name__ == "__main__":
    main()
