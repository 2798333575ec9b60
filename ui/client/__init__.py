"""Clients of the HTTP API."""

from ui.client.http_client import ApiError, Client

__all__ = ["ApiError", "Client"]
