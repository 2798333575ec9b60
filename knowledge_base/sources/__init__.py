"""Kinds of sources: one module a kind, each turning a file into documents."""
