"""Photos of one's own into a data set."""
