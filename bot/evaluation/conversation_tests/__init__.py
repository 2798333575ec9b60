"""Conversation tests in YAML: the customer's messages, and the expected results."""
