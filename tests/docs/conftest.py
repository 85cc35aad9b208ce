"""What the documented commands are run on: a server of toy weights, and a toy base with drawn pairs."""

from __future__ import annotations

from tests.training.conftest import places  # noqa: F401
from tests.weights.conftest import _no_waiting, _toy_files, server, toy_files, toy_world  # noqa: F401
