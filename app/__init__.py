"""The web page: layout, what its buttons do, examples and looks. It knows the engine only by its methods."""
