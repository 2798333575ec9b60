"""Tests of bot.analytics."""
