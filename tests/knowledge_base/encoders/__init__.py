"""Tests of knowledge_base.encoders."""
