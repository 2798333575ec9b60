"""The HTTP server: messages over JSON and SSE, history, metrics, and the installed screens."""
