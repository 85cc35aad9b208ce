"""Serve the page: options → engine → page → launch.

The model loads in the background, so that the page is there at once; whoever is quicker than it waits.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from app.serving.options import parse

if TYPE_CHECKING:
    from app.serving.hosting import Readiness
    from ladi.shelf import Shelf


LOGGER = logging.getLogger("app")


def start() -> NoReturn:
    """What ``python app.py`` does; it ends the process itself."""
    # What stops a container; by default it would end the process before its pictures are deleted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    code: Any = 1
    try:
        code = main()
    except SystemExit as ended:
        code = ended.code
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    if isinstance(code, str):  # as sys.exit does
        print(code, file=sys.stderr)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not by returning: Python would take the networks down under threads that still compute, which ends in
    # "terminate called", or wait for them.
    os._exit(code if isinstance(code, int) else int(code is not None))


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted.

    Args:
        arguments: the command line's words; ``None`` takes the process's own.

    Returns:
        0, or 2 for something the user can mend, with a sentence on stderr.
    """
    options = parse(arguments)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from app.serving.hosting import Readiness, default_model, launch_page, on_zero_gpu, prepare_zero_gpu
    from app.serving.privacy import PictureFolder, configure_logging

    prepare_zero_gpu()
    pictures = PictureFolder(60 * options.keep_minutes)
    configure_logging(pictures.path)
    from app.fields import Defaults
    from app.files import DISK_LIMIT
    from app.page import build_page
    from app.theme import looks
    from app.tryon.handlers import Handlers
    from ladi.commands.flags import running_of
    from ladi.engine import Engine
    from ladi.runtime.devices import choose_running
    from ladi.runtime.loading import is_large
    from ladi.shelf import Shelf
    from ladi.types import LadiError
    from ladi.weights.catalog import find_model, installed_models, model_to_open, sampling_defaults

    os.environ[DISK_LIMIT] = str(options.disk_limit)
    try:
        model, notice = model_to_open(options.model or default_model(options.device))
        if notice:
            LOGGER.warning("%s", notice)
        steps, guidance = sampling_defaults(find_model(model))
        choose_running(options.device, options.precision, large=is_large(model))
        load = partial(
            Engine.load,
            **running_of(options),
            fast_previews=options.fast_previews,
            remember=60 * options.keep_minutes,
        )
        names = tuple(dict.fromkeys([model, *installed_models()]))
        shelf, readiness = Shelf(names, load), Readiness(model)
        page = build_page(
            Handlers(shelf.get, default_model=model, models=names),
            Defaults(steps, guidance, models=names, notice=notice, keep_minutes=options.keep_minutes),
        )
        if on_zero_gpu():  # calls run in copies of this process: what is loaded before is there in all
            for name in names:
                warm_up(shelf, Readiness(name))
        launch_page(page, options, readiness, pictures, **looks())
        threading.Thread(target=warm_up, args=(shelf, readiness), name="warm-up", daemon=True).start()
        page.block_thread()
    except LadiError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError:  # so Gradio says that it cannot listen there
        place = f"{options.host or 'this machine'}, port {options.port or '7860 to 7959'}"
        print(f"The page cannot be served at {place}: choose another --host or --port.", file=sys.stderr)
        return 2
    finally:
        pictures.close()
    return 0


def warm_up(shelf: Shelf, readiness: Readiness) -> None:
    """Load the model, then what makes later requests better; nobody waits for the latter."""
    from ladi.types import LadiError

    try:
        engine = shelf.get(readiness.model)
        readiness.state = "ready"
        engine.warm_up()
    except LadiError as error:
        readiness.state = "failed"
        LOGGER.error("%s", error)
