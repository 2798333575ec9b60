"""Tests of bot.server.auth."""
