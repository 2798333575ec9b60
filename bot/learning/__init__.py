"""Learning from the log: what knowledge is missing, and what customers ask next."""
