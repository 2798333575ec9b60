"""What did they mean? Language, sentiment, entities and intent of a message."""
