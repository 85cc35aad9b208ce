"""Every setting of a try-on, once: its name, type, default, range, choices and words.

The fields of ``Settings``, ``Switches`` and ``TryOnRequest`` are the table, and what stands beside a field is
its row (``setting_row.py``). Flags, the columns of a table of pairs, the page's fields, the parameters of its
endpoints, the checks, what a result's PNG records and what reads it back (``records.py``) are made from
``settings_table()``. ``None`` is the model's choice.

Words and checks only: pictures are judged in ``preprocess/``, and nothing is computed here.
"""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ladi.setting_row import Setting, ValueKind
from ladi.types import AskedCategory, MaskRule, Photo, SettingError, Size

if TYPE_CHECKING:
    import numpy as np

NOTE_CODE = "decoded"
"""Code of the findings that only tell what was done to a file as it was read: notes rather than warnings."""

MAX_SEED = 2**32 - 1
_ROW = "setting"


def setting(default: Any, kind: ValueKind, group: str, words: str, *ends: int, **more: Any) -> Any:
    """A field of the table; its words are ``label: meaning``."""
    label, meaning = words.split(": ", 1)
    row = Setting(kind=kind, label=label, meaning=meaning, group=group, ends=ends or (0, 0), **more)
    return dataclasses.field(default=default, metadata={_ROW: row})


def part(words: str, group: str = "parts", **more: Any) -> Any:
    """A part of the method that can be left out, and is varied by comparisons."""
    return setting(True, "switch", group, words, compared="on, off", **more)


GROUPS = {
    "everyday": "How it is painted",
    "replaced": "What is replaced",
    "mask": "The area to repaint",
    "parts": "Parts of the method",
    "detail": "What keeps detail",
    "result": "The result",
}
"""Where settings stand, and the heading above them."""

CATEGORY_WORDS = {
    "auto": "As it looks",
    "upper_body": "Top",
    "lower_body": "Trousers or skirt",
    "dresses": "Dress",
}
RULES = {"worn": "Whatever the new garment covers", "published": "As in the research data"}
CLEANING = {"auto": "Remove if needed", "keep": "Use the picture as it is", "embedded": "Always remove"}
SAMPLERS = {"ddim": "DDIM", "dpm++": "DPM-Solver++", "unipc": "UniPC", "euler": "Euler"}
"""DDIM is the paper's; the others are known to need fewer steps."""
SIZES = {f"{height}x{height * 3 // 4}": f"{height} × {height * 3 // 4}" for height in (256, 512, 768, 1024)}


@dataclass(frozen=True)
class Switches:
    """The parts of the method that can be left out, per call, without changing a random draw."""

    emasc: bool = part(
        "Keep the photo's fine detail (EMASC): "
        "the skips that carry hair, hands and edges past the compressed picture",
        "everyday",
        short="EMASC",
    )
    pseudo_words: bool = part("Pseudo-words: the garment's description in words of its own")
    warped_garment: bool = part("Warped garment: the view of the garment, bent to the body")
    pose: bool = part("Pose: the joints, by which the body is placed")
    garment_skips: bool = part(
        "Garment skips: the skips that keep prints and stripes, which are no part of the paper",
        "detail",
    )
    """Without the warped garment they are off too."""
    cloth_cond_rate: float = setting(
        1.0,
        "number",
        "parts",
        "Share of the steps that see the garment: share of the steps, from the first, that see the garment",
        0,
        1,
        step=0.05,
    )
    """The other steps see a zero latent."""


@dataclass(frozen=True)
class Settings:
    """How to sample, and how to put the picture back."""

    steps: int | None = setting(
        None,
        "whole",
        "everyday",
        "Steps: how often the picture is refined; more is slower",
        *(1, 100),
        compared="1, 2, 4, 8",
    )
    guidance: float | None = setting(
        None,
        "number",
        "everyday",
        "Guidance: how strictly the garment is followed; up to 1 is fastest",
        *(0, 30),
        step=0.1,
        compared="1, 2, 4",
    )
    seed: int | None = setting(
        None,
        "whole",
        "result",
        "Seed: the same number gives the same picture",
        *(0, MAX_SEED),
        unless="drawn and told",
        compared="1, 2, 3, 4",
    )
    sampler: str | None = setting(
        None,
        "choice",
        "parts",
        "Sampler: the recipe by which noise becomes a picture",
        choices=SAMPLERS,
        compared=", ".join(SAMPLERS),
    )
    pictures: int = setting(1, "whole", "result", "Pictures: how many, each with the next seed", 1, 8)
    size: Size | None = setting(
        None,
        "size",
        "result",
        "Model resolution: height by width of the network's picture; others than its own are untested",
        choices=SIZES,
        compared="256x192, 512x384",
    )
    feather: float = setting(
        4.0,
        "number",
        "result",
        "Soft edge: width in model pixels of the edge, inside the mask, between painted and original pixels",
        *(0, 32),
        step=0.5,
        compared="0, 4, 16",
    )
    paste_back: bool = setting(
        True,
        "switch",
        "detail",
        "Keep the photo outside the area: pasting into the photo, whose other pixels stay as they are",
    )
    keep_unchanged: bool = setting(
        True,
        "switch",
        "detail",
        "Keep wall and skin that stay the same: the photo's own where the same was painted",
        flag="--repaint-all",
    )
    fine_detail: bool = setting(
        True,
        "switch",
        "detail",
        "Add the garment's fine detail: the garment's own in photos larger than the model's picture",
    )
    switches: Switches = dataclasses.field(default_factory=lambda: Switches())


@dataclass(frozen=True)
class TryOnRequest:
    """One person, one garment, and how to bring them together."""

    person: Photo
    garment: Photo
    category: AskedCategory = setting(
        "auto",
        "choice",
        "replaced",
        "Kind of garment: what the garment is; told by its picture unless chosen",
        choices=CATEGORY_WORDS,
    )
    settings: Settings = dataclasses.field(default_factory=lambda: Settings())
    mask_rule: MaskRule = setting(
        "worn",
        "choice",
        "replaced",
        "Worn clothes: which worn clothes make room for the new garment",
        choices=RULES,
        short="Worn clothes",
        compared=", ".join(RULES),
    )
    clean_garment: str = setting(
        "auto",
        "choice",
        "replaced",
        "The garment's background: whether to cut the garment out",
        choices=CLEANING,
        other="a local rembg model",
        flag="--garment-background",
    )
    use_anyway: bool = setting(
        False,
        "switch",
        "replaced",
        "Use it anyway: the garment's picture, whatever seems to be wrong with it",
        flag="--force",
    )
    turn: bool = setting(
        False,
        "switch",
        "replaced",
        "Turn pictures upright: a photo or garment that seems to lie on its side or upside down is turned",
    )
    mask_grow: int = setting(
        0,
        "whole",
        "mask",
        "Grow or shrink the area: the model's pixels by which the automatic area grows; below 0 it shrinks",
        *(-64, 64),
        shown=(-16, 32),
    )
    invert_mask: bool = setting(
        False, "switch", "mask", "Invert masks: a mask from a file marks what stays, not what is repainted"
    )
    mask: np.ndarray | None = None
    """(H,W) at the photo's size, nonzero = repaint: drawn by hand or read from a file, in place of the
    automatic mask."""


def settings_table() -> dict[str, Setting]:
    """All settings by name, in the order in which page, columns and endpoints have them."""
    return {row.name: row for holder in (Settings, Switches, TryOnRequest) for row in rows_of(holder)}


def rows_of(holder: Any) -> list[Setting]:
    """The rows that stand in one of the three classes, given as the class or as an object of it."""
    return [
        replace(one.metadata[_ROW], name=one.name, default=one.default)
        for one in fields(holder)
        if _ROW in one.metadata
    ]


def check_request(request: TryOnRequest) -> None:
    """Raises SettingError for whatever in a request is outside its range, before anything is computed."""
    check_settings(request.settings)
    _check(request)


def check_settings(settings: Settings) -> None:
    """The same for settings alone; ``None`` stands for the model's own choice."""
    _check(settings)
    _check(settings.switches)


def _check(holder: Any) -> None:
    for row in rows_of(holder):
        row.check(getattr(holder, row.name))


RESULT_PIXELS = 120_000_000
"""Pixels of all results of one request together, which stay in memory until all are done."""


def check_result_pixels(pictures: int, photo: Size) -> None:
    """Raises SettingError where so many pictures of a photo's size are more than is kept in memory."""
    most = RESULT_PIXELS // (photo[0] * photo[1])
    if pictures > most:
        raise SettingError(
            f"pictures must be at most {most} for a photo of {photo[1]}×{photo[0]} pixels, got {pictures}: "
            "ask for fewer, or make the photo smaller."
        )


class SamplingNumbers(NamedTuple):
    """With what one request is sampled: nothing is left open in it."""

    seed: int
    steps: int
    guidance: float


def choose_sampling(settings: Settings, defaults: tuple[int, float]) -> SamplingNumbers:
    """What was asked; else a seed is drawn, and steps and guidance are the model's ``defaults``."""
    return SamplingNumbers(
        secrets.randbelow(MAX_SEED + 1) if settings.seed is None else settings.seed,
        defaults[0] if settings.steps is None else settings.steps,
        defaults[1] if settings.guidance is None else settings.guidance,
    )


def picture_seed(first: int, picture: int) -> int:
    """The seed of one of several pictures: each has the next number, and after the last comes 0."""
    return (first + picture) % (MAX_SEED + 1)
