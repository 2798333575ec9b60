"""Tests of knowledge_base.sources.crawling."""
