"""The command ``tryon``: two files in, a picture out, and what it was made of where that is asked for.

It checks where the result will go before anything is computed, calls the engine and writes files. It knows
nothing of how a picture is made, and it leaves the exit code to ``main.py``.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ladi.commands.flags import add_model, add_running, add_settings, running_of, settings_of
from ladi.postprocess.png import name_pictures

if TYPE_CHECKING:
    from ladi.settings import TryOnRequest
    from ladi.types import Result


def add_parser(subparsers: Any) -> None:
    """Describe the ``tryon`` command to argparse."""
    parser = subparsers.add_parser("tryon", help="one person, one garment, one picture or several")
    parser.set_defaults(func=run)
    add = parser.add_argument
    add("person", type=Path, help="photo of the person")
    add("garment", type=Path, help="picture of the garment")
    add("--out", type=Path, required=True, metavar="result.png", help="where the picture goes, a PNG")
    add(
        "--mask",
        type=Path,
        metavar="FILE",
        help="repaint this instead: a picture over the photo, bright, or opaque where it has transparency",
    )
    add_model(parser)
    add_running(parser)
    add_settings(parser)
    add(
        "--save-parts",
        type=Path,
        metavar="DIR",
        help="also write mask, pose, fitted garment and the rest there",
    )
    add("--timings", action="store_true", help="print the seconds of each stage")
    add("--quiet", action="store_true", help="print nothing but errors")


def run(options: argparse.Namespace) -> int:
    """The command.

    Returns:
        0; whatever the user can mend is raised as a LadiError.
    """
    check_writable(options.out, [path for path in (options.person, options.garment, options.mask) if path])
    from ladi.postprocess.png import describe_png, save_png
    from ladi.records import record
    from ladi.settings import check_request
    from ladi.weights.catalog import check_category, find_model

    find_model(options.model)
    request = read_request(options)
    check_request(request)
    check_category(request.category, model=options.model)
    if options.save_parts is not None:
        make_parts_folder(options.save_parts)
    # Not before: they take ten seconds, for which nobody should wait to be refused.
    from ladi.engine import Engine
    from ladi.preprocess.cleaner import LOCAL_MODELS, model_file

    engine = Engine.load(options.model, **running_of(options))
    if options.clean_garment in LOCAL_MODELS and model_file(options.clean_garment):
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
    from ladi.preprocess.given_mask import read_mask
    from ladi.preprocess.photo import read_photo
    from ladi.records import request_of

    person = read_photo(options.person)
    mask = None if options.mask is None else read_mask(options.mask, person.size)
    return request_of(person, read_photo(options.garment), settings_of(options) | {"mask": mask})


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
    try:
        if out.is_dir():
            raise SettingError(f"--out names a folder, {str(out)!r}: give the name of a file in it.")
        if not out.parent.is_dir():
            raise SettingError(f"The folder {str(out.parent)!r} does not exist: make it, or choose another.")
        if any(out.exists() and source.exists() and out.samefile(source) for source in inputs):
            raise SettingError(f"--out would replace the input {out.name!r}: choose another name.")
        # With as much around the name as it has while it is written, and when it is one of several.
        with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.stem}-8.png.", suffix=".part"):
            pass
        if out.exists() and not os.access(out, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except UnicodeError:
        raise SettingError(
            "The name in --out has letters that this system's encoding lacks: choose a plainer one."
        ) from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise SettingError(
                f"The name in --out is too long ({len(out.name)} letters): shorten it."
            ) from None
        raise SettingError(f"{str(out)!r} cannot be written: choose another place for --out.") from error


def make_parts_folder(folder: Path) -> None:
    """Make the folder of ``--save-parts``, unless it is there.

    Raises:
        SettingError: it cannot be made.
    """
    from ladi.types import SettingError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, UnicodeError) as error:
        raise SettingError(f"The folder {str(folder)[:80]!r} cannot be made: choose another.") from error


def save_parts(result: Result, folder: Path) -> None:
    """Write what the picture was made of, as PNGs at the model's size, into a folder that is there.

    The first picture's layers are larger, up to the photo's own size, and have an alpha channel.
    """
    from ladi.postprocess.png import save_png
    from ladi.preprocess.frame import to_pixels

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
    if result.cut_outs is not None:
        for layer, pixels in result.cut_outs().items():
            save_png(pixels, folder / f"layer-{layer}.png")


def report(result: Result, paths: Sequence[Path], *, timings: bool) -> None:
    """Say what was written (stdout) and what is worth knowing about the pictures (stderr)."""
    from ladi.settings import NOTE_CODE, picture_seed

    for finding in result.findings:
        label = "note" if finding.code == NOTE_CODE else "warning"
        print(f"{label}: {finding.message}", file=sys.stderr)
    made = f"{result.steps} steps, guidance {result.guidance:g}, {result.person.category}"
    guessed = " (guessed)" if result.garment.guessed else ""
    for index, path in enumerate(paths):
        print(
            f"{path}  seed {picture_seed(result.seed, index)}, {made}{guessed}, {result.person.parser} parser"
        )
    if timings:
        for stage, seconds in result.timings.items():
            print(f"{stage:>12}  {seconds:7.2f} s")
        print(f"{'total':>12}  {sum(result.timings.values()):7.2f} s")


def _progress_line() -> Callable[[str, float], None]:
    def show(stage: str, done: float) -> None:
        print(f"\r{stage:<12} {done:4.0%}", end="", file=sys.stderr, flush=True)

    return show
