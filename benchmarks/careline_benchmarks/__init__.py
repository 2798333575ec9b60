"""Benchmarks that measure every number in the documentation again, on real data."""
