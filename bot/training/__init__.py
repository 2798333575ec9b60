"""Training, evaluation and data quality of the intent classifier."""
