"""Where does it go? State, policy, templates and the hand-off."""
