"""Tests of a room; they mirror the code."""
