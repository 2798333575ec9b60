"""Crawling of help centres on the web."""
