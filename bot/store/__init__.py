"""The conversation log and the state of conversations, in SQL."""
