"""Tests of knowledge_base.text."""
