"""Charts: how they are drawn, and those that are too large for their section."""
