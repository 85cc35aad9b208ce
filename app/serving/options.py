"""Every setting of the server: a flag, and an environment variable for its default.

It reads and checks words. What they do stands in ``hosting.py`` and ``app/main.py``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.files import DISK_MEGABYTES
from ladi.commands.flags import add_running, cores, switched_on
from ladi.commands.main import SentenceParser
from ladi.runtime.content import NETWORKS
from ladi.scale.cluster import LOCAL, MOST_ENGINES, Bounds
from ladi.setting_row import NO, YES
from ladi.types import SettingError

KEEP_MINUTES, QUEUE_SIZE, PUBLIC_VISITOR_LIMIT = 30, 32, 2
AUTO = "auto"


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line and the environment.

    Args:
        arguments: the command line's words; ``None`` takes the process's own.

    Returns:
        One attribute for each flag; ``auth`` is a list of (user, password), or None for a page that is open
        to all.
    """
    try:
        parser = build_parser()
    except SettingError as error:  # a variable that says neither yes nor no
        SentenceParser(prog="python app.py").error(str(error).removesuffix("."))
    options = parser.parse_args(arguments)
    try:
        options.auth = read_users(options)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if options.mcp and options.auth:
        parser.error("MCP has no logins: leave out --mcp, or --auth")
    if options.public:
        options.host = options.host or "0.0.0.0"
        if options.visitor_limit is None:
            options.visitor_limit = PUBLIC_VISITOR_LIMIT
        options.content_filter = options.content_filter or NETWORKS[0]
    return options


def build_parser() -> argparse.ArgumentParser:
    """The flags; each names its environment variable in its help."""
    parser = SentenceParser(
        prog="python app.py",
        description="Serve the try-on page. Every flag's default comes from the environment variable in "
        "brackets; a switch is on for yes, true, on or 1, and off for no, false, off, 0 or nothing.",
    )
    _add_serving(parser.add_argument_group("where it is served, and to whom"))
    _add_sharing(parser.add_argument_group("how it is shared among visitors"))
    model = parser.add_argument_group("what it paints with")
    model.add_argument(
        "--model",
        default=os.environ.get("LADI_MODEL"),
        help="name or folder of a model (LADI_MODEL); a full-size one where it is installed and a GPU is "
        "there, else mini, the embedded one",
    )
    add_running(model)
    model.add_argument(
        "--fast-previews",
        action="store_true",
        default=switched_on("LADI_FAST_PREVIEWS"),
        help="decode previews of full-size models with TAESD (LADI_FAST_PREVIEWS)",
    )
    _add_cluster(parser.add_argument_group("on a cluster, by Ray (pip install -r requirements-scale.txt)"))
    return parser


def _add_serving(group: argparse._ArgumentGroup) -> None:
    env, add = os.environ.get, group.add_argument
    add(
        "--host",
        default=env("LADI_HOST"),
        help="address to listen on (LADI_HOST); 127.0.0.1, this machine alone, unless given",
    )
    add("--port", type=_port, default=env("LADI_PORT"), help="port (LADI_PORT); the first free from 7860")
    add(
        "--root-path",
        metavar="PATH",
        default=env("LADI_ROOT_PATH"),
        help="path or whole address under which a proxy serves the page, such as /tryon (LADI_ROOT_PATH)",
    )
    add(
        "--share",
        action="store_true",
        default=switched_on("LADI_SHARE"),
        help="also through a public address of Gradio's, for a week (LADI_SHARE)",
    )
    add(
        "--public",
        action="store_true",
        # A Space is public, whoever has made it.
        default=switched_on("LADI_PUBLIC") or bool(os.environ.get("SPACE_ID")),
        help=f"for strangers: --host 0.0.0.0, --visitor-limit {PUBLIC_VISITOR_LIMIT} and --content-filter, "
        "unless given "
        "(LADI_PUBLIC; on in a Space)",
    )
    add(
        "--auth",
        action="append",
        metavar="USER:PASSWORD",
        help="let in this user; may be repeated (LADI_AUTH, a line for each); others of this machine can see "
        "a command line, but not a file",
    )
    add(
        "--auth-file",
        type=Path,
        metavar="FILE",
        default=env("LADI_AUTH_FILE"),
        help="let in these users: a line user:password for each (LADI_AUTH_FILE)",
    )
    add(
        "--mcp",
        action="store_true",
        default=switched_on("LADI_MCP"),
        help="also serve the named endpoints as tools for language models, by MCP (LADI_MCP); not "
        "with --auth",
    )


def _add_sharing(group: argparse._ArgumentGroup) -> None:
    env, add = os.environ.get, group.add_argument
    add(
        "--queue-size",
        type=_from_one,
        metavar="N",
        default=env("LADI_QUEUE_SIZE", str(QUEUE_SIZE)),
        help=f"how many requests may wait; more are told to come back (LADI_QUEUE_SIZE; {QUEUE_SIZE})",
    )
    add(
        "--visitor-limit",
        type=_from_one,
        metavar="N",
        default=env("LADI_VISITOR_LIMIT"),
        help="how many requests of one visitor may wait or run at once (LADI_VISITOR_LIMIT); any number, "
        "unless given",
    )
    add(
        "--disk-limit",
        type=_from_one,
        metavar="MB",
        default=env("LADI_DISK_LIMIT", str(DISK_MEGABYTES)),
        help="megabytes that all uploads and results may take together; more are told to come back "
        f"(LADI_DISK_LIMIT; {DISK_MEGABYTES})",
    )
    add(
        "--keep-minutes",
        type=_from_one,
        metavar="N",
        default=env("LADI_KEEP_MINUTES", str(KEEP_MINUTES)),
        help=f"minutes after which pictures are deleted (LADI_KEEP_MINUTES; {KEEP_MINUTES})",
    )


def _add_cluster(group: argparse._ArgumentGroup) -> None:
    env, add = os.environ.get, group.add_argument
    add(
        "--ray",
        nargs="?",
        const=LOCAL,
        type=_address,
        metavar="ADDRESS",
        default=env("LADI_RAY") or None,
        help="paint on a Ray cluster: auto for the one that this machine belongs to, or its host:port; on "
        "the processors or GPUs of this machine where none is named (LADI_RAY; local for the latter)",
    )
    add(
        "--engines",
        type=_engines,
        metavar="N",
        default=env("LADI_ENGINES") or AUTO,
        help="up to so many engines, as people wait; 2-8 for at least two and up to eight; auto, as many as "
        "the cluster holds, unless given (LADI_ENGINES)",
    )
    add(
        "--cpus-per-engine",
        type=cores,
        metavar="N",
        default=env("LADI_CPUS_PER_ENGINE") or "1",
        help="cores of each where there are no GPUs (LADI_CPUS_PER_ENGINE; 1); with GPUs, each has one",
    )


def read_users(options: argparse.Namespace) -> list[tuple[str, str]] | None:
    """Users and passwords of ``--auth`` and ``--auth-file``, or of their variables.

    Returns:
        None where none are named.

    Raises:
        ValueError: a line is not user:password, a user comes twice, or a file that is named holds none.
        OSError: the file cannot be read.
    """
    lines = list(options.auth or os.environ.get("LADI_AUTH", "").splitlines())
    if options.auth_file is not None:
        lines += options.auth_file.read_text("utf-8").splitlines()
    users = list(_split_users(line.strip() for line in lines))
    if options.auth_file is not None and not users:
        raise ValueError(f"{options.auth_file.name} names no user: write a line user:password for each")
    if len({user for user, _ in users}) != len(users):
        raise ValueError("a user is named twice in --auth and --auth-file")
    return users or None


def _split_users(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        if not line or line.startswith("#"):
            continue
        user, colon, password = line.partition(":")
        if not (user and colon and password):
            raise ValueError("--auth must be user:password, with a colon between them")  # never quote it
        yield user, password


def _port(text: str) -> int:
    """A port's number, for argparse."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, got {text!r}")
    return int(text)


def _from_one(text: str) -> int:
    """A count, for argparse."""
    if not text.isdecimal() or not 0 < int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"a whole number from 1 is needed, got {text!r}")
    return int(text)


def _address(text: str) -> str | None:
    """Where a cluster is, for argparse; a variable may also say yes, for one of this machine, or no."""
    word = text.strip().lower()
    return None if word in NO else LOCAL if word in YES else text.strip()


def _engines(text: str) -> Bounds:
    """How many engines there are to be, for argparse."""
    if text == AUTO:
        return Bounds()
    least, dash, most = text.partition("-")
    if not dash:
        least, most = "1", text
    numbers = [int(word) if word.isdecimal() else 0 for word in (least, most)]
    if not 0 < numbers[0] <= numbers[1] <= MOST_ENGINES:
        raise argparse.ArgumentTypeError(
            f"must be auto, a number from 1 to {MOST_ENGINES}, or two such as 2-8, got {text!r}"
        )
    return Bounds(*numbers)
