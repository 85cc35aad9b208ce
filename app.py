"""Serve the page: flags → engine → page → launch.

The model loads in the background, so that the page is there at once; whoever is quicker than it waits.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ladi.flags import add_running

if TYPE_CHECKING:
    from ladi.shelf import Shelf

LOGGER = logging.getLogger("app")

UPLOAD_LIMIT = "100mb"
"""Of one file; 50 megapixels, the most that is read, are far smaller in any usual format."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted.

    Args:
        arguments: the command line's words; ``None`` takes the process's own.

    Returns:
        0, or 2 for something the user can mend, with a sentence on stderr.
    """
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "absl"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

    from app.handlers import Handlers
    from app.page import Defaults, build_page
    from app.theme import CSS, build_theme
    from ladi.devices import choose_running
    from ladi.engine import Engine
    from ladi.shelf import Shelf, find_model, installed_models, is_large, model_to_open, sampling_defaults
    from ladi.types import LadiError

    try:
        options.model, notice = model_to_open(options.model)
        if notice:
            LOGGER.warning("%s", notice)
        steps, guidance = sampling_defaults(find_model(options.model))
        how = {name: getattr(options, name) for name in ("device", "precision", "low_memory")}
        extras = {name: getattr(options, name) for name in ("content_filter", "fast_previews")}
        choose_running(**how, large=is_large(options.model))
        names = tuple(dict.fromkeys([options.model, *installed_models()]))
        shelf = Shelf(names, partial(Engine.load, **how, **extras))
        page = build_page(
            Handlers(shelf.get, default_model=options.model),
            Defaults(steps, guidance, models=names, notice=notice),
        )
        page.launch(
            server_name=options.host,
            server_port=options.port,
            share=options.share,
            theme=build_theme(),
            css=CSS,
            max_file_size=UPLOAD_LIMIT,
            footer_links=["api"],
            run_history=False,  # it would keep people's photos in the browser
            ssr_mode=False,
            prevent_thread_lock=True,
        )
    except LadiError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError:  # so Gradio says that it cannot listen there
        place = f"{options.host or 'this machine'}, port {options.port or '7860 to 7959'}"
        print(f"The page cannot be served at {place}: choose another --host or --port.", file=sys.stderr)
        return 2
    threading.Thread(target=warm_up, args=(shelf, options.model), name="warm-up", daemon=True).start()
    page.block_thread()
    return 0


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags, each with an environment variable for its default."""
    env = os.environ.get
    parser = argparse.ArgumentParser(prog="python app.py", description="Serve the try-on page.")
    add = parser.add_argument
    add("--host", default=env("LADI_HOST"), help="address to listen on (LADI_HOST); 127.0.0.1 unless given")
    add("--port", type=_port, default=env("LADI_PORT"), help="port (LADI_PORT); the first free one from 7860")
    add("--share", action="store_true", default=env("LADI_SHARE", "") not in ("", "0"))
    add("--model", default=env("LADI_MODEL", "mini"), help="name or folder of a model (LADI_MODEL)")
    add_running(parser)
    add(
        "--fast-previews",
        action="store_true",
        default=env("LADI_FAST_PREVIEWS", "") not in ("", "0"),
        help="decode previews of full-size models with TAESD (LADI_FAST_PREVIEWS)",
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    """A port's number, for argparse."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, got {text!r}")
    return int(text)


def warm_up(shelf: Shelf, model: str) -> None:
    """Load the model, then what makes later requests better; nobody waits for the latter."""
    from ladi.types import LadiError

    try:
        shelf.get(model).warm_up()
    except LadiError as error:
        LOGGER.error("%s", error)


if __name__ == "__main__":
    sys.exit(main())
