"""The engines of a page on a cluster: replicas of Ray Serve, more or fewer of them as people wait.

Serve places the replicas, counts who waits and runs, starts and ends replicas between two bounds, replaces
those that die, and knows which one remembers what. Its HTTP server stays off: the page alone calls them.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from ladi.scale.cluster import MOST_ENGINES, Bounds, Share, check_room, count_engines, find_serve, share_of
from ladi.scale.remote import RemoteEngine
from ladi.scale.replica import EngineReplica, Load
from ladi.types import LadiError, ModelError
from ladi.weights.catalog import find_model, sampling_defaults

LOGGER = logging.getLogger(__name__)

PATIENCE = 600.0
"""Seconds for which the first replica of a model is waited for."""
LOOK_EVERY = 5.0
"""Seconds after which it is looked whether the cluster has grown or shrunk."""
UPSCALE_AFTER, DOWNSCALE_AFTER = 2.0, 120.0
"""Seconds for which more, or fewer, replicas must have been wanted: loading one takes several."""
HEALTH_EVERY = 2.0
GRACE = 120.0
"""Seconds in which a replica that is not needed any more may finish its picture."""
QUIET = {"enable_access_log": False, "log_level": "WARNING"}


class Fleet:
    """Replicas of any number of models, on one cluster."""

    def __init__(
        self,
        ray: Any,
        load_of: Callable[[str], Load],
        bounds: Bounds | None = None,
        *,
        cpus: float = 1.0,
    ) -> None:
        """Start with no model.

        Args:
            ray: connected.
            load_of: from a model's name to what loads its engine.
            bounds: of each model's replicas.
            cpus: cores of each, where there are no GPUs.

        Raises:
            SettingError: the cluster has no room for the least of them, or Serve is not installed.
        """
        self._ray, self._serve = ray, find_serve()
        self._load_of = load_of
        self._bounds = bounds or Bounds()
        self.share: Share = share_of(ray, cpus)
        check_room(ray, self.share, self._bounds.least)
        self.most = count_engines(ray, self.share, self._bounds.most)
        self._prefix = f"ladi-page-{secrets.token_hex(4)}-"
        self._handles: dict[str, Any] = {}
        self._over = threading.Event()
        self._serve.start(proxy_location="Disabled", logging_config=QUIET)
        logging.getLogger("ray.serve").setLevel(logging.ERROR)  # of each replica, two lines

    def engine(self, name: str) -> RemoteEngine:
        """Start a model's replicas, and wait for the first.

        Args:
            name: of the model.

        Raises:
            ModelError: it cannot be loaded, or there is no room for it.
        """
        handle = self._deploy(name)
        self._handles[name] = handle
        try:
            self._wait_for(name)
            problem = handle.problem.remote().result(timeout_s=PATIENCE)
            if problem is not None:
                raise problem
        except LadiError:
            self._end(name)
            raise
        return RemoteEngine(self._ray, handle, name, sampling_defaults(find_model(name)))

    def _deploy(self, name: str) -> Any:
        """Have Serve see to a model's replicas; the handle to them."""
        scaling = {
            "min_replicas": self._bounds.least,
            # Where no bound was given, the cluster is one, and so is what the page sends at once.
            "max_replicas": self._bounds.most or MOST_ENGINES,
            "target_ongoing_requests": 1,
            "metrics_interval_s": 0.5,
            "look_back_period_s": 2,
            "upscale_delay_s": UPSCALE_AFTER,
            "downscale_delay_s": DOWNSCALE_AFTER,
        }
        deployment = self._serve.deployment(EngineReplica).options(
            name="engine",
            ray_actor_options={"num_cpus": self.share.cpus, "num_gpus": self.share.gpus},
            # One computes at a time, and whoever waits is better off with the next that is free.
            max_ongoing_requests=1,
            autoscaling_config=scaling,
            health_check_period_s=HEALTH_EVERY,
            graceful_shutdown_timeout_s=GRACE,
            graceful_shutdown_wait_loop_s=0.2,
            max_constructor_retry_count=3,
            logging_config=QUIET,
        )
        target = importlib.import_module("ray.serve.api").RunTarget(
            deployment.bind(self._load_of(name)), name=self._prefix + name, route_prefix=None
        )
        return self._serve.run_many([target], wait_for_applications_running=False)[0]

    def _wait_for(self, name: str) -> None:
        """Raises ModelError unless a model's first replicas come to be."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not self._over.is_set():
            told = self._serve.status().applications.get(self._prefix + name)
            state = "" if told is None else str(getattr(told.status, "value", told.status))
            if state == "RUNNING":
                return
            if state in ("DEPLOY_FAILED", "UNHEALTHY"):
                raise ModelError(
                    f"The engines of model {name!r} died while they loaded: give each more memory, or look "
                    "into Ray's logs."
                )
            time.sleep(0.1)
        raise ModelError(f"There is no room on the cluster for an engine of model {name!r} now.")

    def running(self, name: str) -> int:
        """How many of a model's replicas are ready."""
        told = self._serve.status().applications[self._prefix + name].deployments["engine"]
        return int(told.replica_states.get("RUNNING", 0))

    def watch(self, changed: Callable[[int], None]) -> None:
        """Follow a cluster that grows or shrinks, in the background, until ``close``.

        Args:
            changed: told how many engines there may be from now on.
        """
        threading.Thread(target=partial(self._watch, changed), name="cluster", daemon=True).start()

    def _watch(self, changed: Callable[[int], None]) -> None:
        while not self._over.wait(LOOK_EVERY):
            with suppress(self._ray.exceptions.RayError):
                most = max(1, count_engines(self._ray, self.share, self._bounds.most))
                if most != self.most:
                    LOGGER.info("there may be %d engines now", most)
                    self.most = most
                    changed(most)

    def _end(self, name: str) -> None:
        # What a handle tells Serve of those who wait would go on, and connect this process anew.
        asyncio.run(self._handles.pop(name).shutdown_async())
        with suppress(self._ray.exceptions.RayError):
            self._serve.delete(self._prefix + name, _blocking=False)  # nobody waits for what they still do

    def close(self) -> None:
        """End all replicas; what they remember goes with them."""
        self._over.set()
        for name in list(self._handles):
            self._end(name)


def load_engine(room: Any, *, model: str, running: dict[str, Any]) -> Any:
    """What a replica loads: the model, and rembg, which nobody waits for.

    Args:
        room: how much it remembers.
        model: its name or folder.
        running: further arguments of ``Engine.load``.

    Raises:
        ModelError: as ``Engine.load``.
    """
    from ladi.engine import Engine

    engine = Engine.load(model, room=room, **running)
    engine.warm_up()
    return engine
