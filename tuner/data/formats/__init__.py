"""How data lie on disk: one module for each file type of a card, and their registry."""
