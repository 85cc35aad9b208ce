"""The whole suite in two processes at once: how many there are, and which tests stay together.

Only ``pytest`` without places, ``-k`` or ``-m`` is spread: two processes need seconds to start and gigabytes
of memory, which a few tests are not worth. ``pytest -n 0`` runs everything in one.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

PROCESSES = 2
"""Each has up to 3 GB of networks and photos in its memory, so further cores are for threads."""
TOGETHER: tuple[tuple[str, ...], ...] = (
    ("tests/browser/", "tests/scale/"),
    (
        "tests/commands/test_interrupted.py",
        "tests/training/test_killed.py",
        "tests/ui/test_app.py",
        "tests/weights/test_killed.py",
    ),
)
"""By the beginnings of their names, tests that share what takes long to start (the process that commands are
copied from), and those that start processes which must answer in time: page, browser and clusters, one
after the other. What is long comes first, not at the end."""


def _place(nodeid: str) -> int:
    """Which of ``TOGETHER`` a test belongs to; the number behind the last for most."""
    places = (place for place, names in enumerate(TOGETHER) if nodeid.startswith(names))
    return next(places, len(TOGETHER))


class _Spread:
    """What the process does that hands out the work."""

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        from xdist.scheduler import LoadScopeScheduling

        class Units(LoadScopeScheduling):
            """Hands out a file at a time, or what stays together."""

            def _split_scope(self, nodeid: str) -> str:
                place = _place(nodeid)
                return TOGETHER[place][0] if place < len(TOGETHER) else nodeid.split("::")[0]

        return Units(config, log)


def spread(config: pytest.Config) -> None:
    """Have the whole suite run in two processes, where there are two cores and pytest-xdist."""
    asked, cores = config.option, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not asked.keyword
    words = [str(word) for word in config.invocation_params.args]
    by_itself = asked.usepdb or asked.collectonly or any(word.startswith("-m") for word in words)
    one_of_them = hasattr(config, "workerinput")
    if one_of_them or by_itself or not everything or cores < PROCESSES:
        return
    if config.pluginmanager.hasplugin("xdist") and asked.numprocesses is None and asked.dist == "no":
        asked.numprocesses, asked.dist, asked.loadscopereorder = PROCESSES, "loadscope", False
        # All processes together as many threads as there are cores; by itself each would have as many.
        os.environ.setdefault("OMP_NUM_THREADS", str(cores // PROCESSES))
        config.pluginmanager.register(_Spread())


def in_order(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a process among several, put first what is long."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _place(item.nodeid))
