"""Tests of bot.integrations.rasa."""
