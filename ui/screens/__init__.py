"""The screens of the staff app."""
