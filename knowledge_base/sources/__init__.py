"""Readers of sources: one module per kind, each of which turns a file into documents."""
