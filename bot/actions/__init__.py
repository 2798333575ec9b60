"""Actions: what the bot can do in the shop's systems, written with rasa-sdk."""
