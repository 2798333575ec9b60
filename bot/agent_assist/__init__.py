"""Agent assist: suggested replies and canned replies."""
