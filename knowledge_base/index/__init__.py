"""The search index on disk and in memory, and its immutable versions."""
