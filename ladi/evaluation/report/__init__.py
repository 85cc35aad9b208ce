"""Scores in tables, charts and one page."""
