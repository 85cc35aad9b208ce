"""From the generated picture back into the photo."""
