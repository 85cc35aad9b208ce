"""The cluster: found or started, and how many engines it holds.

Ray is imported here and nowhere above: it is optional, and takes a second.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ladi.types import SettingError

LOCAL = "local"
"""The address that starts a cluster of this machine alone."""
KNOCK_SECONDS = 5.0
MOST_ENGINES = 1000
STORE_BYTES = 1 << 30
"""Memory for what travels between the processes of such a cluster."""


@dataclass(frozen=True)
class Share:
    """What of a machine one engine takes."""

    cpus: float
    gpus: float

    def fits(self, resources: Mapping[str, float]) -> int:
        """How many of these a machine, or a cluster, holds."""
        counts = [resources.get(kind, 0.0) / each for kind, each in self.needs.items() if each]
        return math.floor(min(counts, default=0))

    @property
    def needs(self) -> dict[str, float]:
        """By Ray's names."""
        return {"CPU": self.cpus, "GPU": self.gpus}


@dataclass(frozen=True)
class Bounds:
    """How few and how many engines there are to be."""

    least: int = 1
    most: int | None = None
    """As many as the cluster holds, unless given."""


SERVING = {
    "RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",  # who waits is told, not every 10 s
    "RAY_SERVE_QUEUE_LENGTH_RESPONSE_DEADLINE_S": "1",  # one that computes is late
}
"""What Serve reads as it is imported."""


def find_ray() -> Any:
    """The package.

    Raises:
        SettingError: it is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        raise SettingError(
            "--ray needs one more package: get it by `pip install -r requirements-scale.txt`, or leave "
            "it out."
        )
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")  # only where it is told to, and not after the end
    return importlib.import_module("ray")


def find_serve() -> Any:
    """Ray's part that keeps replicas of an engine.

    Raises:
        SettingError: it, or a package that it needs, is not installed.
    """
    for name, value in SERVING.items():
        os.environ.setdefault(name, value)
    try:
        return importlib.import_module("ray.serve")
    except ImportError as error:
        raise SettingError(
            "--ray needs the packages of Ray Serve too: get them by `pip install -r requirements-scale.txt`, "
            "or leave it out."
        ) from error


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, connected to a cluster; one that was started for this is gone afterwards.

    Args:
        address: ``local``, ``auto`` for the cluster that this machine belongs to, or its ``host:port``.

    Raises:
        SettingError: Ray is not installed, or there is no such cluster.
    """
    ray = find_ray()
    _knock(address)
    own: dict[str, Any] = {}
    if address == LOCAL:
        # Photos stay in memory: Ray would otherwise write to the disk what its store has no room for.
        settings = {"automatic_object_spilling_enabled": False}
        own = {"object_store_memory": STORE_BYTES, "_system_config": settings}
    ended = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address, include_dashboard=False if own else None, **own)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise SettingError(f"There is no Ray cluster at {address!r} that can be used: {reason}") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, ended)  # Ray has put its own there
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises SettingError where a ``host:port`` does not answer: Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or "://" in address:
        return
    try:
        socket.create_connection((host, int(port)), KNOCK_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise SettingError(f"There is no Ray cluster at {address!r}: nothing answers there.") from error


def share_of(ray: Any, cpus: float) -> Share:
    """What an engine takes: a GPU where the cluster has any, else so many cores."""
    gpus = ray.cluster_resources().get("GPU", 0.0)
    return Share(min(cpus, 1.0) if gpus else cpus, 1.0 if gpus else 0.0)


def count_engines(ray: Any, share: Share, wanted: int | None) -> int:
    """How many engines there are to be at the moment: as many as fit, or as are wanted if that is fewer."""
    fit = sum(share.fits(node["Resources"]) for node in ray.nodes() if node["Alive"])
    return fit if wanted is None else min(fit, wanted)


def check_room(ray: Any, share: Share, least: int = 1) -> None:
    """Raises SettingError unless the cluster has room for so many engines."""
    fit = count_engines(ray, share, None)
    if fit >= least:
        return
    needs = "a GPU" if share.gpus else f"{share.cpus:g} cores"
    if not fit:
        raise SettingError(f"The cluster has no machine with {needs} for an engine: give it a larger one.")
    raise SettingError(
        f"The cluster has room for {fit} engines with {needs} each, not for {least}: ask for fewer, or give "
        "it more machines."
    )
