"""From photographs to what the networks are given; the way back is ``ladi/postprocess/``."""
