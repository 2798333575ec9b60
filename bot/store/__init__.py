"""What do we keep? The conversation log and the state of conversations, in SQL."""
