"""The assistant: what a message means, where it goes, what is said, what is kept."""
