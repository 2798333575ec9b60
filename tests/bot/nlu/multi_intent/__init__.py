"""Tests of bot.nlu.multi_intent."""
