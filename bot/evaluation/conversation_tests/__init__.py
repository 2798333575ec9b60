"""Conversation tests: what a customer says in YAML, and what should come of it."""
