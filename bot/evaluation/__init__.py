"""Replay, conversation tests and verification of logged replies."""
