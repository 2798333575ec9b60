"""State of a conversation, policy, answer templates and hand-off."""
