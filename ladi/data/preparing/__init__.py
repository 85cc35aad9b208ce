"""Your own photos into a data set."""
