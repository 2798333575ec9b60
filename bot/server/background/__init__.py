"""Background work of the server: deliveries and scheduled jobs."""
