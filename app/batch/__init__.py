"""The tab "Batch"."""
