"""What happened in the conversations, in figures that each lead back to the conversations."""
