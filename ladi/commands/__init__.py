"""``python -m ladi``: one file a command."""
