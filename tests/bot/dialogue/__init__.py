"""Tests of where a message goes."""
