"""What a bad picture comes from."""
