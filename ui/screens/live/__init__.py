"""The screen of live conversations."""
