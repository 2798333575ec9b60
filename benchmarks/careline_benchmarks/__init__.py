"""Benchmarks: every number the documentation promises, measured again on real data."""
