"""The demo: its content, its actions and its page."""
