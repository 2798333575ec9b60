"""Understanding of messages: language, sentiment, entities and intent."""
