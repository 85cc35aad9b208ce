"""The whole suite in several processes at once (``pytest -n 2``, pytest-xdist): which tests stay together.

By itself ``pytest`` runs in one: tests of processes that must answer in time are surest alone. Each process
has up to 3 GB of networks and photos in its memory.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

TOGETHER: tuple[tuple[str, ...], ...] = (
    ("tests/browser/", "tests/scale/"),
    (
        "tests/batch/test_interrupted_rows.py",
        "tests/commands/test_interrupted.py",
        "tests/training/test_killed.py",
        "tests/training/test_paper_model.py::test_two_processes",
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
    """Hand out the work in these units where several processes are asked for."""
    asked = getattr(config.option, "numprocesses", None)
    if hasattr(config, "workerinput") or not isinstance(asked, int) or asked < 2:
        return
    config.option.dist, config.option.loadscopereorder = "loadscope", False
    # All processes together as many threads as there are cores; by itself each would have as many.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // asked)))
    config.pluginmanager.register(_Spread())


def in_order(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a process among several, put first what is long."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _place(item.nodeid))
