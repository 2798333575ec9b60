"""Analytics of conversations: outcomes, topics, surges and knowledge gaps."""
