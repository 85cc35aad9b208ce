"""What a comparison varies: reading values, and the cells that come of them."""

from __future__ import annotations

from typing import Any

import pytest

from app.api import Api
from app.compare.axes import (
    ABLATION,
    AXES,
    MOST_CELLS,
    offered,
    plan,
    plan_ablation,
    read_values,
    value_label,
)
from ladi.settings import SAMPLERS, Switches
from ladi.types import SettingError

MODELS = ("mini", "vitonhd")
SWITCHES = ("emasc", "pseudo_words", "warped_garment", "pose", "garment_skips")
READ: dict[str, tuple[str, list[Any]]] = {
    "garment": ("3, 1", [2, 0]),
    **{name: (" Off ,on", [False, True]) for name in SWITCHES},
    "guidance": ("1,2.5", [1.0, 2.5]),
    "steps": ("4, 50", [4, 50]),
    "sampler": ("euler", ["euler"]),
    "seed": ("4294967295, 0", [4294967295, 0]),
    "size": ("512x384", [(512, 384)]),
    "feather": ("0.5,8", [0.5, 8.0]),
    "mask_rule": ("published, worn", ["published", "worn"]),
    "model": ("vitonhd", ["vitonhd"]),
}
WRONG: dict[str, tuple[str, ...]] = {
    "size": ("large", "512x512", "100x75"),
    "feather": ("soft", "-1", "33", "nan"),
    "mask_rule": ("none", "WORN"),
    "garment": ("0", "4", "shirt", "-1"),
    **{name: ("maybe", "1") for name in SWITCHES},
    "guidance": ("much", "nan", "31"),
    "steps": ("2.5", "0", "101", "many"),
    "sampler": ("magic",),
    "seed": ("lucky", "-1", "4294967296"),
    "model": ("maxi", "/etc"),
}


def read(axis: str, text: str) -> list[Any]:
    return read_values(axis, text, garments=3, models=MODELS)


@pytest.mark.parametrize("axis", AXES)
def test_every_axis_reads_what_is_written(axis: str) -> None:
    """Prevents an axis on the page that nobody can vary, and values taken for another axis's."""
    text, values = READ[axis]
    assert read(axis, text) == values
    own = read(axis, "")
    assert len(own) > 1 and own == read(axis, AXES[axis].values)


def test_all_means_all() -> None:
    """Prevents counting garments from one in one place and from nought in another."""
    assert read("garment", "all") == [0, 1, 2] and read("model", "") == list(MODELS)
    assert read("sampler", "") == list(SAMPLERS)


@pytest.mark.parametrize("axis", AXES)
def test_a_wrong_word_is_a_sentence(axis: str) -> None:
    """Prevents cells out of range, which would compute for hours, and models by path."""
    for word in (*WRONG[axis], ","):
        with pytest.raises(SettingError):
            read(axis, word)
    with pytest.raises(SettingError, match="must be one of garment, steps"):
        read("colour", "red")


@pytest.mark.parametrize("axis", AXES)
def test_values_have_names_of_their_own(axis: str) -> None:
    """Prevents two cells of one name, of which the slider could show only one."""
    text, values = READ[axis]
    labels = {value_label(axis, value) for value in [*values, *read(axis, "")]}
    assert len(labels) == len({*values, *read(axis, "")})
    assert read(axis, f"{text}, {text}") == values


def test_neighbouring_seeds_have_names_of_their_own() -> None:
    """Prevents seeds rounded to six digits."""
    assert value_label("seed", 4294967295) == "Seed 4294967295"
    assert value_label("guidance", 2.5) == "Guidance 2.5"


def test_two_axes_give_every_combination() -> None:
    """Prevents cells whose label tells of other settings than they have."""
    axes = [("emasc", [True, False]), ("steps", [1, 4]), ("model", ["vitonhd"]), ("garment", [2])]
    cells = plan(axes, model="mini", switches=Switches(pose=False))
    assert [cell.label for cell in cells][:2] == [
        "EMASC on · Steps 1 · vitonhd · Garment 3",
        "EMASC on · Steps 4 · vitonhd · Garment 3",
    ]
    last = cells[-1]
    assert last.switches == Switches(pose=False, emasc=False) and last.sampling_changes == {"steps": 4}
    assert (last.model, last.garment) == ("vitonhd", 2)


def test_too_much_is_refused_before_it_is_planned() -> None:
    """Prevents a request for millions of cells from filling the memory."""
    many = list(range(MOST_CELLS))
    assert len(plan([("seed", many)], model="mini", switches=Switches())) == MOST_CELLS
    with pytest.raises(SettingError, match="48 pictures: at most 24"):
        plan([("seed", many), ("emasc", [True, False])], model="mini", switches=Switches())
    with pytest.raises(SettingError, match="1000000000000 pictures"):
        plan([("seed", range(10**6)), ("steps", range(10**6))], model="mini", switches=Switches())
    with pytest.raises(SettingError, match="EMASC varies in both directions"):
        plan([("emasc", [True]), ("emasc", [False])], model="mini", switches=Switches())


def test_the_ablation_has_eight_cells() -> None:
    """Prevents a full method with something switched off, and rows that switch off the same."""
    cells = plan_ablation("mini", 1)
    assert len(cells) == 8 == len(ABLATION)
    assert cells[0].label == "Full method" and cells[0].switches == Switches()
    assert len({cell.switches for cell in cells}) == 8
    last = cells[-1].switches
    assert not any(getattr(last, name) for name in SWITCHES)
    assert all((cell.model, cell.garment) == ("mini", 1) for cell in cells)


@pytest.mark.parametrize("axis", AXES)
def test_every_box_that_is_offered_is_a_value(axis: str) -> None:
    """Prevents boxes on the page that are refused when they are ticked, or an axis that begins with none."""
    every, chosen = offered(axis, garments=3, models=("mini", "vitonhd"))
    assert chosen and set(chosen) <= set(every)
    values = read_values(axis, ", ".join(every), garments=3, models=("mini", "vitonhd"))
    assert len(values) == len(every)
    assert len({value_label(axis, value) for value in values}) == len(every)


def test_programs_are_told_every_axis() -> None:
    """Prevents an axis that the page offers and the endpoint's own description leaves out."""
    told = (Api.compare.__doc__ or "").split("An axis is ")[1].split(";")[0]
    assert set(told.replace(" or ", ", ").replace(",", " ").split()) == set(AXES)
