"""Tests of bot.container."""
