"""Types, errors, settings and privacy functions that all layers use."""
