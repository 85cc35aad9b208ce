"""What is trained, network by network."""
