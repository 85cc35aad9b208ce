"""Datasets: one kind of sample from each layout."""
