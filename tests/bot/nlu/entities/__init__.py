"""Tests of bot.nlu.entities."""
