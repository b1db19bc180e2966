"""Data cards, loaders, the image cache and splits."""
