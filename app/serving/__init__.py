"""How the page is served: options, launch, visitors, privacy."""
