"""Hybrid retrieval, answerability, and learning from judged queries."""
