"""Tests of bot.agent_assist."""
