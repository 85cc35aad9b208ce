"""The headless Chromium of the page's benchmark, its screenshots and its tests: found and started one way."""

from __future__ import annotations

import os
import shutil
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ADVICE = "No Chromium was found: install one, or name it by LADI_CHROMIUM."
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """``LADI_CHROMIUM``, or the first browser of the usual names; none where there is none."""
    return os.environ.get("LADI_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def launch(playwright: Any, executable: str) -> Any:
    """Playwright's browser, headless, which asks nothing of the network by itself."""
    return playwright.chromium.launch(executable_path=executable, headless=True, args=FLAGS)
