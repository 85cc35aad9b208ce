"""Serve the page; everything is in ``app/main.py``."""

import sys

from app.main import start

if __name__ == "__main__":
    sys.exit(start())
