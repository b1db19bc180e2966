"""A run as it goes: live on a terminal, in plain lines, or as JSON Lines."""
