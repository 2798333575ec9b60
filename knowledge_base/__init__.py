"""A library that reads documents and retrieves passages; it does not depend on the assistant."""
