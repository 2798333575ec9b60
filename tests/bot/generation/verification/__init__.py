"""Tests of bot.generation.verification."""
