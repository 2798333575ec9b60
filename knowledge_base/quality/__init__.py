"""Quality of the knowledge base: duplicates, contradictions, staleness, languages."""
