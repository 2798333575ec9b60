"""Types, errors, settings and privacy that every layer shares."""
