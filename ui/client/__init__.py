"""Clients of the HTTP API."""

from ui.client.http_client import ApiError, Client, events

__all__ = ["ApiError", "Client", "events"]
