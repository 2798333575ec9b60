"""Segmentation of a message into several requests."""
