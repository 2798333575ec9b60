"""The library: it reads documents, finds passages, and knows nothing of bots."""
