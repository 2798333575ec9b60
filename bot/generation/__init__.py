"""What do we say? Grounded replies from passages, extractive or generated."""
