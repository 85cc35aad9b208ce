"""Forty people nobody chose, in forty garments nobody chose: what a user would see, and three measures of it.

``python -m benchmarks.real_photos --data FOLDER --model mini --out outputs/real-photos [--compare BEFORE]``

The people are half street photos with labels (``street/labelled-val.tar``), half photos of ordinary people
(``people/people-00.tar``); the garments half amateurs' (``garments-cc0``), half a shop's
(``viton/val-00.tar``). A seed draws and mixes them: pairs that the model refuses stay as rows with its
sentence. The measures stand in ``photo_measures.py``. What of the photo is old garment and what is wall is
kept in ``OUT/regions``; ``--compare`` judges by those of the earlier run, so that a better parser is not
judged by its own eyes.

The pictures belong to other people: keep what this writes out of the project.
"""

from __future__ import annotations

import argparse
import json
import tarfile
import time
from dataclasses import asdict, dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from benchmarks import photo_measures as measures
from benchmarks.contact_sheets import Triple, write_sheets
from benchmarks.photo_rows import Row, as_table, read_rows, refusals, write_rows
from ladi.diffusion.warping import sample_garment
from ladi.engine import Engine
from ladi.postprocess.png import save_png
from ladi.preprocess.frame import to_pixels
from ladi.preprocess.labels import label_table
from ladi.preprocess.photo import read_photo
from ladi.preprocess.pose import PoseDetector
from ladi.settings import Settings, TryOnRequest
from ladi.types import LadiError, PersonParts, Photo, PoseDetection, Result

SEED = 13
MARGIN = 0.08
"""Of the window's height, shown around it on the sheets."""
HALF = 20
TOPS = ("t", "shirt", "longsleeve", "outwear")
"""First words of the names of amateurs' garments."""
WORN_TAGS = (
    "blazer blouse bodysuit bra cape cardigan coat dress hoodie intimate jacket jumper romper shirt suit "
    "sweater sweatshirt swimwear t-shirt tie top vest"
).split()
"""Of the street photos: what a new top takes the place of."""
UPPER = ("upper_clothes", "dress", "coat")
KEPT = ("hat", "hair", "sunglasses", "scarf", "face", "head", "neck", "pants", "skirt", "bag", "left_shoe")
"""Labels that the old garment's region never covers; arms are another matter, see ``old_by_parser``."""
BARE = ("left_arm", "right_arm")


@dataclass(frozen=True)
class Pair:
    """One person and one garment, as they lie in the data."""

    number: int
    person: str
    garment: str


def draw_pairs(data: Path) -> list[Pair]:
    """The pairs, always the same ones: ``archive:member`` or a file, within the data."""
    rng = np.random.default_rng(SEED)
    people: list[str] = []
    for archive in ("street/labelled-val.tar", "people/people-00.tar"):
        people += _drawn(rng, [f"{archive}:{name}" for name in _members(data / archive, ".image.jpg")])
    amateurs = sorted((data / "garments-cc0").glob("*.jpg"))
    tops = [f"garments-cc0/{path.name}" for path in amateurs if path.name.split("-")[0] in TOPS]
    shop = [f"viton/val-00.tar:{name}" for name in _members(data / "viton/val-00.tar", ".cloth.jpg")]
    garments = _drawn(rng, tops) + _drawn(rng, shop)
    order = rng.permutation(len(people))
    mixed = rng.permutation(len(garments))
    return [
        Pair(number, people[one], garments[other])
        for number, (one, other) in enumerate(zip(order, mixed, strict=True), start=1)
    ]


def _members(archive: Path, ending: str) -> list[str]:
    with tarfile.open(archive) as tar:
        return sorted(name for name in tar.getnames() if name.endswith(ending))


def _drawn(rng: np.random.Generator, names: list[str]) -> list[str]:
    return [names[index] for index in np.sort(rng.choice(len(names), HALF, replace=False))]


def read_bytes(data: Path, name: str) -> bytes:
    """A file of the data, or a member of an archive there."""
    place, _, member = name.partition(":")
    if not member:
        return (data / place).read_bytes()
    with tarfile.open(data / place) as tar:
        file = tar.extractfile(member)
        assert file is not None
        return file.read()


@cache
def _worn_numbers(data: Path) -> tuple[int, ...]:
    tags = json.loads((data / "street" / "tags.json").read_text())
    return tuple(tags.index(tag) for tag in WORN_TAGS)


def regions(
    data: Path, pair: Pair, person: PersonParts, detection: PoseDetection
) -> tuple[np.ndarray, np.ndarray]:
    """The old garment, and everything that is no wall: (H,W) bool each, at the photo's size."""
    if pair.person.startswith("street/"):
        name = pair.person.replace(".image.jpg", ".tags.png")
        with Image.open(BytesIO(read_bytes(data, name))) as picture:
            tags = np.asarray(picture)
        return np.isin(tags, _worn_numbers(data)), tags > 0
    old = measures.over_photo(old_by_parser(person), person.frame, person.photo.size)
    taken = measures.over_photo(person.labels > 0, person.frame, person.photo.size)
    outline = detection.silhouette > 0.5
    return old & outline, taken | outline


def old_by_parser(person: PersonParts) -> np.ndarray:
    """The old garment as parser and joints have it: (h,w) bool at the model's size.

    A worn garment has no holes: between shoulders and hips all is garment that is not hair, neck, something
    held, or an arm where an arm is.
    """
    numbers = label_table(person.scheme)

    def labelled(names: tuple[str, ...]) -> np.ndarray:
        return np.isin(person.labels, [numbers[name] for name in names if name in numbers])

    size = person.labels.shape
    worn = ndimage.binary_fill_holes(labelled(UPPER)) | measures.trunk(person.keypoints, size)
    arms = labelled(BARE) & measures.near_arms(person.keypoints, size)
    return worn & ~labelled(KEPT) & ~arms


def keep_regions(path: Path, old: np.ndarray, taken: np.ndarray) -> None:
    """Writes both as one picture: red is the old garment, green everything that is no wall."""
    save_png(np.stack([old, taken, np.zeros_like(old)], -1).astype(np.uint8) * 255, path)


def kept_regions(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """What ``keep_regions`` wrote, if it did."""
    if not path.is_file():
        return None
    with Image.open(path) as picture:
        marked = np.asarray(picture) > 127
    return marked[..., 0], marked[..., 1]


def skin_colour(person: PersonParts) -> np.ndarray | None:
    """Median colour of face, neck and arms, (3,) in 0 … 255; none where too little is seen."""
    numbers = label_table(person.scheme)
    names = ("face", "head", "neck", *BARE)
    skin = np.isin(person.labels, [numbers[name] for name in names if name in numbers])
    return np.median(to_pixels(person.image)[skin], axis=0) if skin.sum() >= measures.FEWEST else None


def window(person: PersonParts) -> tuple[slice, slice]:
    """The part of the photo that can have changed, with a little around it."""
    frame, (height, width) = person.frame, person.photo.size
    more = MARGIN * frame.height
    rows = slice(max(0, round(frame.top - more)), min(height, round(frame.top + frame.height + more)))
    columns = slice(max(0, round(frame.left - more)), min(width, round(frame.left + frame.width + more)))
    return rows, columns


def measure(
    row: Row, result: Result, old: np.ndarray, taken: np.ndarray, engine: Engine, detector: PoseDetector
) -> None:
    """Fills in a row's measures."""
    person, garment, conditions = result.person, result.garment, result.conditions
    photo, picture, frame = person.photo.pixels, result.images[0], person.frame
    assert conditions.warp_grid is not None
    grid = conditions.warp_grid.float().cpu()
    outline = sample_garment(garment.matte.float(), grid)[0, 0].numpy() > 0.5
    new = measures.over_photo(outline, frame, person.photo.size)
    warped = measures.over_photo(to_pixels(sample_garment(garment.image, grid)), frame, person.photo.size)
    row.tone = measures.tone(to_pixels(garment.image), garment.matte[0, 0].numpy() > 0.5)

    joints = measures.joints_over_photo(person.keypoints, frame)
    must = measures.must_change(old, new, joints, frame.scale)
    row.left_over, row.judged, _ = measures.left_over(photo, picture, must, new, warped, skin_colour(person))
    try:
        after = detector.detect(picture).silhouette > 0.5
        again = engine.prepare_person(Photo(picture))
    except LadiError:
        # Nobody is seen in the result: what it shows can only be compared with the photo's own outline.
        row.wall_kept, row.wall_kept_near = measures.wall_kept(photo, picture, taken, taken, frame.scale)
        return
    row.wall_kept, row.wall_kept_near = measures.wall_kept(photo, picture, taken, after, frame.scale)
    worn = np.isin(
        again.labels, [number for name, number in label_table(again.scheme).items() if name in UPPER]
    )
    seen = measures.over_photo(worn, again.frame, person.photo.size)
    row.colour, row.garment_seen = measures.garment_colour(picture, warped, new, seen)


def run(data: Path, pairs: list[Pair], engine: Engine, out: Path, before: Path | None) -> list[Row]:
    """Dresses everybody, measures, and writes pictures, regions and sheets."""
    detector = PoseDetector()
    rows, triples = [], []
    for folder in ("pictures", "regions"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for pair in pairs:
        row = Row(**asdict(pair))
        rows.append(row)
        person, garment = (read_photo(read_bytes(data, name)) for name in (pair.person, pair.garment))
        started = time.perf_counter()
        try:
            request = TryOnRequest(
                person, garment, category="upper_body", settings=Settings(seed=pair.number)
            )
            result = engine.try_on(request)
        except LadiError as error:
            row.refused = str(error)
            triples.append(Triple(pair.number, person.pixels, garment.pixels, row.refused))
            continue
        row.seconds = time.perf_counter() - started
        name = f"{pair.number:02d}.png"
        known = None if before is None else kept_regions(before / "regions" / name)
        old, taken = known or regions(data, pair, result.person, detector.detect(person.pixels))
        measure(row, result, old, taken, engine, detector)
        keep_regions(out / "regions" / name, old, taken)
        save_png(result.images[0], out / "pictures" / name)
        around = window(result.person)
        shown = person.pixels[around], garment.pixels, result.images[0][around]
        triples.append(Triple(pair.number, *shown))
    write_sheets(triples, out)
    return rows


def main() -> None:
    """Draw, dress, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds street, people, garments-cc0, viton")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--out", type=Path, default=Path("outputs/real-photos"))
    parser.add_argument("--compare", type=Path, metavar="DIR", help="--out of an earlier run")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first so many pairs, for a try")
    options = parser.parse_args()
    pairs = draw_pairs(options.data)[: options.limit]
    rows = run(options.data, pairs, Engine.load(options.model), options.out, options.compare)
    write_rows(rows, options.out / "rows.csv")
    columns = {"here": rows}
    if options.compare is not None:
        columns = {"before": read_rows(options.compare / "rows.csv")[: options.limit], "after": rows}
    table = "\n".join([as_table(columns), "", *refusals(rows)])
    (options.out / "table.md").write_text(table + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
