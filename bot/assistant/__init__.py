"""The message pipeline, from receiving a message to committing its turn."""
