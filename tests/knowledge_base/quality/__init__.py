"""Tests of knowledge_base.quality."""
