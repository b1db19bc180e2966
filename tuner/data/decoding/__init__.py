"""Image files to pixels of 8 bits."""
