"""``python -m ladi``; everything is in ``ladi/cli.py``."""

import sys

from ladi.cli import main

if __name__ == "__main__":
    sys.exit(main())
