"""Grounded replies from passages, extractive or generated."""
