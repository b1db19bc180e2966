"""Data cards: what a card may say, and how it is read."""
