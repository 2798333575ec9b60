"""Tests of bot.assistant."""
