"""Many pairs, row by row, into a folder."""
