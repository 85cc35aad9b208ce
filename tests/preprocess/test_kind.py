"""What a garment is taken for, and what follows for a model."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ladi.models.matting import GarmentMatting
from ladi.preprocess.category import choose_category
from ladi.preprocess.cleaner import CutOut, GarmentCleaner
from ladi.preprocess.garment import cut_garment
from ladi.preprocess.kind import KINDS, NAMES, TURNS, Judged, describe, judge
from ladi.preprocess.kind_table import CONSTANT, TABLE
from ladi.preprocess.photo import read_photo
from ladi.preprocess.pose import PoseDetector
from ladi.types import CATEGORIES, AskedCategory, Category, Garment, GarmentError, Photo
from ladi.weights.catalog import HELPERS

ROOT = Path(__file__).resolve().parents[2]
TOPS: list[Category] = ["upper_body"]


def chosen(
    kind: str,
    certainty: float,
    *,
    asked: AskedCategory = "auto",
    trained: list[Category] = TOPS,
    turn: int = 0,
) -> tuple[str, list[str]]:
    category, doubts = choose_category(asked, Judged(kind, certainty, turn, 0.99), trained=trained)
    return category, [f"{doubt.level} {doubt.code}" for doubt in doubts]


@pytest.mark.parametrize("kind", ["trousers", "skirt", "dress"])
def test_what_a_model_does_not_know_is_refused_where_it_is_sure(kind: str) -> None:
    """Prevents jeans from being worn as a vest without a word."""
    assert chosen(kind, 0.95) == ("upper_body", ["error garment_not_offered"])
    assert chosen(kind, 0.6) == ("upper_body", ["warning garment_perhaps_other"])


def test_all_kinds_that_cannot_be_worn_count_together() -> None:
    """Prevents a garment that is a dress or a skirt, but surely no top, from being worn as one."""
    shares = {"top": 0.04, "trousers": 0.01, "skirt": 0.4, "dress": 0.5, "none": 0.05}
    _, [doubt] = choose_category("auto", Judged("dress", 0.5, 0, 0.99, shares), trained=TOPS)
    assert (doubt.level, doubt.code) == ("error", "garment_not_offered") and "a dress" in doubt.message
    maybe = shares | {"top": 0.3, "dress": 0.45, "skirt": 0.19}
    _, [doubt] = choose_category("auto", Judged("dress", 0.45, 0, 0.99, maybe), trained=TOPS)
    assert (doubt.level, doubt.code) == ("warning", "garment_perhaps_other")


def test_tops_pass() -> None:
    """Prevents false alarms."""
    assert chosen("top", 0.95) == ("upper_body", [])
    assert chosen("top", 0.7) == ("upper_body", [])
    assert chosen("top", 0.5) == ("upper_body", ["warning garment_unsure"])


def test_what_is_no_garment_is_refused_where_it_is_sure() -> None:
    """Prevents wearing a wall or a bag."""
    assert chosen("none", 0.95) == ("upper_body", ["error garment_none"])
    assert chosen("none", 0.6) == ("upper_body", ["warning garment_unsure"])


def test_a_model_of_all_kinds_takes_each_for_its_own() -> None:
    """Prevents a guess that is not said to be one, and a choice that is not believed."""
    all_kinds = list(CATEGORIES)
    assert chosen("skirt", 0.95, trained=all_kinds) == ("lower_body", [])
    assert chosen("dress", 0.95, trained=all_kinds) == ("dresses", [])
    assert chosen("trousers", 0.5, trained=all_kinds) == ("lower_body", ["warning category_unsure"])
    said = chosen("dress", 0.95, asked="upper_body", trained=all_kinds)
    assert said == ("upper_body", ["warning garment_other_kind"])


@pytest.mark.parametrize(
    ("turn", "words"), [(90, "quarter to the right"), (180, "upside down"), (270, "to the left")]
)
def test_a_garment_that_lies_is_offered_upright(turn: int, words: str) -> None:
    """Prevents sleeves from hanging upwards without a word."""
    _, [doubt] = choose_category("auto", Judged("top", 0.99, turn, 0.97), trained=TOPS)
    assert (doubt.level, doubt.code, doubt.turn) == ("warning", "garment_turned", turn)
    assert words in doubt.message


OUTLINES: dict[str, tuple[str, list[list[tuple[int, int]]]]] = {
    "t-shirt": (
        "top",
        [[(60, 40), (90, 30), (110, 30), (140, 40), (180, 90), (150, 105), (145, 230), (55, 230), (50, 105)]],
    ),
    "long sleeves": (
        "top",
        [
            [(65, 40), (90, 30), (110, 30), (135, 40), (135, 190), (65, 190)],
            [(65, 40), (40, 60), (20, 220), (36, 220), (70, 100)],
            [(135, 40), (160, 60), (180, 220), (164, 220), (130, 100)],
        ],
    ),
    "trousers": (
        "trousers",
        [[(60, 15), (140, 15), (150, 240), (108, 240), (100, 100), (92, 240), (50, 240)]],
    ),
    "shorts": (
        "skirt",
        [[(50, 60), (150, 60), (172, 150), (104, 155), (100, 128), (96, 155), (28, 150)]],
    ),
    "skirt": ("skirt", [[(55, 60), (145, 60), (170, 170), (30, 170)]]),
    "dress": ("dress", [[(75, 10), (125, 10), (120, 90), (150, 245), (50, 245), (80, 90)]]),
}


def drawn(name: str) -> tuple[np.ndarray, np.ndarray]:
    """A garment on white, and its matte; skirts have a waistband and folds."""
    matte = Image.new("L", (200, 256))
    for outline in OUTLINES[name][1]:
        ImageDraw.Draw(matte).polygon(outline, fill=255)
    on = np.asarray(matte) > 0
    cloth = Image.new("RGB", matte.size, (40, 60, 160))
    if name == "skirt":
        pen = ImageDraw.Draw(cloth)
        pen.line([(0, 76), (200, 76)], (15, 20, 60), 3)
        for fold in range(-5, 6):
            pen.line([(100 + 8 * fold, 76), (100 + 13 * fold, 170)], (20, 30, 90), 2)
    return np.where(on[..., None], np.asarray(cloth), np.uint8(255)), on.astype(np.float32)


@pytest.mark.parametrize("name", OUTLINES)
def test_a_clear_outline_is_told(name: str) -> None:
    """Prevents a table that turns shirts into trousers, whose prompt and mask are then used."""
    told = judge(*drawn(name))
    assert told is not None and told.kind == OUTLINES[name][0] and told.turn == 0
    assert told.certainty > (0.5 if told.kind == "skirt" else 0.75)
    assert sum(told.shares.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("turn", TURNS[1:])
@pytest.mark.parametrize("name", ["t-shirt", "long sleeves", "trousers"])
def test_it_is_told_however_it_lies(name: str, turn: int) -> None:
    """Prevents a T-shirt that lies on its side from being refused as a skirt."""
    pixels, matte = drawn(name)
    upright = judge(pixels, matte)
    lying = judge(np.rot90(pixels, turn // 90), np.rot90(matte, turn // 90))
    assert upright is not None and lying is not None
    assert (lying.kind, lying.turn) == (upright.kind, turn)
    assert lying.certainty == pytest.approx(upright.certainty, abs=0.08)


def test_a_mirror_changes_nothing() -> None:
    """Prevents a garment that is another one when the photo is mirrored."""
    pixels, matte = drawn("trousers")
    pixels[60:120, 60:90] = 230
    one, other = (
        describe(picture, outline > 0, shop=True)
        for picture, outline in ((pixels, matte), (pixels[:, ::-1], matte[:, ::-1]))
    )
    assert one.shape == (len(NAMES),) == (len(TABLE),) and len(CONSTANT) == len(KINDS)
    assert np.abs(one - other).max() < 0.06


def test_a_cut_out_that_failed_refuses_nothing() -> None:
    """Prevents white jumpers of which only the print was found from being refused as trousers."""
    pixels, matte = drawn("trousers")
    hazy = matte.copy()
    hazy[20:130] *= 0.7
    hazy[hazy == 0] = np.where(np.random.default_rng(0).random((hazy == 0).sum()) < 0.3, 0.3, 0)
    clear, doubtful = judge(pixels, matte), judge(pixels, hazy)
    assert clear is not None and doubtful is not None
    assert clear.certainty_of(["top"]) < 0.1 < doubtful.certainty_of(["top"])
    assert doubtful.turn_certainty < 0.9


class Mistaken(GarmentCleaner):
    """One that sees one garment at first, and another when it has settled the outline."""

    def __init__(self, first: str, settled: str) -> None:
        super().__init__(GarmentMatting(height=64, width=48, widths=(8,)).eval())
        self._mattes = [drawn(name)[1].astype(np.float32) for name in (first, settled)]

    def cut_out(self, photo: Photo, method: str = "auto") -> CutOut:
        return CutOut(self._mattes[0], "embedded")

    def settle(self, cut_out: CutOut, pixels: np.ndarray) -> CutOut:
        return CutOut(self._mattes[1], "embedded")


def test_a_garment_is_judged_by_the_outline_that_it_is_worn_with() -> None:
    """Prevents a top from being refused for trousers, and the reverse, because the first guess was rough."""
    pose = PoseDetector(workers=1)

    def cut(first: str, settled: str) -> Garment:
        return cut_garment(
            read_photo(drawn(settled)[0]),
            Mistaken(first, settled),
            pose,
            category="auto",
            clean="embedded",
            size=(128, 96),
            trained=TOPS,
            background="white",
        )

    assert "garment_not_offered" not in [one.code for one in cut("trousers", "t-shirt").findings]
    with pytest.raises(GarmentError, match="looks like trousers"):
        cut("t-shirt", "trousers")


def test_nothing_is_not_judged() -> None:
    """Prevents a division by nothing, and a kind for a picture that shows none."""
    pixels, matte = drawn("t-shirt")
    assert judge(pixels, matte * 0) is None
    for asked, taken in (("auto", "upper_body"), ("dresses", "dresses")):
        assert choose_category(asked, None, trained=list(CATEGORIES)) == (taken, ())  # type: ignore[arg-type]
    speck = np.zeros_like(matte)
    speck[10:14, 10:14] = 1
    assert judge(pixels, speck) is not None


def cleaner() -> GarmentCleaner:
    matting = GarmentMatting.from_pretrained(HELPERS, subfolder="matting", local_files_only=True)
    return GarmentCleaner(matting.float().eval())


def codes(path: Path, find: GarmentCleaner) -> list[str]:
    """What a model for tops says of a picture."""
    photo = read_photo(path)
    _, doubts = choose_category("auto", judge(photo.pixels, find.cut_out(photo).matte), trained=TOPS)
    return [doubt.code for doubt in doubts]


def test_the_examples_are_tops_that_hang_upright() -> None:
    """Prevents a doubt beside the pictures that everybody tries first."""
    find = cleaner()
    for path in sorted((ROOT / "assets" / "examples").glob("garment-*.jpg")):
        assert codes(path, find) == [], path.name


def test_shop_pictures_of_other_kinds_are_never_worn_without_a_word(shared_dir: Path) -> None:
    """Prevents jeans from being worn as a vest."""
    find, said = cleaner(), Counter[str]()
    for name in ("garments_lower", "garments_dress"):
        for path in sorted((shared_dir / "data" / "hd" / name).glob("*.jpg")):
            found = codes(path, find)
            assert found, path.name
            said[found[0]] += 1
    if not said:
        pytest.skip("the shared folder has no data/hd/garments_lower and garments_dress")
    assert said["garment_not_offered"] >= 0.8 * said.total()
