"""The command ``tryon``: two files in, a picture out, and what it was made of where that is asked for.

It checks where the result will go before anything is computed, calls the engine and writes files. It knows
nothing of how a picture is made, and it leaves the exit code to ``cli.py``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ladi.types import Result, Size, TryOnRequest


def add_parser(subparsers: Any) -> None:
    """Describe the ``tryon`` command to argparse."""
    parser = subparsers.add_parser("tryon", help="one person, one garment, one picture or several")
    parser.set_defaults(func=run)
    add = parser.add_argument
    add("person", type=Path, help="photo of the person")
    add("garment", type=Path, help="picture of the garment")
    add("--out", type=Path, required=True, metavar="result.png", help="where the picture goes, a PNG")
    add(
        "--category",
        choices=("auto", "upper_body", "lower_body", "dresses"),
        default="auto",
        help="kind of garment; auto looks at its outline",
    )
    add("--model", default="mini", help="mini, vitonhd, dresscode, or a folder with model_index.json")
    add_running(parser)
    add("--size", metavar="HxW", help="of the network's picture, 256x192 to 1024x768; the model's own")
    add("--seed", type=int, metavar="N", help="0 to 4294967295; drawn and printed, unless given")
    add("--steps", type=int, metavar="N", help="1 to 100; the model's own default, unless given")
    add("--guidance", type=float, metavar="X", help="0 to 30; the model's own default, unless given")
    add("--pictures", type=int, default=1, metavar="N", help="so many pictures: result.png, result-2.png, …")
    add("--no-emasc", action="store_true", help="leave out the skips that keep the photo's fine detail")
    add("--no-pseudo-words", action="store_true", help="describe the garment by its category alone")
    add("--no-warped-garment", action="store_true", help="do not show the fitted garment to the network")
    add(
        "--no-garment-skips", action="store_true", help="leave out the skips that carry the garment's pattern"
    )
    add("--no-pose", action="store_true", help="do not show the joints to the network")
    add(
        "--cloth-cond-rate",
        type=float,
        default=1.0,
        metavar="R",
        help="share of steps, 0 to 1, that see the garment",
    )
    add(
        "--mask-grow",
        type=int,
        default=0,
        metavar="N",
        help="grow the mask by N model pixels (negative: shrink)",
    )
    add(
        "--mask-rule",
        choices=("worn", "published"),
        default="worn",
        help="replace all that is covered, or as published",
    )
    add(
        "--garment-background",
        default="auto",
        metavar="HOW",
        help="auto, keep, embedded, or a local rembg model",
    )
    add("--repaint-all", action="store_true", help="also repaint wall and skin that stay as they are")
    add("--no-fine-detail", action="store_true", help="do not add the garment's fine detail in large photos")
    add(
        "--no-paste-back",
        action="store_true",
        help="write the network's picture instead of the dressed photo",
    )
    add(
        "--feather",
        type=float,
        default=4.0,
        metavar="X",
        help="soft edge inside the mask, 0 to 32 model pixels",
    )
    add(
        "--save-parts",
        type=Path,
        metavar="DIR",
        help="also write mask, pose, fitted garment and the rest there",
    )
    add("--timings", action="store_true", help="print the seconds of each stage")
    add("--quiet", action="store_true", help="print nothing but errors")


def add_running(parser: argparse.ArgumentParser) -> None:
    """Describe where and how a model computes; the page takes the same flags and environment variables."""
    env = os.environ.get
    add = parser.add_argument
    add("--device", default=env("LADI_DEVICE"), help="cuda, mps or cpu (LADI_DEVICE); the best there is")
    add(
        "--precision",
        default=env("LADI_PRECISION", "auto"),
        metavar="P",
        help="auto, fp32, fp16 or bf16 (LADI_PRECISION)",
    )
    add(
        "--low-memory",
        action="store_true",
        default=env("LADI_LOW_MEMORY", "") not in ("", "0"),
        help="slower, with less memory (LADI_LOW_MEMORY)",
    )
    add(
        "--content-filter",
        action="store_true",
        default=env("LADI_CONTENT_FILTER", "") not in ("", "0"),
        help="keep back what a local safety checker refuses (LADI_CONTENT_FILTER)",
    )


def run(options: argparse.Namespace) -> int:
    """The command.

    Returns:
        0; whatever the user can mend is raised as a LadiError.
    """
    check_writable(options.out, (options.person, options.garment))
    from ladi.engine import Engine
    from ladi.preprocess.cleaner import LOCAL_MODELS, model_file
    from ladi.preprocess.frame import save_png
    from ladi.preprocess.record import describe_png
    from ladi.request import check_category, check_request, record
    from ladi.shelf import find_model

    find_model(options.model)
    request = read_request(options)
    check_request(request)
    check_category(request.category, model=options.model)
    engine = Engine.load(
        options.model,
        device=options.device,
        precision=options.precision,
        low_memory=options.low_memory,
        content_filter=options.content_filter,
    )
    if options.garment_background in LOCAL_MODELS and model_file(options.garment_background):
        engine.warm_up(wait=True)
    show = _progress_line() if sys.stderr.isatty() and not options.quiet else None
    result = engine.try_on(request, progress=show)
    if show is not None:
        print(file=sys.stderr)
    paths = name_pictures(options.out, len(result.images))
    if options.save_parts is not None:
        save_parts(result, options.save_parts)
    for index, (pixels, path) in enumerate(zip(result.images, paths, strict=True)):
        save_png(pixels, path, describe_png(record(request, result, model=options.model, picture=index)))
    if not options.quiet:
        report(result, paths, timings=options.timings)
    return 0


def read_request(options: argparse.Namespace) -> TryOnRequest:
    """The two photos and the settings of a command line; raises PhotoError for a file that is no picture."""
    from ladi.preprocess.photo import read_photo
    from ladi.types import Settings, Switches, TryOnRequest

    return TryOnRequest(
        person=read_photo(options.person),
        garment=read_photo(options.garment),
        category=options.category,
        settings=Settings(
            steps=options.steps,
            guidance=options.guidance,
            seed=options.seed,
            pictures=options.pictures,
            switches=Switches(
                emasc=not options.no_emasc,
                pseudo_words=not options.no_pseudo_words,
                warped_garment=not options.no_warped_garment,
                pose=not options.no_pose,
                garment_skips=not options.no_garment_skips,
                cloth_cond_rate=options.cloth_cond_rate,
            ),
            paste_back=not options.no_paste_back,
            fine_detail=not options.no_fine_detail,
            keep_unchanged=not options.repaint_all,
            feather=options.feather,
            size=None if options.size is None else read_size(options.size),
        ),
        mask_grow=options.mask_grow,
        mask_rule=options.mask_rule,
        clean_garment=options.garment_background,
    )


def read_size(text: str) -> Size:
    """``512x384`` as (512, 384).

    Raises:
        SettingError: it is not written so.
    """
    from ladi.types import SettingError

    numbers = text.lower().replace("×", "x").split("x")
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        raise SettingError(f"--size must be height by width, such as 512x384, got {text!r}.")
    return int(numbers[0]), int(numbers[1])


def check_writable(out: Path, inputs: Sequence[Path] = ()) -> None:
    """Refuse a place where the result cannot be written, before any work is done for it.

    Args:
        out: the file to be written.
        inputs: files that it must not replace.

    Raises:
        SettingError: not a PNG's name, a missing or unwritable folder, a folder's name, or one of the inputs.
    """
    from ladi.types import SettingError

    if out.suffix.lower() != ".png":
        raise SettingError(f"The result is a PNG: give --out a name that ends in .png, not {out.name!r}.")
    if out.is_dir():
        raise SettingError(f"--out names a folder, {str(out)!r}: give the name of a file in it.")
    if not out.parent.is_dir():
        raise SettingError(f"The folder {str(out.parent)!r} does not exist: make it, or choose another.")
    if any(out.exists() and source.exists() and out.samefile(source) for source in inputs):
        raise SettingError(f"--out would replace the input {out.name!r}: choose another name.")
    try:
        with tempfile.TemporaryFile(dir=out.parent):
            pass
        if out.exists() and not os.access(out, os.W_OK):
            raise PermissionError(out)
    except OSError as error:
        raise SettingError(f"{str(out)!r} cannot be written: choose another place for --out.") from error


def name_pictures(out: Path, count: int) -> list[Path]:
    """``result.png``, ``result-2.png``, …: one name for each picture."""
    return [out if index == 0 else out.with_stem(f"{out.stem}-{index + 1}") for index in range(count)]


def save_parts(result: Result, folder: Path) -> None:
    """Write what the picture was made of, as PNGs at the model's size.

    Raises:
        SettingError: the folder cannot be made.
    """
    from ladi.preprocess.frame import save_png, to_pixels
    from ladi.types import SettingError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"The folder {str(folder)!r} cannot be made: choose another.") from error
    person, garment, conditions = result.person, result.garment, result.conditions
    parts = {
        "person": person.image,
        "mask": person.mask * 2 - 1,
        "masked-person": person.masked_image,
        "pose": person.pose_map.amax(dim=1, keepdim=True) * 2 - 1,
        "garment": garment.image,
        "garment-matte": garment.matte * 2 - 1,
        "garment-coarse": conditions.coarse_garment,
        "garment-fitted": conditions.warped_garment,
    }
    parts |= {f"generated-{index + 1}": picture[None] for index, picture in enumerate(result.generated)}
    for name, tensor in parts.items():
        if tensor is not None:
            save_png(to_pixels(tensor[:1].expand(-1, 3, -1, -1)), folder / f"{name}.png")


def report(result: Result, paths: Sequence[Path], *, timings: bool) -> None:
    """Say what was written (stdout) and what is worth knowing about the pictures (stderr)."""
    from ladi.request import DECODED

    for finding in result.findings:
        label = "note" if finding.code == DECODED else "warning"
        print(f"{label}: {finding.message}", file=sys.stderr)
    made = f"{result.steps} steps, guidance {result.guidance:g}, {result.person.category}"
    guessed = " (guessed)" if result.garment.guessed else ""
    for index, path in enumerate(paths):
        print(f"{path}  seed {result.seed + index}, {made}{guessed}, {result.person.parser} parser")
    if timings:
        for stage, seconds in result.timings.items():
            print(f"{stage:>12}  {seconds:7.2f} s")
        print(f"{'total':>12}  {sum(result.timings.values()):7.2f} s")


def _progress_line() -> Callable[[str, float], None]:
    def show(stage: str, done: float) -> None:
        print(f"\r{stage:<12} {done:4.0%}", end="", file=sys.stderr, flush=True)

    return show
