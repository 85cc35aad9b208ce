"""Serve the page: options → engine → page → launch.

The model loads in the background, so that the page is there at once; whoever is quicker than it waits.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from app.serving.options import parse

if TYPE_CHECKING:
    from app.serving.hosting import Readiness
    from app.serving.privacy import PictureFolder
    from ladi.scale.fleet import Fleet
    from ladi.shelf import Shelf

LOGGER = logging.getLogger("app")

MOST_AT_ONCE = 32
"""Requests at work, however many engines there are: Gradio runs 40 events at a time."""


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
    from app.serving.hosting import prepare_zero_gpu
    from app.serving.privacy import PictureFolder, configure_logging

    prepare_zero_gpu()
    pictures = PictureFolder(60 * options.keep_minutes)
    configure_logging(pictures.path)
    from app.files import DISK_LIMIT
    from ladi.types import LadiError

    os.environ[DISK_LIMIT] = str(options.disk_limit)
    try:
        with engines_of(options) as engines:
            serve(options, engines, pictures)
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


@dataclass(frozen=True)
class Engines:
    """Where the page's engines come from."""

    load: Callable[[str], Any]
    """Makes the one of a model."""
    fleet: Fleet | None = None
    """They are its replicas, if anything."""

    @property
    def at_once(self) -> int:
        """How many requests may be at work just now."""
        return 1 if self.fleet is None else min(self.fleet.most, MOST_AT_ONCE)


@contextmanager
def engines_of(options: argparse.Namespace) -> Iterator[Engines]:
    """Engines of this process, or of a cluster; the latter's end with the page.

    Raises:
        SettingError: there is no such cluster, device or precision, or no room for an engine.
    """
    from ladi.commands.flags import running_of

    remember = 60 * options.keep_minutes
    how = {**running_of(options), "fast_previews": options.fast_previews, "remember": remember}
    if options.ray is None:
        from ladi.engine import Engine

        yield Engines(partial(Engine.load, **how))
        return
    from ladi.scale.cluster import connected
    from ladi.scale.fleet import Fleet, load_engine

    with connected(options.ray) as ray:
        fleet = Fleet(
            ray,
            lambda name: partial(load_engine, model=name, running=how),
            options.engines,
            cpus=options.cpus_per_engine,
        )
        try:
            yield Engines(fleet.engine, fleet)
        finally:
            fleet.close()


def serve(options: argparse.Namespace, engines: Engines, pictures: PictureFolder) -> None:
    """Build the page, serve it, and wait until it is interrupted; errors are ``main``'s."""
    from app.fields import Defaults
    from app.page import build_page
    from app.serving.hosting import Readiness, default_model, launch_page, on_zero_gpu
    from app.serving.visitors import let_through
    from app.theme import looks
    from app.tryon.handlers import Handlers
    from ladi.runtime.devices import choose_running
    from ladi.runtime.loading import is_large
    from ladi.shelf import Shelf
    from ladi.weights.catalog import find_model, installed_models, model_to_open, sampling_defaults

    fleet = engines.fleet
    gpus = None if fleet is None else fleet.share.gpus
    model, notice = model_to_open(options.model or default_model(options.device, gpus=gpus))
    if notice:
        LOGGER.warning("%s", notice)
    steps, guidance = sampling_defaults(find_model(model))
    if fleet is None:
        choose_running(options.device, options.precision, large=is_large(model))
    names = tuple(dict.fromkeys([model, *installed_models()]))
    shelf, readiness = Shelf(names, engines.load), Readiness(model)
    threads = 1 if fleet is None else MOST_AT_ONCE  # begun as they are needed: a cluster may grow
    page = build_page(
        Handlers(shelf.get, default_model=model, models=names, at_once=threads),
        Defaults(steps, guidance, models=names, notice=notice, keep_minutes=options.keep_minutes),
    )
    if on_zero_gpu():  # calls run in copies of this process: what is loaded before is there in all
        for name in names:
            warm_up(shelf, Readiness(name))
    launch_page(page, options, readiness, pictures, **looks())
    let_through(page, engines.at_once)
    if fleet is not None:
        fleet.watch(lambda _: let_through(page, engines.at_once))
    threading.Thread(target=warm_up, args=(shelf, readiness), name="warm-up", daemon=True).start()
    page.block_thread()


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
