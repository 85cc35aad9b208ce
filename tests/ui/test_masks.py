"""The mask in the editor: what counts as drawn, what survives, and where it lands on the photo."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from app.pictures import mask_layer
from app.tryon import masks
from app.tryon.editor import layers_reader
from app.tryon.masks import EDITOR, DrawnMask
from ladi.types import Frame, MaskError, Photo
from tests.ui.conftest import Send
from tests.ui.fake import SIZE, parts_of
from tests.ui.pictures import coloured

PHOTO = Photo(coloured(10, 60, 110, (400, 300)))
PERSON = parts_of(PHOTO)
BEYOND = replace(PERSON, frame=Frame(-75, -100, 450, 600, SIZE))
"""The same person in a window that reaches beyond the photo on every side."""


def layers(mask: np.ndarray) -> dict[str, Any]:
    return {"background": np.zeros((*EDITOR, 3), np.uint8), "layers": [mask_layer(mask)], "composite": None}


def with_stroke(drawn: DrawnMask, rows: slice = slice(600, 700), columns: slice = slice(40, 90)) -> DrawnMask:
    """What the record is after a stroke on what is shown."""
    mask = masks.unpack(drawn.shown)
    mask[rows, columns] = True
    return masks.note_strokes(drawn, drawn.token, layers(mask))  # type: ignore[return-value]


def test_a_stroke_is_told_from_the_automatic_mask() -> None:
    """Prevents an automatic mask that counts as drawn, and would not follow another garment's kind."""
    drawn = masks.automatic(PERSON)
    shown = masks.unpack(drawn.shown)
    assert shown[192:576, 144:432].all() and shown.sum() == 384 * 288
    assert masks.note_strokes(drawn, drawn.token, layers(shown)) is drawn
    smudged = shown.copy()
    smudged[0, :50] = True  # a browser's rounding
    assert masks.note_strokes(drawn, drawn.token, layers(smudged)) is drawn
    edited = with_stroke(drawn)
    assert edited.edited and edited.token == drawn.token
    assert masks.unpack(edited.shown)[600:700, 40:90].all()


def test_a_browser_may_give_back_another_size() -> None:
    """Prevents a phone's smaller canvas from counting as strokes."""
    drawn = masks.automatic(PERSON)
    layer = Image.fromarray(mask_layer(masks.unpack(drawn.shown))).resize(
        (288, 384), Image.Resampling.NEAREST
    )
    value = layers(masks.unpack(drawn.shown)) | {"layers": [np.asarray(layer)]}
    assert masks.note_strokes(drawn, drawn.token, value) is drawn


def test_layers_out_of_date_and_a_loading_editor_are_ignored() -> None:
    """Prevents one photo's strokes from landing on the next, and an empty editor from erasing a mask."""
    drawn = masks.automatic(PERSON)
    stroke = layers(np.ones(EDITOR, bool))
    assert masks.note_strokes(drawn, "of an earlier value", stroke) is drawn
    assert masks.note_strokes(None, "", stroke) is None
    for loading in (None, {"background": None, "layers": []}, layers(np.zeros(EDITOR, bool))):
        assert masks.note_strokes(drawn, drawn.token, loading) is drawn


def test_an_edited_mask_follows_the_slider_from_where_it_was_drawn() -> None:
    """Prevents a mask that creeps outwards, or jumps by the slider's whole value after a stroke."""
    edited = with_stroke(masks.automatic(PERSON, grow=3))
    assert masks.adapted(edited, PERSON, 3) is edited
    wider = masks.adapted(edited, PERSON, 4)
    mask = masks.unpack(wider.shown)
    one_model_pixel = EDITOR[0] // SIZE[0]
    assert mask[650, 90 + one_model_pixel - 1] and not mask[650, 90 + one_model_pixel]
    assert wider.edited and wider.token != edited.token
    for there in (10, -3, 4):
        wider = masks.adapted(wider, PERSON, there)
    assert masks.adapted(wider, PERSON, 3).shown == edited.shown
    # A stroke on the wider mask is kept as it was seen.
    again = with_stroke(wider, slice(0, 50), slice(500, 570))
    assert masks.adapted(again, PERSON, 4).shown == again.shown


def test_an_edited_mask_survives_another_window() -> None:
    """Prevents strokes from being lost, or moved on the photo, when a dress needs another window."""
    edited = with_stroke(masks.automatic(PERSON))
    moved = masks.adapted(edited, BEYOND, 0)
    assert moved.edited and moved.token != edited.token and moved.frame == replace(BEYOND.frame, size=EDITOR)
    before, after = masks.mask_for_photo(edited, PHOTO), masks.mask_for_photo(moved, PHOTO)
    assert (before != after).mean() < 0.01 and before.mean() > 0.2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("person", "rows", "columns"),
    [(PERSON, slice(192, 384), slice(115, 230)), (BEYOND, slice(256, 384), slice(173, 250))],
    ids=["window as large as the photo", "window beyond the photo"],
)
def test_a_mask_lands_on_the_photos_right_pixels(person: Any, rows: slice, columns: slice) -> None:
    """Prevents a mask off by the window's place or scale, which repaints beside what was painted over."""
    drawn = masks.automatic(person)
    mask = np.zeros(EDITOR, bool)
    mask[rows, columns] = True
    if person is BEYOND:
        mask[:128] = True  # above the photo
    placed = masks.mask_for_photo(masks.note_strokes(drawn, drawn.token, layers(mask)), PHOTO)
    expected = np.zeros(PHOTO.size, np.uint8)
    expected[100:200, 60:120] = 1
    np.testing.assert_array_equal(placed, expected)


def test_nothing_is_masked_beyond_the_window() -> None:
    """Prevents a mask at the window's edge from running on to the photo's border."""
    person = replace(PERSON, frame=Frame(75, 100, 150, 200, SIZE))
    drawn = with_stroke(masks.automatic(person), slice(0, 768), slice(0, 576))
    expected = np.zeros(PHOTO.size, np.uint8)
    expected[100:300, 75:225] = 1
    np.testing.assert_array_equal(masks.mask_for_photo(drawn, PHOTO), expected)


def test_only_an_edited_mask_of_this_photo_is_used() -> None:
    """Prevents an automatic mask, or another photo's, from being taken for a wish."""
    automatic = masks.automatic(PERSON)
    assert masks.mask_for_photo(None, PHOTO) is None
    assert masks.mask_for_photo(automatic, PHOTO) is None
    assert masks.mask_for_photo(with_stroke(automatic), Photo(PHOTO.pixels[:, ::-1].copy())) is None


def test_a_mask_that_was_erased_is_refused() -> None:
    """Prevents the automatic mask, or nothing at all, from being painted where the visitor erased."""
    edited = with_stroke(masks.automatic(PERSON))
    erased = masks.note_strokes(edited, edited.token, layers(np.zeros(EDITOR, bool)))
    with pytest.raises(MaskError, match="The area to repaint is empty: paint over .* or reset it"):
        masks.mask_for_photo(erased, PHOTO)


def test_the_editor_gets_window_and_layer_of_one_size() -> None:
    """Prevents a layer that the browser puts beside the photo."""
    value = masks.editor_value(PHOTO, masks.automatic(BEYOND))
    assert value["background"].shape == (*EDITOR, 3) and value["layers"][0].shape == (*EDITOR, 4)
    np.testing.assert_array_equal(masks.read_layers(value), masks.unpack(masks.automatic(BEYOND).shown))


def test_the_editors_files_become_arrays(send: Send) -> None:
    """Prevents an editor whose value is not understood: every stroke would be lost in silence."""
    mask = np.zeros(EDITOR, bool)
    mask[100:200] = True
    sent = {
        "background": send(np.zeros((*EDITOR, 3), np.uint8), "background.png"),
        "layers": [send(mask_layer(mask), "layer.png")],
        "composite": None,
    }
    read = layers_reader(gr.ImageEditor(type="numpy", layers=False))
    np.testing.assert_array_equal(masks.read_layers(read(json.dumps(sent))), mask)
    for nothing in ("", "null", "no", "[]", '{"layers": 3}', "[" * 100_000):
        assert read(nothing) is None, nothing[:20]
