"""The workshop: what people change of a home while it serves, checked, kept and taken back."""
