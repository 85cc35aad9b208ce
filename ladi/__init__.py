"""LaDI-VTON: photos of a person and of a garment in, a photo of the person in the garment out.

What a program needs can be imported from here, and costs nothing until it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ladi.engine import Engine
    from ladi.postprocess.png import save_png
    from ladi.preprocess.photo import read_photo
    from ladi.settings import Settings, Switches, TryOnRequest

__all__ = ["Engine", "Settings", "Switches", "TryOnRequest", "read_photo", "save_png"]

__version__ = "0.1.0"

_HOMES = {
    "Engine": "ladi.engine",
    "read_photo": "ladi.preprocess.photo",
    "save_png": "ladi.postprocess.png",
    **dict.fromkeys(("Settings", "Switches", "TryOnRequest"), "ladi.settings"),
}


def __getattr__(name: str) -> Any:
    """Import a name's module when it is first asked for: the engine's takes seconds."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
