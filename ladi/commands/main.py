"""The way in to every command, as in ``python -m ladi tryon person.jpg garment.jpg --out result.png``.

It collects the commands and sets exit codes: whatever the user can mend ends with code 2 and one sentence on
stderr, and Ctrl-C with 130 and one. What a command does stands in the file of its name.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

EXIT_REFUSED = 2
EXIT_SIGNAL = 128
"""A process that a signal ended has this plus the signal's number."""

COMMANDS = {
    "tryon": "one person, one garment, one picture or several",
    "batch": "many pairs, from a table, into a folder",
    "download": "fetch a published model and convert it",
    "convert": "published files into a model folder",
    "check": "look a model folder or a data set over",
    "prepare": "your own photos into a data set",
    "train": "train the networks",
    "evaluate": "measure a model on validation pairs",
}
"""Each command's line in the help. The module of its name has an ``add_parser(subparsers)`` that sets
``func``, and is imported only when its command is asked for, so that ``tryon`` starts fast."""

GOES_ON = dict.fromkeys(
    ("batch", "download", "prepare", "evaluate"), "the same command goes on where this one was"
) | {"train": "the same command with --resume goes on from the last checkpoint"}
"""Commands that keep what they have done, and what is said of it where they are interrupted."""


class SentenceParser(argparse.ArgumentParser):
    """argparse, but with one sentence on stderr instead of the usage and a line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and exit."""
        sys.stderr.write(f"{message[:1].upper()}{message[1:]}; see `{self.prog} --help`.\n")
        sys.exit(EXIT_REFUSED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what stands after ``python -m ladi``; ``None`` takes the process's own.

    Returns:
        0, 2 for something the user can mend, 130 when interrupted and 143 when told to end, each with a
        sentence on stderr; 1 is for a command that did a part of its work, as ``batch`` may.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    print_anywhere()
    try:
        return _run(words)
    except KeyboardInterrupt as interrupted:
        return _say_stopped(words[:1], interrupted)


def start() -> NoReturn:
    """The process of ``python -m ladi``; ends it."""
    code = main()
    if code > EXIT_SIGNAL:
        # All that had to be cleaned up has been. Taking libraries and threads down would take seconds, in
        # which whoever presses Ctrl-C once more gets a traceback.
        logging.shutdown()
        with contextlib.suppress(OSError):  # nobody reads any more
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _run(words: list[str]) -> int:
    """One command, with what the user can mend said in a sentence; gives the exit code."""
    from ladi.types import LadiError

    try:
        # Within, because a command's own libraries, which take seconds, are loaded here.
        options = build_parser(words[:1]).parse_args(words)
        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        if options.command != "tryon":
            # Which reports by itself; the long commands tell by their log how far they are.
            logging.getLogger("ladi").setLevel(logging.INFO)
        return int(options.func(options))
    except LadiError as error:
        print(error, file=sys.stderr)
        return EXIT_REFUSED
    except OSError as error:
        if error.filename is None:
            raise
        print(f"{error.filename} cannot be read or written ({error.strerror}).", file=sys.stderr)
        return EXIT_REFUSED


def _say_stopped(command: Sequence[str], interrupted: KeyboardInterrupt) -> int:
    """Say what becomes of the work that was interrupted; gives the exit code."""
    from ladi.progress import Interrupted

    if sys.stderr.isatty():  # where the line begins with what was reported on it, and with ^C
        print(file=sys.stderr)
    name = next(iter(command), "")
    told = [str(interrupted), GOES_ON.get(name, "nothing half-made is left")]
    print(f"Stopped: {'; '.join(filter(None, told))}.", file=sys.stderr)
    return EXIT_SIGNAL + (interrupted.signal if isinstance(interrupted, Interrupted) else signal.SIGINT)


def print_anywhere() -> None:
    """Let names be printed whose letters the console's encoding lacks: as codes, behind backslashes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def build_parser(command: Sequence[str] = ()) -> argparse.ArgumentParser:
    """All commands by name; only the one in ``command`` gets its options."""
    parser = SentenceParser(prog="python -m ladi", description="Virtual try-on by latent diffusion.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, description in COMMANDS.items():
        if name in command:
            importlib.import_module(f"ladi.commands.{name}").add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=description)
    return parser
