"""Past one machine: the same work on a cluster, by Ray, which is an optional package."""
