"""Integrations with Rasa, OpenAI clients, Chatwoot and webhooks."""
