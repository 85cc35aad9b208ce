"""``python -m ladi``; everything is in ``ladi/commands/main.py``."""

from ladi.commands.main import start

if __name__ == "__main__":
    start()
