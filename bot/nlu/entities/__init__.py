"""Entity extraction: patterns, gazetteers, numbers, money, dates and times."""
