"""Tests of knowledge_base.index."""
