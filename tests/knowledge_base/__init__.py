"""Tests of the library that finds passages."""
