"""Tests of bot.training."""
