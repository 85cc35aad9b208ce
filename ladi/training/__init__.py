"""Training, one file per stage around one small loop."""
