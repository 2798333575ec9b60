"""Import and export of Rasa projects, and Rasa's tracker format."""
