"""Tests of knowledge_base.retrieval."""
