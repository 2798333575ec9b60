"""The client of Chatwoot's agent bot API."""
