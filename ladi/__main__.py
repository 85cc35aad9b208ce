"""``python -m ladi``; everything is in ``ladi/commands/main.py``."""

import sys

from ladi.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
