"""Evaluation: metrics, the protocol they are computed by, and the ablation."""
