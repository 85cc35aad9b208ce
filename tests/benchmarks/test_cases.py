"""The table of inputs that people give: what counts as refused, as doubted, and which photos are drawn."""

from __future__ import annotations

from benchmarks.cases import Row, counted, is_drawn, kind_of, outcome
from ladi.preprocess.findings import finding, raise_errors
from ladi.types import Finding


def test_what_comes_of_an_input() -> None:
    """Prevents a refusal that is counted as a warning, and a warning as nothing."""

    def refuse() -> tuple[Finding, ...]:
        raise_errors([finding("garment_empty")])
        return ()

    rows = [
        outcome("a", refuse),
        outcome("b", lambda: [finding("garment_several"), finding("garment_little")]),
        outcome("c", lambda: ()),
    ]
    assert [row.came for row in rows] == ["refused", "doubted", "silent"]
    assert "No garment was found" in rows[0].said and rows[2].said == ""
    assert "several garments" in rows[1].said and "very small" in rows[1].said
    assert counted([*rows, Row("d", "silent", "")]) == "Of 4: 1 refused, 1 doubted, 2 silent."


def test_which_photos_are_drawn_and_what_they_are() -> None:
    """Prevents another tenth, whose numbers could not be compared, and kinds that are misread."""
    drawn = [number for number in range(1000) if is_drawn(f"pants__{number}.jpg")]
    assert drawn[:3] == [11, 15, 27] and 60 < len(drawn) < 140
    names = ("pants-1.jpg", "shorts__2.jpg", "skirt-3.jpg", "dress__4.jpg", "t-shirt-5.jpg", "outwear-6.jpg")
    assert [kind_of(name) for name in names] == ["trousers", "skirt", "skirt", "dress", "top", "top"]
