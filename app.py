"""Serve the page; everything is in ``app/main.py``."""

from app.main import start

if __name__ == "__main__":
    start()
