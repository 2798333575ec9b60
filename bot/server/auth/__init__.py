"""Authentication and authorisation: users, visitors, channels, rate limits."""
