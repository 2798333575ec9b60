"""The workshop: checked, stored and reversible changes of a home while it serves."""
